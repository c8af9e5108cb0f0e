internal import FaultLab
internal import Foundation
internal import Logging
internal import PostgresClient

extension EffectMaker {
    func database(_ entry: TargetFile.Entry, _ order: InjectorOrders.Order) async throws -> Effect {
        guard let database = entry.database else { throw InjectionError("\(entry.target) has no database") }
        switch order.kind {
        case .storeOutage, .storeRestart:
            return stop(database, andStart: order.kind == .storeRestart)
        case .storeReadOnly:
            return try await settings(database, [("default_transaction_read_only", "on")])
        case .storeSlow:
            // The longest that a server waits before each commit.
            let delay = min(0.1, order.parameters.delaySeconds ?? 0.1)
            return try await settings(
                database, [("commit_delay", "\(Int(delay * 1_000_000))"), ("commit_siblings", "0")])
        case .storeLockHeld:
            let table = order.parameters.value ?? "allocation"
            return sessions(
                database, order, ["hold-lock", "--table", table],
                isSeen: """
                    SELECT 1 FROM pg_stat_activity
                    WHERE application_name = $1 AND state = 'idle in transaction'
                    """)
        case .storeConnectionsExhausted:
            return sessions(
                database, order, ["hold-connections"],
                isSeen: """
                    SELECT 1 FROM pg_stat_activity
                    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
                    HAVING count(*) >= current_setting('max_connections')::int
                            - current_setting('superuser_reserved_connections')::int
                        AND count(*) FILTER (WHERE application_name = $1) > 0
                    """)
        case .storeRoleLimit: return try await limitRole(database, order)
        default: throw InjectionError("\(order.kind.rawValue) cannot be done here")
        }
    }

    private func stop(_ database: TargetFile.Database, andStart: Bool) -> Effect {
        Effect(
            undo: [.startDatabase(database)],
            apply: {
                // Immediate: as a crash, for which the log is read at the next start.
                try await database.cluster.stop(.immediate)
                if andStart { try await database.cluster.start() }
            },
            isSeen: { andStart ? true : !database.isRunning })
    }

    private func settings(
        _ database: TargetFile.Database, _ changes: [(name: String, value: String)]
    ) async throws -> Effect {
        let before = try await database.run { connection in
            var before: [String?] = []
            for change in changes { before.append(try await connection.setting(change.name)) }
            return before
        }
        return Effect(
            undo: zip(changes, before).map { change, before in
                .resetSetting(database, name: change.name, injected: change.value, before: before)
            },
            apply: {
                try await database.run { connection in
                    for change in changes { try await connection.set(change.name, to: change.value) }
                }
            },
            isSeen: {
                try await database.run { connection in
                    for change in changes where try await connection.setting(change.name) != change.value {
                        return false
                    }
                    return true
                }
            })
    }

    private func sessions(
        _ database: TargetFile.Database, _ order: InjectorOrders.Order, _ load: [String], isSeen: String
    ) -> Effect {
        let mark = Arming.id(order)
        let application = Self.application(mark)
        var effect = self.load(
            order,
            [
                load + [
                    "--data-directory", database.dataDirectory, "--application", application, "--seconds",
                    "\(order.leaseSeconds)",
                ] + (database.connection.map { ["--connection", $0] } ?? [])
            ])
        effect.undo.append(.endSessions(database, application: application))
        effect.isSeen = {
            try await database.run { connection in
                try await !connection.query(Statement(isSeen), [application]).isEmpty
            }
        }
        return effect
    }

    /// The server cuts names after 63 bytes.
    private static func application(_ mark: String) -> String { String("basalt-fault:\(mark)".prefix(63)) }

    private func limitRole(
        _ database: TargetFile.Database, _ order: InjectorOrders.Order
    ) async throws -> Effect {
        guard let role = database.role else { throw InjectionError("the role is not named") }
        let limit = order.parameters.count ?? 1
        let before = try await database.run { try await $0.connectionLimit(of: role) }
        return Effect(
            undo: [.roleLimit(database, role: role, injected: limit, before: before)],
            apply: {
                try await database.run { connection in
                    try await connection.setConnectionLimit(limit, of: role)
                    try await connection.query(
                        Statement(
                            """
                            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                            WHERE usename = $1 AND pid <> pg_backend_pid()
                            """), [role])
                }
            },
            isSeen: { try await database.run { try await $0.connectionLimit(of: role) } == limit })
    }
}
