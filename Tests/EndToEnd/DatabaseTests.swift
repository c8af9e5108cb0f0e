import APITypes
import Client
import Fleet
import Foundation
import NodeAgent
import PostgresClient
import Testing

extension EndToEndTests {
    /// A database that crashes, or is away for long.
    @Suite struct DatabaseTests {
        @Test func nothingIsLostWhenPostgresCrashesUnderLoad() async throws {
            try await Deployment.run(.init(host: 30, cell: 2)) { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.startController("b")
                try await basalt.startAgent("sim", hosts: 6)
                try await basalt.hostsReady(6)
                let client = try basalt.client(retry: .persistent)
                let count = 60
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for lane in 0..<4 {
                        group.addTask {
                            for index in stride(from: lane, to: count, by: 4) {
                                _ = try await client.create(
                                    try Deployment.draft("web-\(index)", Deployment.spec()),
                                    in: Collection(.vm, project: "shop"))
                            }
                        }
                    }
                    for crash in 1...2 {
                        try await eventually("VMs are being made") {
                            try await basalt.statuses().count >= crash * 15
                        }
                        try await basalt.stopDatabase(.immediate)
                        let stopped = ContinuousClock.now
                        try await basalt.startDatabase()
                        try await eventually("requests are served") {
                            try await basalt.client().cluster().controllers.count > 0
                        }
                        basalt.note("crash \(crash) of Postgres, until served", ContinuousClock.now - stopped)
                    }
                    try await group.waitForAll()
                }
                try await basalt.allRun(count)
                try #require(try await basalt.client().allocations(.init()).items.count == count)
                try #require(try await basalt.events(.hostFenced).isEmpty)
                try await basalt.verify(live: count, starts: count)
            }
        }

        @Test func nothingStopsWhilePostgresIsAway() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.startAgent("sim", hosts: 4)
                try await basalt.hostsReady(4)
                try await basalt.createVMs("web", count: 12)
                try await basalt.allRun(12)

                try await basalt.stopDatabase(.fast)
                // Longer than the lease and than fencing takes, and shorter than ten seconds.
                try await holds("nothing stops", for: .seconds(5)) {
                    try basalt.journal().allSatisfy { $0.event != .stop }
                }
                try await basalt.startDatabase()
                let back = ContinuousClock.now
                try await eventually("the leases are extended") {
                    try await !basalt.events(.leaseExtended).isEmpty
                }
                try await basalt.createVM("after")
                try await basalt.vm("after", is: .running)
                basalt.note("first VM after an outage", ContinuousClock.now - back)
                try await basalt.hostsReady(4)
                // Longer than fencing takes.
                try await holds("nothing is fenced or restarted", for: .seconds(5)) {
                    let hosts = try await basalt.client().cluster().cells.reduce(0) { $0 + $1.readyHosts }
                    return hosts == 4
                }
                try #require(try await basalt.events(.hostFenced).isEmpty)
                try #require(try await basalt.statuses().values.allSatisfy { $0.restarts == 0 })
                try #require(try basalt.journal().allSatisfy { $0.event != .stop })
                try await basalt.verify(live: 13, starts: 13)
            }
        }

        @Test func aDevelopmentControlPlaneStartsItsPostgresAgain() async throws {
            try await Deployment.run(.init(host: 30, cell: 2), database: false) { basalt in
                let a = try await basalt.startController("a", ["--dev"])
                try await basalt.makeFleet()
                try await basalt.startAgent("sim", hosts: 2)
                try await basalt.hostsReady(2)
                try await basalt.createVMs("web", count: 4)
                try await basalt.allRun(4)
                for crash in 1...2 {
                    let lock = try String(
                        contentsOf: basalt.dataDirectory.appending(path: "postgres/postmaster.pid"),
                        encoding: .utf8)
                    let postmaster = try #require(
                        lock.split(separator: "\n").first.flatMap { pid_t($0) })
                    try #require(kill(postmaster, SIGKILL) == 0)
                    let killed = ContinuousClock.now
                    try await eventually("a VM is created") {
                        _ = try await basalt.createVM("after-\(crash)")
                        return true
                    }
                    basalt.note("private Postgres killed, until a write", ContinuousClock.now - killed)
                    try await basalt.allRun(4 + crash)
                }
                try #require(a.program.exitStatus == nil)
                try await basalt.verify(live: 6, starts: 6)
            }
        }
    }
}
