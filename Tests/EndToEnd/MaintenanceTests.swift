import APITypes
import Client
import Fleet
import Foundation
import Testing

extension EndToEndTests {
    /// Hosts that are taken out of service on purpose.
    @Suite struct MaintenanceTests {
        @Test func aDrainShowsWhatItWouldDoAndIsTakenBack() async throws {
            try await Deployment.run(.init(host: 30, cell: 2)) { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.startAgent("sim", hosts: 1)
                try await basalt.hostsReady(1)
                try await basalt.createVMs("web", count: 4)
                try await basalt.createVM("big", Deployment.spec(milliCPU: 40_000))
                try await basalt.allRun(5)
                try await basalt.startAgent("new", hosts: 1, ["--shape", "8x192"])
                try await basalt.hostsReady(2)

                let plan = try await basalt.basalt(["host", "drain", "sim-0", "--reason", "fan", "--dry-run"])
                try #require(plan.status == 0, "\(plan.output)")
                try #require(plan.output.contains("4 move, 1 stay"), "\(plan.output)")
                try #require(plan.output.contains("InsufficientCPU"), "\(plan.output)")
                try await holds("nothing moves", for: .seconds(1)) {
                    try await basalt.statuses().values.allSatisfy { $0.host == "sim-0" }
                }

                let drain = try await basalt.basalt([
                    "host", "drain", "sim-0", "--reason", "fan", "--max-parallel", "1", "--yes",
                ])
                try #require(drain.status == 0, "\(drain.output)")
                try await eventually("what can move has moved") {
                    try await basalt.statuses().values.count { $0.host == "new-0" && $0.state == .running }
                        == 4
                }
                let operation = try #require(try await basalt.client().operations().items.first)
                try await eventually("the operation says what is left") {
                    let message = try await basalt.client().operation(operation.id).message
                    return message.contains("1 left") && message.contains("shop/big: NoHostFits")
                }
                try #require(try await basalt.condition("sim-0")?.status == .no)

                let back = try await basalt.basalt(["host", "undrain", "sim-0", "--reason", "fan is fine"])
                try #require(back.status == 0, "\(back.output)")
                try #require(try await basalt.client().operation(operation.id).state == .cancelled)
                try await eventually("the host says so") {
                    try await basalt.condition("sim-0")?.reason == .uncordoned
                }
                try await basalt.createVMs("more", count: 8)
                try await basalt.allRun(13)
                try #require(try await basalt.statuses()["big"]?.restarts == 0)
                try await basalt.verify(live: 13, starts: 17)
            }
        }

        @Test func aDrainStopsWhatIsLeftAtItsDeadline() async throws {
            try await Deployment.run(.init(host: 30, cell: 2)) { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.startAgent("sim", hosts: 1)
                try await basalt.hostsReady(1)
                try await basalt.createVMs("web", count: 2)
                try await basalt.allRun(2)
                let drain = try await basalt.basalt([
                    "host", "drain", "sim-0", "--reason", "fan", "--deadline", "5s", "--at-deadline", "stop",
                    "--monitor", "--yes",
                ])
                try #require(drain.status == 0, "\(drain.output)")
                try #require(drain.output.contains("2 cannot go"), "\(drain.output)")
                try #require(drain.output.contains("succeeded"), "\(drain.output)")
                try #require(try await basalt.condition("sim-0")?.status == .yes)
                try #require(try await basalt.statuses().values.allSatisfy { $0.state == .pending })
                try await basalt.verify(live: 0, starts: 2)
            }
        }

        @Test func aDrainWaitsForItsWindow() async throws {
            try await Deployment.run(.init(host: 30, cell: 2)) { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.startAgent("sim", hosts: 2)
                try await basalt.hostsReady(2)
                try await basalt.createVM("web")
                let host = try #require(try await basalt.vm("web", is: .running).host)
                // The window is one minute, in half a day.
                let later = Date().addingTimeInterval(12 * 3600)
                let start = later.formatted(.iso8601.time(includingFractionalSeconds: false)).prefix(5)
                let hosts = try await basalt.client().get(host, in: Collection(.host))
                var spec: HostSpec = try hosts.spec.decoded()
                spec.maintenance = MaintenanceSpec(
                    windows: [MaintenanceWindow(start: String(start), durationMinutes: 1)])
                try await basalt.replace(.host, host, spec)
                _ = try await basalt.client().drain(host: host, reason: "fan")
                try await eventually("the drain waits") {
                    try await basalt.condition(host)?.reason == .outsideWindow
                }
                try await holds("nothing moves", for: .seconds(2)) {
                    try await basalt.status("web").host == host
                }
                _ = try await basalt.client().drain(host: host, HostVerbRequest(reason: "smoke", force: true))
                try await eventually("it moves") {
                    let status = try await basalt.status("web")
                    return status.state == .running && status.host != host
                }
                try #require(try await basalt.events(.outsideWindow).count == 1)
                try await basalt.verify(live: 1, starts: 2)
            }
        }
    }
}

extension Deployment {
    /// What a host says about its drain.
    func condition(_ host: String) async throws -> Condition? {
        try await self.host(host).conditions.first { $0.type == .drained }
    }

    /// Writes a spec as an operator would.
    func replace(_ kind: Kind, _ name: String, _ spec: some Encodable) async throws {
        let file = directory.appending(path: "\(name).json")
        let draft = WireDraft(
            kind: kind.rawValue, metadata: .init(name: name), spec: try .encoding(spec))
        try JSONEncoder().encode(draft).write(to: file)
        let done = try await basalt(["apply", "-f", file.path])
        try #require(done.status == 0, "\(done.output)")
    }
}
