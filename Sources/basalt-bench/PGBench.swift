import Foundation

/// `pgbench -N` beside the product's database: what this machine's Postgres and disk can do at the moment.
struct PGBench {
    /// 1,000,000 accounts, so that two clients seldom meet in a row.
    private static let scale = 10
    private static let database = "pgbench"

    private let program: String
    private let connection: [String]

    /// Makes and fills a database of its own.
    init(_ cluster: BenchmarkCluster) async throws {
        program = try Self.find()
        connection = ["-h", try cluster.socketDirectory, "-p", "5432", "-U", "postgres"]
        try await cluster.script("CREATE DATABASE \(Self.database)")
        _ = try await Program.output(
            program, connection + ["-i", "-q", "-s", "\(Self.scale)", Self.database])
    }

    /// Transactions per second of `clients`: one update, one read and one insert each, committed durably.
    ///
    /// A count and no time bounds it: the alarm that ends a timed run may be blocked in children of a
    /// thread pool.
    func transactionsPerSecond(clients: Int, transactions: Int) async throws -> Double {
        let text = try await Program.output(
            program,
            connection + ["-N", "-n", "-c", "\(clients)", "-t", "\(transactions)", Self.database])
        let line = text.split(separator: "\n").first { $0.hasPrefix("tps = ") }
        guard let word = line?.split(separator: " ").dropFirst(2).first, let rate = Double(word) else {
            throw BenchmarkError("pgbench answered without its rate: \(text)")
        }
        return rate
    }

    /// The newest version's program, which lies beside `initdb`.
    private static func find() throws -> String {
        let root = "/usr/lib/postgresql"
        let versions = try FileManager.default.contentsOfDirectory(atPath: root).compactMap(Int.init)
        guard let newest = versions.max() else { throw BenchmarkError("no Postgres below \(root)") }
        return "\(root)/\(newest)/bin/pgbench"
    }
}
