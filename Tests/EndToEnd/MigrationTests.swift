import APITypes
import Client
import Fleet
import Foundation
import Shim
import Testing

extension EndToEndTests {
    /// VMs that move from host to host.
    @Suite struct MigrationTests {
        @Test func aDrainEndsThoughEveryControllerThatBeginsItIsKilled() async throws {
            try await Deployment.run(.init(host: 30, cell: 2)) { basalt in
                let a = try await basalt.startController("a", holdCommits: true)
                try await basalt.makeFleet()
                try await basalt.holder(of: "east", is: "a")
                let b = try await basalt.startController("b")
                let c = try await basalt.startController("c")
                try await basalt.startAgent("sim", hosts: 1)
                try await basalt.hostsReady(1)
                try await basalt.createVMs("web", count: 10)
                try await basalt.createVM("big", Deployment.spec(milliCPU: 8000))
                try await basalt.createVM("stop", Deployment.spec { $0.onPartition = .stop })
                try await basalt.allRun(12)
                try await basalt.startAgent("new", hosts: 3)
                try await basalt.hostsReady(4)

                // The reservations of the first moves are rolled back with the one who made them.
                try a.holdCommits()
                _ = try await basalt.client().drain(host: "sim-0", reason: "fan")
                try await eventually("a commit is held") { a.isHoldingCommit }
                basalt.focus = b
                try await a.program.end()
                // Another goes on, until something is on its way.
                try await eventually("moves are under way") {
                    try await basalt.client().allocations().items.contains { $0.isStandby }
                }
                let leases = try await basalt.client().cluster().controllers
                let isB = leases.contains { $0.cell == "east" && $0.holder.hasPrefix("b-") }
                basalt.focus = isB ? c : b
                try await (isB ? b : c).program.end()
                try await eventually("the host is empty", within: .seconds(60)) {
                    try await basalt.condition("sim-0")?.status == .yes
                }
                try await basalt.allRun(12)
                let statuses = try await basalt.statuses()
                try #require(statuses.values.allSatisfy { $0.host?.hasPrefix("new-") == true })
                try #require(statuses.values.allSatisfy { $0.restarts == 0 })
                try #require(try await basalt.events(.migrated).count == 12)
                try #require(try await basalt.events(.migrating).count == 12)
                let message = try await basalt.events(.migrating).first?.message
                try #require(message?.contains("host sim-0") == true && message?.contains("first") == true)
                try await basalt.verify(live: 12, starts: 24)
            }
        }

        @Test func processesStopHereAndStartThere() async throws {
            try await Deployment.run(.init(host: 30, cell: 2)) { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                let metal = try await basalt.startProcessAgent("metal")
                try await basalt.hostsReady(1)
                for name in ["one", "two"] {
                    try await basalt.createVM(
                        name,
                        Deployment.spec(milliCPU: 100, memoryMiB: 64) {
                            $0.run = RunSpec(command: ["sh", "-c", "exec sleep 1000"])
                        })
                }
                try await basalt.allRun(2)
                let before = try basalt.processes(of: metal)
                let other = try await basalt.startProcessAgent("other")
                try await basalt.hostsReady(2)
                let label = try await basalt.basalt([
                    "label", "vm", "two", "-p", "shop", "basalt/do-not-migrate=true",
                ])
                try #require(label.status == 0, "\(label.output)")

                _ = try await basalt.client().drain(host: "metal", reason: "fan")
                try await eventually("what may move runs there") {
                    let status = try await basalt.status("one")
                    return status.state == .running && status.host == "other"
                }
                try await eventually("why says what keeps the other") {
                    let why = try await basalt.client().why(vm: "two", project: "shop")
                    return why.stays?.reason == .doNotMigrate && why.state == .running
                }
                try await eventually("the host says so") {
                    try await basalt.condition("metal")?.message.contains("DoNotMigrate") == true
                }
                let free = try await basalt.basalt([
                    "label", "vm", "two", "-p", "shop", "basalt/do-not-migrate-",
                ])
                try #require(free.status == 0, "\(free.output)")
                try await eventually("the host is empty") {
                    try await basalt.condition("metal")?.status == .yes
                }
                try await basalt.allRun(2)
                try #require(before.values.allSatisfy { !$0.command.isAlive })
                try #require(try basalt.processes(of: other).values.count { $0.command.isAlive } == 2)
                try await basalt.verify(live: 2, starts: 4)
            }
        }

        @Test func aDueDrainWaitsForExitsAndUndrainingLeavesEverything() async throws {
            try await Deployment.run(.init(host: 30, cell: 2)) { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.startAgent("sim", hosts: 1)
                try await basalt.hostsReady(1)
                try await basalt.createVMs("web", count: 3)
                try await basalt.allRun(3)
                try await basalt.startAgent("new", hosts: 1)
                try await basalt.hostsReady(2)
                let plan = try await basalt.basalt([
                    "host", "drain", "sim-0", "--reason", "fan", "--within", "6h", "--dry-run",
                ])
                try #require(plan.output.contains("left to end by themselves until"), "\(plan.output)")
                try #require(plan.output.contains("empty hosts: 1 before, 1 after"), "\(plan.output)")
                let drain = try await basalt.basalt([
                    "host", "drain", "sim-0", "--reason", "fan", "--within", "6h", "--yes",
                ])
                try #require(drain.status == 0, "\(drain.output)")
                try await eventually("it waits") {
                    try await basalt.condition("sim-0")?.reason == .waitingForExits
                }
                try await basalt.deleteVM("web-0")
                try await basalt.vmIsGone("web-0")
                try await holds("nothing moves", for: .seconds(1)) {
                    try await basalt.statuses().values.allSatisfy { $0.host == "sim-0" }
                }
                _ = try await basalt.client().undrain(host: "sim-0", reason: "later")
                try await basalt.verify(live: 2, starts: 3)
            }
        }

        @Test func aPoolIsDefragmented() async throws {
            try await Deployment.run(.init(host: 30, cell: 2)) { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.startAgent("sim", hosts: 3)
                try await basalt.hostsReady(3)
                try await basalt.createVM("first", Deployment.spec(milliCPU: 4000))
                let first = try #require(try await basalt.vm("first", is: .running).host)
                _ = try await basalt.client().cordon(host: first, reason: "spread")
                try await basalt.createVM("second")
                let second = try #require(try await basalt.vm("second", is: .running).host)
                _ = try await basalt.client().uncordon(host: first, reason: "spread")
                try #require(first != second)

                let rules = DefragmentationRules(
                    mode: .advise, targetEmptyPerMille: 600, marginPerMille: 0, afterMinutes: 0)
                let pool = PoolSpec(cell: "east", admits: [.vm], defragmentation: rules)
                try await basalt.replace(.pool, "vms", pool)
                try await eventually("it is advised") {
                    try await basalt.events(.defragmentationAdvised).first?.message.contains(second) == true
                }
                let plan = try await basalt.basalt(["plan", "defrag", "--pool", "vms"])
                try #require(plan.status == 2 && plan.output.contains("empty hosts: 1 before, 2 after"))
                try #require(plan.output.contains("shop/second"), "\(plan.output)")
                try #require(try await basalt.status("second").host == second)

                var enforced = pool
                enforced.defragmentation?.mode = .enforce
                try await basalt.replace(.pool, "vms", enforced)
                try await eventually("it moves") {
                    let status = try await basalt.status("second")
                    return status.state == .running && status.host == first
                }
                try await eventually("the emptied host takes VMs again") {
                    let host = try await basalt.client().get(second, in: Collection(.host))
                    let spec: HostSpec = try host.spec.decoded()
                    return spec.isSchedulable && spec.drain == nil
                }
                try #require(try await basalt.events(.defragmented).count == 1)
                try await basalt.verify(live: 2, starts: 3)
            }
        }
    }
}
