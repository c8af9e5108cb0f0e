import Fleet
import Foundation
import ProgramShell
import Store

/// Creates VMs at a steady rate and deletes each after a while.
struct Tenant {
    static let lifetime = Duration.seconds(10)

    let store: PostgresStore
    /// VMs that are created, and later deleted, in each second.
    let perSecond: Int

    /// Runs until cancelled.
    func run() async throws {
        let context = WriteContext(actor: "user/bench", verb: "create")
        let started = ContinuousClock.now
        var running: [[String]] = []
        var second = 0
        while !Task.isCancelled {
            let names = (0..<perSecond).map { "vm-\(second)-\($0)" }
            _ = try await store.create(names.map(draft), context: context)
            running.append(names)
            if running.count > Int(Self.lifetime.components.seconds) {
                for name in running.removeFirst() {
                    _ = try await store.delete(
                        .vm, project: ControlPlaneProcesses.project, name: name, precondition: .none,
                        context: WriteContext(actor: "user/bench", verb: "delete"))
                }
            }
            second += 1
            do {
                try await Task.sleep(until: started + .seconds(second), clock: .continuous)
            } catch { return }
        }
    }

    private func draft(_ name: String) -> DocumentDraft {
        DocumentDraft(
            uid: ID(SystemSeams.ids.next()), kind: .vm, project: ControlPlaneProcesses.project, name: name,
            finalizers: ["allocations"],
            spec: """
                {"cell":"\(ControlPlaneProcesses.cell)","resources":{"memoryMiB":4096,"milliCPU":2000}}
                """)
    }
}
