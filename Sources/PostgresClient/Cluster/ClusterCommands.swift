import Foundation

/// Runs PostgreSQL's programs as the user that owns the cluster.
struct ClusterCommands: Sendable {
    /// Output kept for an error message, in bytes from the end.
    private static let keptOutput = 2_048

    let owner: ClusterOwner
    private let binaries: URL

    /// Throws `cluster.binariesNotFound` or `cluster.directory`.
    init(options: PrivateCluster.Options) throws {
        owner = try ClusterOwner(unprivilegedUser: options.unprivilegedUser)
        binaries = try ClusterBinaries.find(preferred: options.binaryDirectory)
    }

    /// Runs a program to its end. Throws `cluster.commandFailed` with the end of its output.
    func run(_ program: String, _ arguments: [String]) async throws {
        let path = binaries.appendingPathComponent(program).path
        let process = Process()
        if owner.needsSwitch {
            guard let setpriv = ClusterBinaries.search("setpriv") else {
                throw PostgresError(.clusterBinariesNotFound, "setpriv is needed to start PostgreSQL as root")
            }
            process.executableURL = setpriv
            process.arguments =
                ["--reuid=\(owner.userID)", "--regid=\(owner.groupID)", "--init-groups", path] + arguments
        } else {
            process.executableURL = URL(fileURLWithPath: path)
            process.arguments = arguments
        }
        // The caller's directory may be closed to the other user, and its locale unknown.
        process.currentDirectoryURL = URL(fileURLWithPath: "/")
        process.environment = ProcessInfo.processInfo.environment.merging(["LC_ALL": "C"]) { $1 }
        process.standardInput = FileHandle.nullDevice
        let (status, output) = try await ClusterCommands.finish(process)
        guard status == 0 else {
            throw PostgresError(.clusterCommandFailed, "\(program) ended with status \(status): \(output)")
        }
    }

    /// The output goes to a file rather than a pipe: nothing then waits for a server that inherited it.
    private static func finish(_ process: Process) async throws -> (Int32, String) {
        guard let stream = tmpfile() else {
            throw PostgresError(.clusterCommandFailed, "cannot make a temporary file")
        }
        defer { fclose(stream) }
        let file = FileHandle(fileDescriptor: fileno(stream), closeOnDealloc: false)
        process.standardOutput = file
        process.standardError = file
        let status: Int32 = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
            } catch {
                process.terminationHandler = nil
                continuation.resume(
                    throwing: PostgresError(
                        .clusterCommandFailed, "cannot run \(process.executableURL?.path ?? "")",
                        cause: error))
            }
        }
        let length = try file.seekToEnd()
        try file.seek(toOffset: length - min(length, UInt64(keptOutput)))
        let output = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        return (status, output.trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
