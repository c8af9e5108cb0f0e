import FaultInjection
import FaultLab
import Foundation
import Shim
import Testing

/// Real faults on real processes, with injectors that are killed.
@Suite(.serialized)
struct InjectorTests {
    private static let kinds: [FaultKind] = [.agentHang, .agentCrash, .diskFull, .noisyNeighbour]

    /// The injector ends at each step of its life as by `kill -9`, and nobody starts it again: the sentinel
    /// puts everything right when the lease is over.
    @Test(arguments: kinds, EndPoint.allCases)
    func everythingIsTakenBackThoughTheInjectorIsKilled(_ kind: FaultKind, _ end: EndPoint) async throws {
        let bench = try Bench("\(kind.rawValue)-\(end.rawValue)")
        defer { try? bench.end() }
        _ = try bench.start(bench.command)
        try await eventually("the target runs") { bench.running().count == 1 }
        let before = try #require(bench.running().first)
        let fault = "k-\(kind.rawValue.lowercased())-\(end.rawValue)-\(getpid())"
        let lease = 1
        var words = [
            "inject", "--state-directory", bench.state, "--targets", bench.targets, "--name", fault,
            "--kind", kind.rawValue, "--target", kind == .noisyNeighbour ? "host/x" : "agent/x",
            "--lease", "\(lease)", "--end-at", end.rawValue,
        ]
        // Those that come when it takes the fault back itself, before the sentinel does.
        if [.reverting, .undone, .removed].contains(end) { words += ["--take-back-after", "0"] }
        let injector = try bench.injector(words)
        #expect(try await bench.status(of: injector) == 137)
        let killed = ContinuousClock.now
        try await eventually("everything is as before", within: .seconds(60)) {
            try bench.armings().isEmpty && Bench.marked(fault).isEmpty && bench.running().count == 1
                && bench.running().allSatisfy { Bench.state(of: $0) != "T" }
        }
        #expect(ContinuousClock.now - killed < .seconds(lease + 10))
        let after = try #require(bench.running().first)
        if kind == .agentCrash, end != .planned, end != .written {
            #expect(after != before)
        } else {
            #expect(after == before)
        }
        if kind == .diskFull {
            let limits = FileManager.default.contents(atPath: "/proc/\(after.processID)/limits") ?? Data()
            let line = String(decoding: limits, as: UTF8.self).split(separator: "\n")
                .first { $0.hasPrefix("Max file size") }
            #expect(line?.split(separator: " ").dropFirst(3).first == "unlimited")
        }
        try await eventually("the sentinel ends") {
            !Presence(bench.state + "/sentinel.lock").isHeld
        }
    }

    @Test func aFaultIsInEffectUntilItsLeaseIsOver() async throws {
        let bench = try Bench("lease")
        defer { try? bench.end() }
        _ = try bench.start(bench.command)
        try await eventually("the target runs") { bench.running().count == 1 }
        let injector = try bench.injector([
            "inject", "--state-directory", bench.state, "--targets", bench.targets, "--name", "lease",
            "--kind", "agentHang", "--target", "agent/x", "--lease", "2",
        ])
        #expect(try await bench.status(of: injector) == 0)
        let process = try #require(bench.running().first)
        #expect(Bench.state(of: process) == "T")
        #expect(try bench.armings().map(\.fault) == ["lease"])
        try await eventually("it goes on") { Bench.state(of: process) != "T" }
        #expect(try bench.armings().isEmpty)
    }

    /// With the sentinel killed as well nothing is left but the file; the doctor needs no more.
    @Test func theDoctorTakesBackWhatNobodyKeeps() async throws {
        let bench = try Bench("doctor")
        defer { try? bench.end() }
        _ = try bench.start(bench.command)
        try await eventually("the target runs") { bench.running().count == 1 }
        let injector = try bench.injector([
            "inject", "--state-directory", bench.state, "--targets", bench.targets, "--name", "d",
            "--kind", "agentHang", "--target", "agent/x", "--lease", "600",
        ])
        #expect(try await bench.status(of: injector) == 0)
        let program = try Bench.executable("basalt-injector")
        let sentinels = Bench.commands([program, "sentinel", "--state-directory", bench.state])
        #expect(sentinels.count == 1)
        for sentinel in sentinels { kill(sentinel.processID, SIGKILL) }
        let look = try bench.injector(["doctor", "--state-directory", bench.state])
        #expect(try await bench.status(of: look) == 2)
        let process = try #require(bench.running().first)
        #expect(Bench.state(of: process) == "T")
        let fix = try bench.injector(["doctor", "--fix", "--state-directory", bench.state])
        #expect(try await bench.status(of: fix) == 0)
        #expect(Bench.state(of: process) != "T")
        #expect(try bench.armings().isEmpty)
    }

    @Test func whatIsProtectedIsRefusedHereAsWell() async throws {
        let bench = try Bench("protected")
        defer { try? bench.end() }
        _ = try bench.start(bench.command)
        let entry = TargetFile.Entry(
            target: bench.target, labels: [InjectorTarget.protectedLabel: "true"],
            program: .init(command: bench.command))
        try JSONEncoder().encode(TargetFile(targets: [entry])).write(to: URL(filePath: bench.targets))
        let injector = try bench.injector([
            "inject", "--state-directory", bench.state, "--targets", bench.targets, "--name", "p",
            "--kind", "agentHang", "--target", "agent/x", "--lease", "9",
        ])
        #expect(try await bench.status(of: injector) == 1)
        #expect(try bench.armings().isEmpty)
        #expect(bench.running().allSatisfy { Bench.state(of: $0) != "T" })
    }
}
