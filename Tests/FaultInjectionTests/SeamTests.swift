import FaultInjection
import FaultLab
import FaultSeam
import Foundation
import Shim
import Testing

/// Faults that programs do to themselves, under the same leases as all others.
@Suite(.serialized)
struct SeamTests {
    static let targets: [FaultKind: FaultTarget] = [
        .heartbeatDrop: FaultTarget(.agent, "x"), .clockOffset: FaultTarget(.agent, "x"),
        .wrongInventory: FaultTarget(.agent, "x"), .linkDuplicate: FaultTarget(.link, "x"),
        .vmStartFailure: FaultTarget(.host, "x"), .migrationStuck: FaultTarget(.vm, "v"),
        .straggler: FaultTarget(.job, "j"), .checkpointFailure: FaultTarget(.job, "j"),
        .engineOverload: FaultTarget(.replica, "r"), .kvLinkDegraded: FaultTarget(.replica, "r"),
    ]

    /// All of them through one seam.
    private static func bench(_ name: String) throws -> Bench {
        let bench = try Bench(name)
        let entries = Set(targets.values).sorted().map { target in
            TargetFile.Entry(
                target: target, program: target.component == .agent ? .init(command: bench.command) : nil,
                seams: [bench.seam])
        }
        try bench.write(entries)
        return bench
    }

    /// Each step of the injector's life for what is a file alone, and for what starts a program again as
    /// well; for the others the moment at which all is done and nobody is left to take it back.
    private static let killed: [(FaultKind, EndPoint)] =
        [FaultKind.heartbeatDrop, .wrongInventory].flatMap { kind in EndPoint.allCases.map { (kind, $0) } }
        + targets.keys.sorted().filter { $0 != .heartbeatDrop && $0 != .wrongInventory }.map {
            ($0, EndPoint.applied)
        }

    @Test(arguments: killed)
    func everythingIsTakenBackThoughTheInjectorIsKilled(_ kind: FaultKind, _ end: EndPoint) async throws {
        let bench = try Self.bench("seam-\(kind.rawValue)-\(end.rawValue)")
        defer { try? bench.end() }
        _ = try bench.start(bench.command)
        try await eventually("the target runs") { bench.running().count == 1 }
        let before = try #require(bench.running().first)
        let seam = try FaultSeam(bench.seam)
        let target = try #require(Self.targets[kind])
        // Those that come when it takes the fault back itself, before the sentinel does.
        let isEarly = [EndPoint.reverting, .undone, .removed].contains(end)
        let status = try await bench.inject(
            kind, target, lease: 1,
            more: ["--end-at", end.rawValue] + (isEarly ? ["--take-back-after", "0"] : []))
        #expect(status == 137)
        let killed = ContinuousClock.now
        try await eventually("everything is as before", within: .seconds(60)) {
            try bench.armings().isEmpty && seam.fault(kind) == nil && bench.running().count == 1
        }
        #expect(ContinuousClock.now - killed < .seconds(1 + 10))
        let after = try #require(bench.running().first)
        let isRestarted = kind == .wrongInventory && end != .planned && end != .written
        #expect((after != before) == isRestarted)
        try await eventually("the sentinel ends") { !Presence(bench.state + "/sentinel.lock").isHeld }
    }

    @Test(arguments: targets.keys.sorted())
    func aProgramIsToldUntilTheFaultIsTakenBack(_ kind: FaultKind) async throws {
        let bench = try Self.bench("told-\(kind.rawValue)")
        defer { try? bench.end() }
        _ = try bench.start(bench.command)
        try await eventually("the target runs") { bench.running().count == 1 }
        let seam = try FaultSeam(bench.seam)
        let target = try #require(Self.targets[kind])
        #expect(try await bench.inject(kind, target) == 0)
        try await eventually("it is told") { seam.fault(kind)?.target == target }
        #expect(FaultKind.allCases.allSatisfy { $0 == kind || seam.faults($0).isEmpty })
        try await bench.heal()
        try await eventually("it is over") { seam.fault(kind) == nil }
    }

    /// A fault that nobody does would count as one that was survived.
    @Test func nothingIsInjectedWhereNobodyWatches() async throws {
        let bench = try Self.bench("unwatched")
        defer { try? bench.end() }
        #expect(try await bench.inject(.heartbeatDrop, FaultTarget(.agent, "x")) == 1)
        #expect(try bench.armings().isEmpty)
        do {
            _ = try FaultSeam(bench.seam)
        }
        #expect(try await bench.inject(.heartbeatDrop, FaultTarget(.agent, "x")) == 1)
    }

    /// With the injector and the sentinel gone the program goes by its own clock, and by its own boot.
    @Test func aProgramEndsAFaultByItself() throws {
        let bench = try Self.bench("alone")
        defer { try? bench.end() }
        let time = Minutes()
        let seam = try FaultSeam(bench.seam, bootID: "this", now: { time.now })
        func put(_ boot: String, deadline: Int64) throws {
            let fault = SeamFault(
                kind: .clockOffset, target: FaultTarget(.agent, "x"), parameters: FaultParameters(),
                deadline: deadline, bootID: boot)
            try seam.folder.write(fault, named: boot)
        }
        try put("another", deadline: .max)
        #expect(seam.fault(.clockOffset) == nil)
        try put("this", deadline: 2 * Minutes.length)
        #expect(seam.fault(.clockOffset) == nil, "it looked a moment ago")
        time.pass()
        #expect(seam.fault(.clockOffset) != nil)
        time.pass()
        #expect(seam.fault(.clockOffset) == nil)
        try Data("no fault".utf8).write(to: URL(filePath: seam.folder.file("damaged")))
        time.pass()
        #expect(seam.fault(.clockOffset) == nil)
    }
}

/// A clock that goes on when it is told.
final class Minutes: Sendable {
    static let length: Int64 = 60_000_000
    private let passed = Counter()

    var now: Int64 { passed.value * Self.length }
    func pass() { passed.add() }
}
