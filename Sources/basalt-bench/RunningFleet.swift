import Fleet
import Foundation
import ProgramShell
import Store

/// A control plane whose simulated hosts run many small VMs.
struct RunningFleet {
    static let shape = Resources(milliCPU: 1000, memoryMiB: 2048)
    /// VMs of one transaction.
    private static let batch = 500

    let processes: ControlPlaneProcesses

    static func name(_ number: Int) -> String { "vm-\(number)" }

    /// Waits until the agent has brought all hosts.
    func ready(hosts: Int) async throws {
        while try await processes.store.hosts(.cell(ControlPlaneProcesses.cell)).count < hosts {
            guard processes.agent.isRunning else {
                throw BenchmarkError("the agent ended; see \(processes.directory.path)")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Creates VMs and waits until all of them run.
    func fill(vms: Int) async throws {
        let context = WriteContext(actor: "user/bench", verb: "create")
        for start in stride(from: 0, to: vms, by: Self.batch) {
            let drafts = (start..<min(vms, start + Self.batch)).map { number in
                DocumentDraft(
                    uid: ID(SystemSeams.ids.next()), kind: .vm, project: ControlPlaneProcesses.project,
                    name: Self.name(number), finalizers: ["allocations"],
                    spec: """
                        {"cell":"\(ControlPlaneProcesses.cell)","resources":{"memoryMiB":\(Self.shape.memoryMiB),\
                        "milliCPU":\(Self.shape.milliCPU)}}
                        """)
            }
            _ = try await processes.store.create(drafts, context: context)
        }
        while try await processes.store.cellTotals().reduce(0, { $0 + $1.running }) < vms {
            try await Task.sleep(for: .milliseconds(500))
        }
    }
}
