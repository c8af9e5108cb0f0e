import APITypes
import Client
import Fleet
import Foundation
import NodeAgent
import PostgresClient
import Testing

extension EndToEndTests {
    /// A database that was restored from a backup older than what runs.
    @Suite struct RestoreTests {
        /// How the epoch comes to be raised.
        enum Way: String, CaseIterable {
            /// On a new server: the first controller finds out by itself.
            case newServer
            /// Into the same server, by `basaltd restore-epoch`.
            case byHand
        }

        private static let backedUp = 24
        private static let late = 50

        @Test(arguments: Way.allCases)
        func aRestoredDatabaseStopsNothing(_ way: Way) async throws {
            // The restore takes less than a lease, so that what stops without contact goes on as well.
            try await Deployment.run(.init(host: 60, cell: 2, quarantine: 15)) { basalt in
                let a = try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.startAgent("sim", hosts: 6)
                try await basalt.hostsReady(6)
                try await basalt.createVMs("keep", count: Self.backedUp - 4)
                try await basalt.createVMs("stop", count: 4, Deployment.spec { $0.onPartition = .stop })
                try await basalt.allRun(Self.backedUp)
                let backup = basalt.directory.appending(path: "backup.sql")
                try await basalt.dumpDatabase(to: backup)
                try await basalt.createVMs("late", count: Self.late)
                try await basalt.allRun(Self.backedUp + Self.late)
                let vms = Collection(.vm, project: "shop")
                let version = try await basalt.client().list(vms).resourceVersion

                let stopped = ContinuousClock.now
                a.program.signal(SIGTERM)
                try #require(try await a.program.waitForExit() == 0)
                if way == .newServer {
                    try await basalt.stopDatabase(.fast)
                    try await basalt.replaceDatabase()
                }
                try await basalt.restoreDatabase(from: backup)
                if way == .byHand {
                    let raised = try await basalt.basaltd([
                        "restore-epoch", "--data-directory", basalt.dataDirectory.path,
                        "--quarantine-seconds", "\(basalt.leases.quarantine)",
                    ])
                    try #require(raised.status == 0, "\(raised.output)")
                }
                try await basalt.startController("a")
                try await basalt.hostsReady(6)
                basalt.note(
                    "restore (\(way.rawValue)), until every host said what it runs",
                    ContinuousClock.now - stopped)
                try #require(try await basalt.client().cluster().epoch == 2)
                try await Self.everythingGoesOn(basalt)
                let expired = await #expect(throws: ClientError.self) {
                    try await basalt.client().changes(in: vms, after: version, wait: .seconds(1))
                }
                try #require(expired?.problem?.status == 410)
                try await Self.quarantinedAreResolved(basalt)
            }
        }

        /// What was backed up runs as before; what came later is found and counted.
        private static func everythingGoesOn(_ basalt: Deployment) async throws {
            try await eventually("what came later is quarantined") {
                let live = try await basalt.liveAllocations().values.flatMap { $0 }
                return live.count { $0.quarantined } == late
            }
            try await basalt.allRun(backedUp)
            try #require(try await basalt.statuses().values.allSatisfy { $0.restarts == 0 })
            let used = try await basalt.client().cluster().cells.reduce(0) { $0 + $1.used.milliCPU }
            try #require(used == (backedUp + late) * 1000)
            // New work starts meanwhile.
            try await basalt.createVM("new")
            try await basalt.vm("new", is: .running)
            try await eventually("the time of caution is over", within: .seconds(40)) {
                try await !basalt.events(.quarantineEnded).isEmpty
            }
            try await basalt.allRun(backedUp + 1)
            try #require(try basalt.journal().allSatisfy { $0.event != .stop })
            try #require(try await basalt.events(.hostFenced).isEmpty)
        }

        /// Half of them are taken over, the others go.
        private static func quarantinedAreResolved(_ basalt: Deployment) async throws {
            let found = try await basalt.liveAllocations().values.flatMap { $0 }.filter(\.quarantined)
                .sorted { $0.id < $1.id }
            let client = try basalt.client()
            let name = try #require(found.first).workload.name
            let first = try await basalt.basalt(["vm", "adopt", name, "-p", "shop"])
            try #require(first.status == 0, "\(first.output)")
            for allocation in found.dropFirst().prefix(24) {
                _ = try await client.adopt(allocation: allocation.id)
            }
            let last = try #require(found.last)
            let refused = try await basalt.basalt(["allocation", "release", "\(last.id)", "--reason", "test"])
            try #require(refused.status == 5, "\(refused.output)")
            for allocation in found.dropFirst(25) {
                _ = try await client.release(allocation: allocation.id, reason: "test")
            }
            try await basalt.allRun(backedUp + 1 + 25)
            try await eventually("the others have ended") {
                try await basalt.liveAllocations().count == backedUp + 1 + 25
            }
            let stops = try basalt.journal().count { $0.event == .stop }
            try #require(stops == 25)
            try await basalt.verify(live: backedUp + 1 + 25, starts: backedUp + 1 + late)
        }
    }
}
