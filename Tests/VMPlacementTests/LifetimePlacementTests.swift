import Fleet
import Testing
import VMPlacement

/// A cell whose VMs say how long they live, in hours since `epoch`.
private struct Timeline {
    var cell: PlacementCell
    private var allocations: [String: ID<Allocation>] = [:]

    init(_ hosts: [HostSnapshot], settings: LifetimeSettings = .init(), spread: Double = 0) {
        cell = PlacementCell(hosts)
        cell.trackLifetimes(settings, model: HintModel(spread: spread), now: epoch)
    }

    static func time(_ hours: Double) -> Timestamp { epoch.advanced(by: .seconds(hours * 3600)) }

    static func request(_ vCPU: Int, lives hours: Double) -> VMRequest {
        var request = makeRequest(vCPU: vCPU, gibibytes: 1)
        request.lifetimeHint = .seconds(hours * 3600)
        return request
    }

    mutating func place(_ name: String, vCPU: Int, lives hours: Double, on host: Int, at time: Double) {
        let request = Self.request(vCPU, lives: hours)
        cell.advance(to: Self.time(time))
        var allocation = makeAllocation(allocations.count + 1, of: request, on: host)
        allocation.createdAt = Self.time(time)
        allocations[name] = allocation.id
        cell.add(
            allocation,
            lifetime: VMLifetime(features: VMFeatures(request), startedAt: Self.time(time)))
    }

    mutating func end(_ name: String, at time: Double) {
        guard let id = allocations[name] else { return }
        cell.remove(allocation: id, endedAt: Self.time(time))
    }

    func id(_ name: String) -> ID<Allocation>? { allocations[name] }

    /// Key of the best host in words, without those before the lifetime's score.
    func key(_ policy: PlacementPolicy, vCPU: Int, lives hours: Double) -> String? {
        let words = cell.explain(Self.request(vCPU, lives: hours), policy: policy).candidates.first?.key
        return words?.first { $0.hasPrefix("lava=") || $0.hasPrefix("extension=") }
    }
}

@Suite struct LavaTests {
    /// The vector of the specification: one host of 10 vCPU, nearly full at 0.9, deadlines of 1.1 times.
    @Test func aHostGoesThroughItsStates() {
        var line = Timeline([makeHost(1, vCPU: 10)])
        func host() -> HostLifetime? { line.cell.lifetime(of: hostID(1)) }
        #expect(host() == HostLifetime())
        line.place("a", vCPU: 5, lives: 50, on: 1, at: 0)
        #expect(host()?.state == .open && host()?.class == .days)
        #expect(host()?.deadline == Timeline.time(110))
        line.place("b", vCPU: 4, lives: 50, on: 1, at: 0)
        #expect(
            host()?.state == .recycling
                && host()?.residuals == [line.id("a"), line.id("b")].compactMap { $0 })
        line.cell.advance(to: Timeline.time(1))
        #expect(line.key(.lava, vCPU: 1, lives: 5) == "lava=0.1 (fills a gap of a host 1 class longer)")
        line.place("c", vCPU: 1, lives: 5, on: 1, at: 1)
        #expect(host()?.residuals.count == 2)
        line.end("b", at: 20)
        line.cell.advance(to: Timeline.time(20))
        #expect(host()?.residuals == [line.id("a")].compactMap { $0 })
        #expect(line.key(.lava, vCPU: 3, lives: 50)?.hasPrefix("lava=2.") == true)
        #expect(line.key(.lava, vCPU: 3, lives: 0.5) == "lava=0.2 (fills a gap of a host 2 classes longer)")
        line.end("a", at: 30)
        #expect(host()?.state == .recycling && host()?.class == .hours)
        #expect(host()?.residuals == [line.id("c")].compactMap { $0 })
        #expect(host()?.deadline == Timeline.time(41))
        line.cell.advance(to: Timeline.time(41))
        #expect(host()?.class == .hours)
        line.cell.advance(to: Timeline.time(41.01))
        #expect(host()?.class == .days && host()?.deadline == Timeline.time(151.01))
        line.end("c", at: 42)
        #expect(host() == HostLifetime())
    }

    @Test func anEmptyHostComesAfterEveryHostInUse() {
        var line = Timeline([makeHost(1), makeHost(2)])
        line.place("a", vCPU: 1, lives: 0.5, on: 2, at: 0)
        line.cell.advance(to: epoch)
        #expect(line.cell.hostName(for: Timeline.request(1, lives: 99), .lava) == "h-2")
        #expect(line.cell.hostName(for: Timeline.request(1, lives: 99), .nilas) == "h-2")
    }

    @Test func aHostThatIsRestoredIsAsItWas() {
        var line = Timeline([makeHost(1, vCPU: 10)])
        line.place("a", vCPU: 9, lives: 50, on: 1, at: 0)
        line.place("b", vCPU: 1, lives: 5, on: 1, at: 1)
        line.end("a", at: 2)
        line.cell.advance(to: Timeline.time(2))
        let kept = line.cell.lifetime(of: hostID(1))
        #expect(kept?.class == .hours && kept?.state == .recycling)
        var again = line.cell
        again.trackLifetimes(
            .init(), model: HintModel(spread: 0), now: Timeline.time(2), kept: [hostID(1): kept ?? .init()])
        #expect(again.lifetime(of: hostID(1)) == kept)
        // Without it, the class is that of the present exit, and a host that is not full is open.
        again.trackLifetimes(.init(), model: HintModel(spread: 0), now: Timeline.time(5.5))
        let rebuilt = again.lifetime(of: hostID(1))
        #expect(rebuilt?.state == .open && rebuilt?.class == .minutes)
    }

    @Test func aVMThatMovedInCountsByWhatIsLeftOfIt() {
        var line = Timeline([makeHost(1)])
        line.cell.advance(to: Timeline.time(45))
        let request = Timeline.request(1, lives: 50)
        line.cell.add(
            makeAllocation(9, of: request, on: 1),
            lifetime: VMLifetime(features: VMFeatures(request), startedAt: epoch))
        #expect(line.cell.lifetime(of: hostID(1))?.class == .hours)
        #expect(line.cell.lifetime(of: hostID(1))?.deadline == Timeline.time(45 + 11))
    }

    /// It falls below .65 and rises at .68.
    @Test func theGateDoesNotFlutter() {
        var line = Timeline([makeHost(1), makeHost(2)])
        line.place("long", vCPU: 8, lives: 60, on: 2, at: 0)
        func judge(_ count: Int, right: Bool, _ name: String, _ line: inout Timeline) {
            for number in 0..<count {
                line.place("\(name)\(number)", vCPU: 1, lives: right ? 0.01 : 50, on: 2, at: 0)
                line.end("\(name)\(number)", at: 0.01)
            }
        }
        func usesClasses(_ line: Timeline) -> Bool {
            line.key(.gatedLava, vCPU: 1, lives: 0.5)?.hasPrefix("lava=") == true
        }
        judge(66, right: false, "a", &line)
        judge(134, right: true, "b", &line)
        #expect(line.cell.classAccuracy?.share == 0.67 && !usesClasses(line))
        judge(10, right: true, "c", &line)
        #expect(usesClasses(line))
        judge(10, right: false, "d", &line)
        #expect(line.cell.classAccuracy?.share.map { $0 < 0.68 && $0 >= 0.65 } == true && usesClasses(line))
        judge(6, right: false, "e", &line)
        #expect(!usesClasses(line))
    }

    @Test func theGateOpensWhenClassesAreRight() {
        var line = Timeline([makeHost(1), makeHost(2)])
        line.place("short", vCPU: 1, lives: 0.2, on: 1, at: 0)
        line.place("long", vCPU: 8, lives: 60, on: 2, at: 0)
        #expect(line.key(.gatedLava, vCPU: 1, lives: 0.5) == nil)
        for number in 0..<ClassAccuracy.leastEnds {
            line.place("n\(number)", vCPU: 1, lives: 0.01, on: 2, at: 0)
            line.end("n\(number)", at: 0.01)
        }
        #expect(line.cell.classAccuracy?.share == 1)
        #expect(line.key(.gatedLava, vCPU: 1, lives: 0.5)?.hasPrefix("lava=") == true)
        for number in 0..<ClassAccuracy.leastEnds {
            line.place("m\(number)", vCPU: 1, lives: 50, on: 2, at: 0.01)
            line.end("m\(number)", at: 0.02)
        }
        #expect(line.cell.classAccuracy?.share == 0.5)
        #expect(line.key(.gatedLava, vCPU: 1, lives: 0.5)?.hasPrefix("extension=") == true)
        for number in 0..<ClassAccuracy.leastEnds {
            line.place("w\(number)", vCPU: 1, lives: 50, on: 2, at: 0.02)
            line.end("w\(number)", at: 0.03)
        }
        #expect(line.key(.gatedLava, vCPU: 1, lives: 0.5) == nil)
        #expect(line.key(.lava, vCPU: 1, lives: 0.5)?.hasPrefix("lava=") == true)
        // A week later nothing is known any more.
        line.place("late", vCPU: 1, lives: 0.01, on: 2, at: 170)
        line.end("late", at: 170.01)
        #expect(line.cell.classAccuracy?.share == nil)
    }
}

@Suite struct NilasTests {
    @Test func aVMGoesWhereItExtendsNothing() {
        var line = Timeline([makeHost(1), makeHost(2)])
        line.place("fuller", vCPU: 32, lives: 2, on: 1, at: 0)
        line.place("longer", vCPU: 4, lives: 20, on: 2, at: 0)
        line.cell.advance(to: epoch)
        #expect(line.cell.hostName(for: Timeline.request(1, lives: 1), .nilas) == "h-1")
        #expect(line.cell.hostName(for: Timeline.request(1, lives: 10), .nilas) == "h-2")
        #expect(line.cell.hostName(for: Timeline.request(1, lives: 10), .bestFit) == "h-1")
        // 23 h is 3 h past the end of one and 21 h past that of the other.
        #expect(line.key(.nilas, vCPU: 1, lives: 22) == "extension=2 (1 h to 3 h past the host's end)")
        #expect(line.key(.nilas, vCPU: 1, lives: 20.2) == "extension=0 (at most 30 min past the host's end)")
        #expect(line.key(.laBinaryRepredict, vCPU: 1, lives: 20.2)?.hasPrefix("extension=1") == true)
        #expect(line.key(.laBinary, vCPU: 1, lives: 20) == "extension=0 (ends with the host)")
    }

    @Test func anExitThatPassedIsPredictedAnew() {
        var line = Timeline([makeHost(1)], spread: 1)
        line.place("a", vCPU: 4, lives: 1, on: 1, at: 0)
        line.cell.advance(to: epoch)
        let first = line.cell.lifetime(of: hostID(1))?.exit
        #expect(first == Timestamp(microseconds: epoch.microseconds + 5_935_396_575))
        let asked = line.cell.lifetimePredictions
        line.cell.advance(to: Timeline.time(1.6))
        #expect(line.cell.lifetime(of: hostID(1))?.exit == first && line.cell.lifetimePredictions == asked)
        line.cell.advance(to: Timeline.time(4))
        let later = line.cell.lifetime(of: hostID(1))?.exit
        #expect(later.map { abs($0.since(Timeline.time(4)).inSeconds / 3600 - 2.960) < 0.001 } == true)
        #expect(line.cell.lifetimePredictions == asked + 1)
    }

    @Test func comingsAndGoingsMakeTheExitUnknown() {
        var line = Timeline([makeHost(1)])
        line.place("a", vCPU: 4, lives: 10, on: 1, at: 0)
        #expect(line.cell.lifetime(of: hostID(1))?.exit == nil)
        line.cell.advance(to: Timeline.time(1))
        #expect(line.cell.lifetime(of: hostID(1))?.exit == Timeline.time(10))
        line.place("b", vCPU: 4, lives: 20, on: 1, at: 1)
        line.cell.advance(to: Timeline.time(2))
        #expect(line.cell.lifetime(of: hostID(1))?.exit == Timeline.time(21))
        line.end("b", at: 3)
        #expect(line.cell.lifetime(of: hostID(1))?.exit == nil)
        line.cell.advance(to: Timeline.time(3))
        #expect(line.cell.lifetime(of: hostID(1))?.exit == Timeline.time(10))
    }

    @Test func aFullHostIsPredictedOnceItHasRoom() {
        var line = Timeline([makeHost(1, vCPU: 8)])
        line.place("a", vCPU: 4, lives: 10, on: 1, at: 0)
        line.place("b", vCPU: 4, lives: 5, on: 1, at: 0)
        let asked = line.cell.lifetimePredictions
        line.cell.advance(to: Timeline.time(1))
        #expect(line.cell.lifetimePredictions == asked)
        line.end("b", at: 2)
        line.cell.advance(to: Timeline.time(2))
        #expect(line.cell.lifetime(of: hostID(1))?.exit == Timeline.time(10))
    }

    @Test func aPolicyWithoutLifetimesIsBestFit() {
        let cell = PlacementCell([makeHost(1), makeHost(2)], [makeAllocation(1, of: makeRequest(), on: 2)])
        for policy in PlacementPolicy.allCases where policy.needsLifetimes {
            #expect(
                cell.explain(makeRequest(), policy: policy) == cell.explain(makeRequest(), policy: .bestFit))
        }
        var idle = cell
        idle.advance(to: epoch)
        #expect(idle.lifetime(of: hostID(1)) == nil && idle.lifetimePredictions == 0)
    }

    @Test func aBatchSeesTheExitsThatItsOwnVMsMake() {
        var cell = PlacementCell([makeHost(1), makeHost(2)])
        cell.trackLifetimes(.init(), model: HintModel(spread: 0), now: epoch)
        var pending = [makeRequest(1, vCPU: 60), makeRequest(2, vCPU: 40), makeRequest(3, vCPU: 2)]
        for (index, hours) in [10.0, 50, 40].enumerated() {
            pending[index].lifetimeHint = .seconds(hours * 3600)
            pending[index].queuedAt = epoch.advanced(by: .seconds(index))
        }
        let now = epoch.advanced(by: .seconds(60))
        let plan = VMPlacementPlanner.plan(
            on: &cell, pending: pending, inputs: .init(policy: .nilas, now: now), ids: CountingIDs())
        // Best fit would put the last on the first host, which is fuller.
        let hosts = plan.groups.flatMap(\.directives).compactMap { directive -> ID<Document>? in
            guard case .allocate(let directive) = directive else { return nil }
            return directive.allocation.host
        }
        #expect(hosts == [hostID(1), hostID(2), hostID(2)])
    }
}

@Suite struct WasteTests {
    @Test func theHostWhoseLeftoverIsUsableWins() {
        let usual = makeRequest(vCPU: 4, gibibytes: 16)
        let cell = PlacementCell(
            [makeHost(1, vCPU: 10, gibibytes: 40), makeHost(2, vCPU: 16, gibibytes: 64)],
            [makeAllocation(1, of: usual, on: 1), makeAllocation(2, of: usual, on: 2)])
        let request = makeRequest(5, vCPU: 4, gibibytes: 16)
        // The first would be left with 2 vCPU and 8 GiB, too little for the usual size; the second with twice
        // that size.
        #expect(cell.hostName(for: request, .bestFit) == "h-1")
        #expect(cell.hostName(for: request, .waste) == "h-2")
        let key = cell.explain(request, policy: .waste).candidates.first?.key
        #expect(key?.contains("waste=0/255") == true)
    }
}

/// What `tight-lava` does otherwise than `lava`.
@Suite struct TightLavaTests {
    private static let settings = LifetimeSettings(ladder: .fine)

    private static func fourSmall(_ host: Int, from first: Int) -> [Allocation] {
        (0..<4).map { makeAllocation(first + $0, of: makeRequest(vCPU: 1, gibibytes: 2), on: host) }
    }

    @Test func cpuIsNotLeftWithoutMemory() {
        var cell = PlacementCell(
            [makeHost(1, vCPU: 8, gibibytes: 16), makeHost(2, vCPU: 8, gibibytes: 32)],
            Self.fourSmall(1, from: 1) + Self.fourSmall(2, from: 11))
        cell.trackLifetimes(Self.settings, model: HintModel(spread: 0), now: epoch)
        cell.advance(to: epoch)
        let fat = makeRequest(vCPU: 1, gibibytes: 8)
        #expect(cell.hostName(for: fat, .lava) == "h-1")
        #expect(cell.hostName(for: fat, .tightLava) == "h-2")
        let keys = cell.explain(fat, policy: .tightLava).candidates.map { $0.key[2] }
        // Three of the eight vCPUs of h-1 would be left without memory.
        #expect(keys == ["strandedCPU=0", "strandedCPU=+3/8"])
        let none = PlacementCell([makeHost(1, vCPU: 8, gibibytes: 16)])
        #expect(none.hostName(for: fat, .tightLava) == "h-1")
    }

    @Test func hostsWhoseVMsLeaveSoonAreFilled() {
        var line = Timeline([makeHost(1), makeHost(2)], settings: Self.settings)
        line.place("stays", vCPU: 4, lives: 50, on: 1, at: 0)
        line.place("leaves", vCPU: 4, lives: 19, on: 2, at: 0)
        line.cell.advance(to: Timeline.time(14))
        let request = Timeline.request(4, lives: 4)
        #expect(line.cell.hostName(for: request, .lava) == "h-1")
        #expect(line.cell.hostName(for: request, .tightLava) == "h-2")
        let key = line.cell.explain(request, policy: .tightLava).candidates.first?.key
        #expect(key?.dropFirst(2).first == "strandedCPU=0")
        #expect(key?.contains { $0.hasPrefix("lava=2.0 ") } == true)
        // (64 − 8) / 64 + 2 · (192 − 2) / 192, and a fifth of 5 h of the class's 18 of (4 / 64 + 2 / 192).
        #expect(key?.contains("tightFit=2.858") == true, "\(key ?? [])")
    }

    @Test func aClassFollowsTheExitOfItsHost() {
        var line = Timeline([makeHost(1, vCPU: 10)], settings: Self.settings)
        func host() -> HostLifetime? { line.cell.lifetime(of: hostID(1)) }
        line.place("a", vCPU: 9, lives: 50, on: 1, at: 0)
        #expect(host()?.state == .recycling && host()?.class == .weeks)
        line.place("b", vCPU: 1, lives: 100, on: 1, at: 0)
        line.end("a", at: 1)
        // One class down it would end before the VM that is left does.
        #expect(host()?.class == .weeks && host()?.deadline == Timeline.time(1 + 1.1 * 108))
        line.cell.advance(to: Timeline.time(120))
        // The VM has outlived what was said of it; what is left of it now makes no longer class.
        #expect(host()?.class == .weeks && host()?.deadline == Timeline.time(120 + 1.1 * 108))
        line.end("b", at: 121)
        #expect(host() == HostLifetime())
    }

    @Test func theFineLadderHasFiveClasses() {
        let classes = [0.4, 0.5, 2.9, 3, 17, 18, 107, 108, 1000].map { hours in
            var line = Timeline([makeHost(1)], settings: LifetimeSettings(cap: nil, ladder: .fine))
            line.place("a", vCPU: 1, lives: hours, on: 1, at: 0)
            return line.cell.lifetime(of: hostID(1))?.class?.rawValue
        }
        #expect(classes == [1, 2, 2, 3, 3, 4, 4, 5, 5])
    }

    /// What was written of hosts by other classes is not taken for these.
    @Test func classesOfAnotherLadderAreForgotten() throws {
        var line = Timeline([makeHost(1)])
        line.place("a", vCPU: 1, lives: 5, on: 1, at: 0)
        let trial = line.cell.lifetimeTrial
        let taken = line.cell.takeLifetimeNotes(at: trial, for: [hostID(1)], limit: 1)
        let notes = try #require(taken)
        let memory = LifetimeMemory(
            cell: notes.cell, hosts: notes.hosts.mapValues { .init(kept: $0, arrivals: []) })
        let model = HintModel(spread: 0)
        #expect(line.cell.lifetimeLadder == .paper)
        line.cell.trackLifetimes(Self.settings, model: model, now: Timeline.time(1), memory: memory)
        #expect(line.cell.lifetimeLadder == .fine)
        #expect(line.cell.lifetime(of: hostID(1))?.class == .days)
        line.cell.trackLifetimes(.init(), model: model, now: Timeline.time(1), memory: memory)
        #expect(line.cell.lifetime(of: hostID(1))?.class == .hours)
    }
}
