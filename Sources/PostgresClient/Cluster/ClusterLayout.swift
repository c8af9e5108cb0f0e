import Foundation

/// Where the files of a cluster are.
struct ClusterLayout: Sendable {
    /// Only a part of the socket's name, as nothing listens on the network.
    static let port = 5432
    /// `sockaddr_un.sun_path` holds 108 bytes with its end.
    private static let maximumSocketPath = 107
    private static let settingsFile = "cluster.conf"

    let dataDirectory: String
    let socketDirectory: String

    init(dataDirectory: URL) {
        let path = dataDirectory.standardizedFileURL.path
        self.dataDirectory = path
        let beside = path + ".socket"
        let length = "\(beside)/.s.PGSQL.\(Self.port)".utf8.count
        // The short name depends on the path only, so that an adopting process finds the same.
        socketDirectory =
            length <= Self.maximumSocketPath
            ? beside : "/tmp/pg-" + String(Self.hash(path), radix: 36)
    }

    var stagingDirectory: String { dataDirectory + ".initializing" }
    var logFile: String { dataDirectory + "/server.log" }
    var isInitialized: Bool { FileManager.default.fileExists(atPath: dataDirectory + "/PG_VERSION") }

    /// Every directory above the data directory must let the server's user through.
    func checkAncestors(owner: ClusterOwner) throws {
        let parent = URL(fileURLWithPath: dataDirectory).deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        } catch {
            throw PostgresError(.clusterDirectory, "cannot make \(parent.path)", cause: error)
        }
        var ancestor = parent.resolvingSymlinksInPath()
        while true {
            var status = stat()
            guard stat(ancestor.path, &status) == 0 else { throw Self.failure("look at", ancestor.path) }
            guard owner.canSearch(status) else {
                throw PostgresError(
                    .clusterDirectory,
                    "the user \(owner.name), who runs PostgreSQL, may not enter \(ancestor.path); "
                        + "allow it with chmod o+x, or use another data directory")
            }
            if ancestor.path == "/" { return }
            ancestor.deleteLastPathComponent()
        }
    }

    /// The socket lets everyone in who reaches it, so only the owner (and root) may enter its directory.
    func makeSocketDirectory(owner: ClusterOwner) throws {
        try makeDirectory(socketDirectory, owner: owner)
        var status = stat()
        guard lstat(socketDirectory, &status) == 0 else { throw Self.failure("look at", socketDirectory) }
        guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == owner.userID else {
            throw PostgresError(.clusterDirectory, "\(socketDirectory) is not a directory of \(owner.name)")
        }
    }

    func makeStagingDirectory(owner: ClusterOwner) throws {
        if FileManager.default.fileExists(atPath: stagingDirectory) {
            try Self.reporting("remove", stagingDirectory) {
                try FileManager.default.removeItem(atPath: stagingDirectory)
            }
        }
        try makeDirectory(stagingDirectory, owner: owner)
    }

    func adoptStagingDirectory() throws {
        // rename replaces an empty directory and refuses one with files.
        guard rename(stagingDirectory, dataDirectory) == 0 else { throw Self.failure("make", dataDirectory) }
    }

    /// Writes the settings of the next start, ours first so that the caller's win, except where the server
    /// is reached.
    func writeSettings(_ settings: [String], owner: ClusterOwner) throws {
        let file = dataDirectory + "/" + Self.settingsFile
        let lines =
            ["fsync = on"] + settings + [
                "listen_addresses = ''",
                "port = \(Self.port)",
                "unix_socket_directories = '\(socketDirectory.replacing("'", with: "''"))'",
            ]
        try Self.reporting("write", file) {
            try lines.map { $0 + "\n" }.joined().write(toFile: file, atomically: true, encoding: .utf8)
        }
        try own(file, mode: 0o600, owner)
        let main = dataDirectory + "/postgresql.conf"
        let include = "include_if_exists = '\(Self.settingsFile)'"
        try Self.reporting("write", main) {
            let text = try String(contentsOfFile: main, encoding: .utf8)
            guard !text.split(separator: "\n").contains(Substring(include)) else { return }
            try (text + "\n" + include + "\n").write(toFile: main, atomically: true, encoding: .utf8)
        }
        try own(main, mode: 0o600, owner)
    }

    /// Removes a lock file whose process id now belongs to something that is not this cluster's server,
    /// which PostgreSQL could not tell. A dead id it handles itself, with its check for old children.
    func removeStaleLock() throws {
        guard let processID = PostmasterProcess.lockedProcessID(dataDirectory),
            PostmasterProcess.startTicks(of: processID) != nil,
            PostmasterProcess.find(dataDirectory: dataDirectory) == nil
        else { return }
        let file = dataDirectory + "/postmaster.pid"
        try Self.reporting("remove", file) { try FileManager.default.removeItem(atPath: file) }
    }

    /// Whether a lock file is there: an old server may not be gone entirely.
    var isLockedByOldServer: Bool {
        FileManager.default.fileExists(atPath: dataDirectory + "/postmaster.pid")
    }

    private func makeDirectory(_ path: String, owner: ClusterOwner) throws {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw Self.failure("make", path) }
        try own(path, mode: 0o700, owner)
    }

    private func own(_ path: String, mode: mode_t, _ owner: ClusterOwner) throws {
        if owner.needsSwitch {
            guard lchown(path, owner.userID, owner.groupID) == 0 else { throw Self.failure("own", path) }
        }
        guard chmod(path, mode) == 0 else { throw Self.failure("protect", path) }
    }

    private static func failure(_ verb: String, _ path: String) -> PostgresError {
        PostgresError(.clusterDirectory, "cannot \(verb) \(path): \(String(cString: strerror(errno)))")
    }

    private static func reporting(_ verb: String, _ path: String, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch {
            throw PostgresError(.clusterDirectory, "cannot \(verb) \(path)", cause: error)
        }
    }

    /// FNV-1a, the same in every process.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
