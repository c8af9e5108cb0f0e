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
        var command = [binaries.appendingPathComponent(program).path] + arguments
        if owner.needsSwitch {
            guard let setpriv = ClusterBinaries.search("setpriv") else {
                throw PostgresError(.clusterBinariesNotFound, "setpriv is needed to start PostgreSQL as root")
            }
            command =
                [
                    setpriv.path, "--reuid=\(owner.userID)", "--regid=\(owner.groupID)", "--init-groups",
                ] + command
        }
        // A file rather than a pipe: nothing then waits for a server that inherited it.
        guard let stream = tmpfile() else {
            throw PostgresError(.clusterCommandFailed, "cannot make a temporary file")
        }
        defer { fclose(stream) }
        let descriptor = fileno(stream)
        let status = try await ChildProcess.run(command[0], Array(command.dropFirst()), output: descriptor)
        guard status == 0 else {
            let output = Self.output(of: descriptor)
            throw PostgresError(.clusterCommandFailed, "\(program) ended with status \(status): \(output)")
        }
    }

    private static func output(of descriptor: Int32) -> String {
        let length = max(0, lseek(descriptor, 0, SEEK_END))
        var bytes = [UInt8](repeating: 0, count: min(length, keptOutput))
        let count = pread(descriptor, &bytes, bytes.count, off_t(length - bytes.count))
        let text = String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
