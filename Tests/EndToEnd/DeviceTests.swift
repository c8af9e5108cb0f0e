import APITypes
import Client
import Fleet
import Foundation
import Testing

extension EndToEndTests {
    /// GPUs that fail, the hosts that are mended for it, and whoever ran there.
    @Suite struct DeviceTests {
        @Test func aFailedDeviceTakesItsHostOutAndBack() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                let logs = basalt.directory.appending(path: "kernel")
                try FileManager.default.createDirectory(at: logs, withIntermediateDirectories: true)
                let flags = [
                    "--gpus", "h100=2", "--kernel-log", logs.appending(path: "{host}.log").path,
                    "--device-seconds", "0.3",
                ]
                let agent = try await basalt.startAgent("sim", hosts: 2, flags)
                try await basalt.hostsReady(2)
                try await basalt.createVM(
                    "gpu", Deployment.spec { $0.devices = [DeviceRequest(model: "h100", count: 1)] })
                try await basalt.vm("gpu", is: .running)
                let home = try #require(try await basalt.status("gpu").host)
                let devices = try await basalt.host(home).inventory.devices
                let held = try #require(
                    try await basalt.client().allocations(ListOptions()).items.first?.devices.first)
                let other = try #require(devices.map(\.uuid).first { $0 != held })

                func say(_ text: String) throws {
                    let file = logs.appending(path: "\(home).log")
                    if !FileManager.default.fileExists(atPath: file.path) { try Data().write(to: file) }
                    let handle = try FileHandle(forWritingTo: file)
                    try handle.seekToEnd()
                    try handle.write(contentsOf: Data((text + "\n").utf8))
                    try handle.close()
                }

                // One that needs a reset takes nothing new, and its host stays.
                try say("NVRM: Xid (PCI:\(other)): 95, pid=7, Uncontained memory error")
                try await eventually("the host says so") {
                    try await basalt.host(home).conditions.contains {
                        $0.type == .devicesHealthy && $0.reason == .deviceDegraded
                    }
                }
                try #require(
                    try await basalt.host(home).inventory.devices.count { $0.health == .degraded } == 1)
                // A restart of the agent forgets nothing and counts nothing twice.
                try await agent.program.end()
                try basalt.startAgent(
                    "sim", state: agent.state, hosts: 2, prefix: "sim",
                    token: basalt.directory.appending(path: "sim.join"), flags)
                try await basalt.hostsReady(2)
                try #require(
                    try await basalt.host(home).inventory.devices.count { $0.health == .degraded } == 1)

                // One that fell off its bus takes the host out; who ran there is moved.
                try say("NVRM: Xid (PCI:\(held)): 79, pid=7, GPU has fallen off the bus.")
                try await eventually("the host is to be mended, and empty") {
                    try await basalt.host(home).conditions.contains {
                        $0.type == .repair && $0.reason == .awaitingRepair
                    }
                }
                try await eventually("the VM runs elsewhere") {
                    let status = try await basalt.status("gpu")
                    return status.state == .running && status.host != home
                }
                let impact = try await basalt.client().impact(host: home)
                let hit = try #require(impact.workloads.first)
                try #require(impact.workloads.count == 1 && hit.name == "gpu" && hit.devices == [held])
                try #require(hit.reason == .deviceFailed && !hit.done.isEmpty)
                try #require(impact.causes.contains { $0.reason == .deviceFailed })
                let told = try await basalt.basalt(["host", "impact", home])
                try #require(told.status == 0 && told.output.contains("DeviceFailed"), "\(told.output)")

                // Mended, it has to show so before it takes workloads again.
                try say("NVRM: Xid (PCI:\(held)): 154, GPU recovery action changed from 0x2 to 0x0 (None)")
                try say("NVRM: Xid (PCI:\(other)): 154, GPU recovery action changed from 0x1 to 0x0 (None)")
                try await eventually("its devices are sound") {
                    try await basalt.host(home).inventory.devices.allSatisfy { $0.health == .healthy }
                }
                _ = try await basalt.client().repaired(host: home, reason: "replaced")
                try await eventually("it is back") {
                    let host = try await basalt.client().get(home, in: Collection(.host))
                    return host.spec["repair"] == nil && host.spec["cordoned"] == nil
                }
                try await eventually("it says so") {
                    try await basalt.events(.repaired).map(\.name) == [home]
                }
                let logged = try await basalt.basalt(["telemetry", "logs", "--component", "control"])
                try #require(logged.status == 0 && logged.output.contains("host repair"), "\(logged.output)")
            }
        }
    }
}
