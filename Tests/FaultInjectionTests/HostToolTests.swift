import FaultInjection
import FaultLab
import Foundation
import Shim
import Testing

/// Tools of the machine: what the probe says they can do is done, and what it says they cannot is refused.
@Suite(.serialized)
struct HostToolTests {
    /// The status and the output of a command.
    private static func run(_ words: [String]) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = words
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }

    @Test func theProbeSaysWhatTheMachineDoes() async throws {
        let found = await CapabilityProbe.run()
        #expect(found.map(\.name) == HostCapability.Name.allCases)
        func isAvailable(_ name: HostCapability.Name) -> Bool {
            found.first { $0.name == name }?.isAvailable == true
        }
        let netem = try Self.run([
            "unshare", "-n", "tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1ms",
        ])
        #expect(isAvailable(.netem) == (netem.status == 0), "\(netem.output)")
        for (name, tool) in [(HostCapability.Name.packetFilter, "iptables"), (.stress, "stress-ng")] {
            let which = try Self.run(["sh", "-c", "PATH=$PATH:/usr/sbin:/sbin command -v \(tool)"])
            #expect(isAvailable(name) == (which.status == 0), "\(tool)")
        }
        #expect(found.allSatisfy { !$0.detail.isEmpty && !$0.kinds.isEmpty })
    }

    @Test func theDoctorTellsOfTheMachine() async throws {
        let bench = try Bench("probe")
        defer { try? bench.end() }
        let doctor = try Self.run([
            try Bench.executable("basalt-injector"), "doctor", "--state-directory", bench.state,
        ])
        #expect(doctor.status == 0)
        for name in HostCapability.Name.allCases {
            #expect(
                doctor.output.contains("can \(name.rawValue): ")
                    || doctor.output.contains("cannot \(name.rawValue): "))
        }
    }

    // MARK: Interfaces

    private static let link = FaultTarget(.link, "l")

    /// A namespace with a loopback, where the machine lets one be made.
    private static func withNamespace(
        _ name: String, _ body: (Bench, _ namespace: String) async throws -> Void
    ) async throws {
        let namespace = "basalt-\(name)-\(getpid())"
        guard try run(["ip", "netns", "add", namespace]).status == 0 else { return }
        defer { _ = try? run(["ip", "netns", "del", namespace]) }
        try #require(try run(["ip", "-n", namespace, "link", "set", "lo", "up"]).status == 0)
        let bench = try Bench(name)
        defer { try? bench.end() }
        try bench.write([
            .init(target: link, interface: .init(device: "lo", namespace: namespace))
        ])
        try await body(bench, namespace)
    }

    /// Whether a packet comes back: a port that nobody listens on refuses at once.
    private static func isOpen(_ namespace: String) throws -> Bool {
        try run([
            "ip", "netns", "exec", namespace, "timeout", "1", "bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/9",
        ]).status == 1
    }

    @Test func anInterfaceIsCutOffUntilTheLeaseIsOver() async throws {
        guard await CapabilityProbe.probe(.disciplines).isAvailable else { return }
        try await Self.withNamespace("cut") { bench, namespace in
            try #require(try Self.isOpen(namespace))
            #expect(try await bench.inject(.linkPartition, Self.link) == 0)
            #expect(try !Self.isOpen(namespace))
            // Somebody's own rules are not written over.
            #expect(try await bench.inject(.kvLinkDegraded, Self.link) == 1)
            try await bench.heal()
            #expect(try Self.isOpen(namespace))
            #expect(
                try !Self.run(["tc", "-n", namespace, "qdisc", "show", "dev", "lo"]).output.contains("ba5a:"))
        }
    }

    @Test(arguments: EndPoint.allCases)
    func anInterfaceIsOpenAgainThoughTheInjectorIsKilled(_ end: EndPoint) async throws {
        guard await CapabilityProbe.probe(.disciplines).isAvailable else { return }
        try await Self.withNamespace("k\(end.rawValue.prefix(4))") { bench, namespace in
            let isEarly = [EndPoint.reverting, .undone, .removed].contains(end)
            let status = try await bench.inject(
                .kvLinkDegraded, Self.link, lease: 1,
                more: ["--end-at", end.rawValue] + (isEarly ? ["--take-back-after", "0"] : []))
            #expect(status == 137)
            let killed = ContinuousClock.now
            try await eventually("the kernel's own discipline is there", within: .seconds(60)) {
                let shown = try Self.run(["tc", "-n", namespace, "qdisc", "show", "dev", "lo"]).output
                return try bench.armings().isEmpty && !shown.contains("ba5a:")
            }
            #expect(ContinuousClock.now - killed < .seconds(1 + 10))
        }
    }

    /// With a kernel that has no network emulator nothing happens and nothing is left.
    @Test func whatTheKernelLacksIsRefused() async throws {
        let canDelay = await CapabilityProbe.probe(.netem).isAvailable
        try await Self.withNamespace("netem") { bench, namespace in
            let status = try await bench.inject(.linkDelay, Self.link, more: ["--delay-seconds", "0.3"])
            #expect((status == 0) == canDelay)
            let began = ContinuousClock.now
            #expect(try Self.isOpen(namespace))
            if canDelay { #expect(ContinuousClock.now - began > .seconds(0.3)) }
            try await bench.heal()
            #expect(try bench.armings().isEmpty)
        }
    }

    // MARK: Control groups

    /// The first hierarchy in which a group that can be frozen may be made.
    private static func group(_ name: String) -> String? {
        ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/freezer"].lazy
            .map { "\($0)/basalt-\(name)-\(getpid())" }
            .first { path in
                guard mkdir(path, 0o700) == 0 else { return false }
                let files = FileManager.default
                if files.fileExists(atPath: path + "/cgroup.freeze")
                    || files.fileExists(atPath: path + "/freezer.state")
                {
                    return true
                }
                rmdir(path)
                return false
            }
    }

    private static func isFrozen(_ group: String) -> Bool {
        func read(_ file: String) -> String {
            String(
                decoding: FileManager.default.contents(atPath: "\(group)/\(file)") ?? Data(), as: UTF8.self)
        }
        return read("cgroup.events").contains("frozen 1") || read("freezer.state").hasPrefix("FROZEN")
    }

    @Test(arguments: EndPoint.allCases)
    func aFrozenGroupGoesOnThoughTheInjectorIsKilled(_ end: EndPoint) async throws {
        let name = "freeze-\(end.rawValue)"
        let probe = await CapabilityProbe.probe(.freezer)
        let made = Self.group(name)
        #expect((made != nil) == probe.isAvailable, "\(probe.detail)")
        guard let group = made else { return }
        let bench = try Bench(name)
        defer {
            try? bench.end()
            rmdir(group)
        }
        let child = try bench.start(bench.command)
        try await eventually("the target runs") { bench.running().count == 1 }
        try Data("\(child)\n".utf8).write(to: URL(filePath: group + "/cgroup.procs"))
        try bench.write([.init(target: bench.target, controlGroup: group)])
        let isEarly = [EndPoint.reverting, .undone, .removed].contains(end)
        let status = try await bench.inject(
            .agentHang, bench.target, lease: 1,
            more: ["--end-at", end.rawValue] + (isEarly ? ["--take-back-after", "0"] : []))
        #expect(status == 137)
        let killed = ContinuousClock.now
        if end == .applied || end == .verified || end == .told {
            #expect(try Self.isFrozen(group) || bench.armings().isEmpty)
        }
        try await eventually("it goes on", within: .seconds(60)) {
            try bench.armings().isEmpty && !Self.isFrozen(group)
        }
        #expect(ContinuousClock.now - killed < .seconds(1 + 10))
        #expect(bench.running().count == 1)
    }
}
