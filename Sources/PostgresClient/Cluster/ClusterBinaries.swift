import Foundation

/// Finds PostgreSQL's programs.
enum ClusterBinaries {
    /// Where distributions keep one directory per major version.
    private static let versionedRoot = "/usr/lib/postgresql"

    /// The given directory, or the highest installed version, or that of `pg_ctl` on the PATH.
    static func find(preferred: URL?) throws -> URL {
        if let preferred {
            guard isComplete(preferred) else {
                throw PostgresError(
                    .clusterBinariesNotFound, "\(preferred.path) does not hold initdb, pg_ctl and postgres")
            }
            return preferred
        }
        let candidates =
            versioned()
            + [search("pg_ctl")?.resolvingSymlinksInPath().deletingLastPathComponent()]
            .compactMap { $0 }
        guard let found = candidates.first(where: isComplete) else {
            throw PostgresError(
                .clusterBinariesNotFound,
                "no PostgreSQL server programs in \(versionedRoot)/*/bin or on the PATH")
        }
        return found
    }

    /// An executable on the PATH.
    static func search(_ name: String) -> URL? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        // The system's own directories too: a service's PATH may lack them.
        let directories = path.split(separator: ":").map(String.init) + ["/usr/bin", "/bin", "/usr/sbin"]
        return directories.map { URL(fileURLWithPath: $0).appendingPathComponent(name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    private static func versioned() -> [URL] {
        // No such directory is the same as an empty one.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: versionedRoot)) ?? []
        return names.compactMap(Int.init).sorted(by: >)
            .map { URL(fileURLWithPath: "\(versionedRoot)/\($0)/bin") }
    }

    private static func isComplete(_ directory: URL) -> Bool {
        ["initdb", "pg_ctl", "postgres"].allSatisfy {
            FileManager.default.isExecutableFile(atPath: directory.appendingPathComponent($0).path)
        }
    }
}
