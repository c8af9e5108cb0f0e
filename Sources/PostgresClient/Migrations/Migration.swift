public import Foundation

/// One numbered step of the schema.
public struct Migration: Sendable, Hashable {
    /// Counted from 1 without gaps.
    public let number: Int
    public let name: String
    public let sql: String

    public init(number: Int, name: String, sql: String) {
        self.number = number
        self.name = name
        self.sql = sql
    }

    /// Reads all `NNNN_name.sql` files of a directory, ordered by number; other files are left alone.
    /// Throws `migration.invalid`.
    public static func read(from directory: URL) throws -> [Migration] {
        let files: [URL]
        do {
            files = try FileManager.default.contentsOfDirectory(
                at: directory, includingPropertiesForKeys: nil)
        } catch {
            throw PostgresError(
                .migrationInvalid, "cannot read the directory \(directory.path)", cause: error)
        }
        let scripts = files.filter { $0.pathExtension == "sql" }
        return try scripts.map(read(file:)).sorted { ($0.number, $0.name) < ($1.number, $1.name) }
    }

    private static func read(file: URL) throws -> Migration {
        let stem = file.deletingPathExtension().lastPathComponent
        guard let match = stem.wholeMatch(of: #/([0-9]{4})_([a-z0-9_]+)/#), let number = Int(match.1) else {
            throw PostgresError(
                .migrationInvalid, "\(file.lastPathComponent) is not named like 0001_name.sql")
        }
        do {
            let sql = try String(contentsOf: file, encoding: .utf8)
            return Migration(number: number, name: String(match.2), sql: sql)
        } catch {
            throw PostgresError(
                .migrationInvalid, "cannot read \(file.lastPathComponent) as UTF-8", cause: error)
        }
    }
}
