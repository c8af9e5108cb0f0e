import FaultLab
import Fleet
import Testing

/// What the book of faults allows, and what it has injectors do.
struct FaultBookTests {
    private let start = Timestamp(seconds: 1000)

    private func targets(_ count: Int, protecting: Set<Int> = []) -> [InjectorTarget] {
        (0..<count).map { index in
            InjectorTarget(
                target: FaultTarget(.agent, "a-\(index)"), hosts: ["h-\(index)"],
                labels: protecting.contains(index)
                    ? [InjectorTarget.protectedLabel: "true"] : ["rack": index < 2 ? "r0" : "r1"],
                kinds: [.agentHang, .agentCrash])
        }
    }

    private func book(_ count: Int = 4, protecting: Set<Int> = []) -> FaultBook {
        var book = FaultBook()
        _ = book.exchange("i", report(targets(count, protecting: protecting)), at: start)
        return book
    }

    private func report(_ targets: [InjectorTarget], _ reports: [TargetReport] = []) -> InjectorReport {
        InjectorReport(targets: targets, reports: reports)
    }

    private func spec(_ names: [Int], radius: Int = 1, lease: Int = 30) -> FaultSpec {
        FaultSpec(
            kind: .agentHang, selector: TargetSelector(names: names.map { FaultTarget(.agent, "a-\($0)") }),
            leaseSeconds: lease, blastRadius: radius)
    }

    private func told(_ fault: String, _ target: Int, _ phase: TargetPhase, round: Int = 1) -> TargetReport {
        TargetReport(fault: fault, target: FaultTarget(.agent, "a-\(target)"), round: round, phase: phase)
    }

    private func refusal(_ body: () throws(FaultRefusal) -> Void) -> FaultRefusal.Code? {
        do throws(FaultRefusal) { try body() } catch { return error.code }
        return nil
    }

    @Test func aFaultGoesThroughItsStates() throws {
        var book = book()
        let made = try book.create("f", spec([1]), actor: "user/a", at: start)
        #expect(made.state == .planned)
        #expect(book.orders(for: "i").orders.map(\.target.name) == ["a-1"])
        #expect(book.orders(for: "other").orders.isEmpty)
        _ = book.exchange("i", report(targets(4), [told("f", 1, .injecting)]), at: start)
        #expect(book.faults["f"]?.state == .arming)
        let during = book.exchange("i", report(targets(4), [told("f", 1, .injected)]), at: start)
        #expect(book.faults["f"]?.state == .active && during.orders.count == 1)
        #expect(book.faults["f"]?.targets[0].deadline == start.advanced(by: .seconds(30)))
        _ = try book.abort("f", reason: "enough", at: start)
        #expect(book.orders(for: "i").orders.isEmpty)
        #expect(book.faults["f"]?.state == .recovering)
        _ = book.exchange("i", report(targets(4), [told("f", 1, .recovered)]), at: start)
        let over = try #require(book.faults["f"])
        #expect(over.state == .recovered && over.finishedAt == start && over.reason == "enough")
        // A late word changes nothing.
        _ = book.exchange("i", report(targets(4), [told("f", 1, .injected)]), at: start)
        #expect(book.faults["f"] == over)
    }

    @Test func theUnionOfAllFaultsStaysWithinEveryRadius() throws {
        var book = book()
        _ = try book.create("wide", spec([0, 1], radius: 3), actor: "u", at: start)
        // The newcomer's own radius.
        #expect(
            refusal { () throws(FaultRefusal) in
                _ = try book.create("narrow", spec([2], radius: 2), actor: "u", at: start)
            } == .blastRadius)
        _ = try book.create("third", spec([2], radius: 4), actor: "u", at: start)
        // That of one which runs.
        #expect(
            refusal { () throws(FaultRefusal) in
                _ = try book.create("fourth", spec([3], radius: 9), actor: "u", at: start)
            } == .blastRadius)
        #expect(
            refusal { () throws(FaultRefusal) in
                _ = try book.create("twice", spec([2], radius: 9), actor: "u", at: start)
            } == .busy)
    }

    @Test func protectedTargetsAreNeverHit() throws {
        var book = book(3, protecting: [0, 1])
        #expect(
            refusal { () throws(FaultRefusal) in
                _ = try book.create("f", spec([0]), actor: "u", at: start)
            } == .protected)
        var all = spec([], radius: 9)
        all.selector = TargetSelector(component: "agent")
        #expect(try book.create("f", all, actor: "u", at: start).targets.map(\.target.name) == ["a-2"])
    }

    @Test func selectorsChooseByLabelsAndLimits() throws {
        let book = book()
        var some = spec([], radius: 9)
        some.selector = TargetSelector(labels: ["rack": "r0"])
        #expect(try book.plan("f", some, actor: "u", at: start).targets.count == 2)
        some.selector = TargetSelector(component: "agent", limit: 3)
        #expect(try book.plan("f", some, actor: "u", at: start).targets.count == 3)
        some.selector = TargetSelector(component: "vm")
        #expect(
            refusal { () throws(FaultRefusal) in
                _ = try book.plan("f", some, actor: "u", at: start)
            } == .noTarget)
        // Injectors that are silent are given nothing.
        let later = start.advanced(by: FaultBook.patience + .seconds(1))
        #expect(
            refusal { () throws(FaultRefusal) in
                _ = try book.plan("f", spec([0]), actor: "u", at: later)
            } == .noTarget)
    }

    @Test(arguments: [
        FaultSpec(kind: .agentHang, selector: TargetSelector(component: "agent"), leaseSeconds: 0),
        FaultSpec(kind: .agentHang, selector: TargetSelector(component: "agent"), leaseSeconds: 3601),
        FaultSpec(kind: .agentHang, selector: TargetSelector()),
        FaultSpec(kind: .agentHang, selector: TargetSelector(component: "moon")),
        FaultSpec(kind: .agentHang, selector: TargetSelector(component: "agent"), blastRadius: 0),
        FaultSpec(
            kind: .agentHang, selector: TargetSelector(component: "agent"),
            parameters: FaultParameters(probability: 2)),
    ])
    func whatIsNoSpecificationIsRefused(_ spec: FaultSpec) {
        #expect(
            refusal { () throws(FaultRefusal) in
                _ = try book().plan("f", spec, actor: "u", at: start)
            } == .invalid)
        #expect(
            refusal { () throws(FaultRefusal) in
                _ = try book().plan("No name", self.spec([0]), actor: "u", at: start)
            } == .invalid)
    }

    @Test func theKillSwitchEndsAllAndRefusesUntilLifted() throws {
        var book = book()
        _ = try book.create("f", spec([0], radius: 9), actor: "u", at: start)
        _ = try book.create("waiting", spec([1], radius: 9), actor: "u", at: start)
        _ = book.exchange("i", report(targets(4), [told("f", 0, .injected)]), at: start)
        book.engage(reason: "outage", actor: "u", at: start)
        let orders = book.orders(for: "i")
        #expect(orders.isSwitchedOff && orders.orders.isEmpty)
        #expect(book.faults["f"]?.state == .recovering)
        #expect(book.faults["waiting"]?.isOpen == false)
        #expect(
            refusal { () throws(FaultRefusal) in
                _ = try book.create("g", spec([2], radius: 9), actor: "u", at: start)
            } == .switchedOff)
        book.lift()
        _ = try book.create("g", spec([2], radius: 9), actor: "u", at: start)
        // Lifting brings nothing back.
        #expect(book.orders(for: "i").orders.map(\.fault) == ["g"])
    }

    @Test func aPausedFaultComesBackWithARoundOfItsOwn() throws {
        var book = book()
        _ = try book.create("f", spec([0]), actor: "u", at: start)
        _ = book.exchange("i", report(targets(4), [told("f", 0, .injected)]), at: start)
        _ = try book.pause("f", at: start)
        #expect(book.orders(for: "i").orders.isEmpty)
        _ = book.exchange("i", report(targets(4), [told("f", 0, .recovered)]), at: start)
        #expect(book.faults["f"]?.state == .paused)
        // It keeps its targets to itself.
        #expect(
            refusal { () throws(FaultRefusal) in
                _ = try book.create("g", spec([0]), actor: "u", at: start)
            } == .busy)
        _ = try book.resume("f", at: start)
        #expect(book.orders(for: "i").orders.map(\.round) == [2])
        // A word about the first round is late.
        _ = book.exchange("i", report(targets(4), [told("f", 0, .recovered)]), at: start)
        #expect(book.faults["f"]?.state == .planned)
        _ = book.exchange("i", report(targets(4), [told("f", 0, .injected, round: 2)]), at: start)
        #expect(book.faults["f"]?.state == .active && book.faults["f"]?.targets[0].injectedCount == 2)
    }

    @Test func silenceAfterALeaseLeavesAnOrphan() throws {
        var book = book()
        _ = try book.create("f", spec([0], lease: 30), actor: "u", at: start)
        _ = book.exchange("i", report(targets(4), [told("f", 0, .injected)]), at: start)
        book.judge(at: start.advanced(by: .seconds(40)))
        #expect(book.faults["f"]?.state == .active)
        book.judge(at: start.advanced(by: .seconds(41)))
        #expect(book.faults["f"]?.state == .orphaned)
        // Its word that all is well ends that.
        let later = start.advanced(by: .seconds(60))
        _ = book.exchange("i", report(targets(4), [told("f", 0, .recovered)]), at: later)
        #expect(book.faults["f"]?.state == .recovered && book.faults["f"]?.isOpen == false)
    }

    @Test func aFaultThatGoesTooFarIsEnded() throws {
        var book = book()
        var spec = spec([0])
        spec.abortWhen = AbortCondition(hostsNotReadyAbove: 1)
        _ = try book.create("f", spec, actor: "u", at: start)
        _ = book.exchange("i", report(targets(4), [told("f", 0, .injected)]), at: start)
        book.judge(hostsNotReady: 1, at: start)
        #expect(book.faults["f"]?.state == .active)
        book.judge(hostsNotReady: 2, at: start)
        #expect(book.faults["f"]?.state == .recovering)
        #expect(book.faults["f"]?.reason?.hasPrefix("abort condition") == true)
    }
}
