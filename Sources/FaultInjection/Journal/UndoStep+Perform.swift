internal import FaultLab
internal import FaultSeam
internal import Foundation
internal import NIOHTTP1
internal import PostgresClient
internal import Shim

extension UndoStep {
    /// Puts it right; nothing happens where it is right already.
    /// - Throws: when it is not known to be right: it is to be done again.
    func perform(_ spawner: Spawner) async throws {
        switch self {
        case .goOn(let id, let ticks):
            let process = ProcessIdentity(processID: id, startTicks: ticks)
            if process.isAlive { kill(id, SIGCONT) }
        case .endMarked(let mark):
            ProcessTable.end(ProcessTable.marked(mark))
            spawner.reap()
        case .start(let program):
            guard ProcessTable.running(program.command).isEmpty else { return }
            try spawner.start(program.command, environment: program.environment ?? [:], log: program.log)
        case .restoreFileLimit(let id, let ticks, let bytes):
            let process = ProcessIdentity(processID: id, startTicks: ticks)
            guard process.isAlive, try FileLimit.of(process) == FileLimit.full else { return }
            try FileLimit.set(bytes, of: process)
        case .removeToxics(let api, let proxy, let names):
            try await removeToxics(api, proxy, names)
        case .startDatabase(let database): try await database.cluster.start()
        case .resetSetting(let database, let name, let injected, let before):
            try await database.run { connection in
                // What somebody else set meanwhile is theirs.
                guard try await connection.setting(name) == injected else { return }
                try await connection.set(name, to: before)
            }
        case .roleLimit(let database, let role, let injected, let before):
            try await database.run { connection in
                guard try await connection.connectionLimit(of: role) == injected else { return }
                try await connection.setConnectionLimit(before, of: role)
            }
        case .clearSeam(let folders, let name, let restart):
            try await clearSeam(folders.map { SeamFolder($0) }, name, restart, spawner)
        case .removeDiscipline(let interface): try await interface.remove()
        case .thaw(let group): try ControlGroup(group).set(frozen: false)
        case .endSessions(let database, let application):
            // A server that does not run has no sessions.
            guard database.isRunning || database.connection != nil else { return }
            let ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1"
            _ = try await database.run { connection in
                try await connection.query(Statement(ended), [application])
            }
        }
    }

    private func clearSeam(
        _ folders: [SeamFolder], _ name: String, _ restart: TargetFile.Program?, _ spawner: Spawner
    ) async throws {
        let left = folders.filter { $0.holds(name) }
        // First the program, so that one that is met half way is met again.
        if !left.isEmpty, let restart { try await ProcessTable.endAll(restart.command) }
        for folder in left {
            guard unlink(folder.file(name)) == 0 || errno == ENOENT else {
                throw InjectionError.system("unlink", folder.file(name))
            }
        }
        guard let restart, ProcessTable.running(restart.command).isEmpty else { return }
        try spawner.start(restart.command, environment: restart.environment ?? [:], log: restart.log)
    }

    private func removeToxics(_ api: String, _ proxy: String, _ names: [String]) async throws {
        for name in names {
            let status: UInt
            do {
                status = try await ProxyAPI.send(.DELETE, "\(api)/proxies/\(proxy)/toxics/\(name)")
            } catch  where error is CancellationError == false {
                // A proxy that is gone took its toxics along; one that only does not answer is asked again.
                guard ProxyAPI.isRefused(error) else { throw error }
                return
            }
            guard status == 204 || status == 404 else {
                throw InjectionError("the proxy \(proxy) says \(status)")
            }
        }
    }
}
