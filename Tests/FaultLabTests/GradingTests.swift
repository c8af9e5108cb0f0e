import FaultLab
import Fleet
import Testing

@Suite struct GradingTests {
    private let truth = Truth(
        components: ["gpu/h-01/3"].map { ComponentName($0) }, also: [ComponentName("nvlink/h-01/3")],
        systemLevels: [.network], faultTypes: [.networkOrStorage], mechanism: "m")

    private func localised(_ names: String..., truth: Truth? = nil) -> StageGrade {
        .localisation(.localisation(names.map { ComponentName($0) }), truth ?? self.truth)
    }

    @Test func `localisation by AIOpsLab's rule, without its order`() {
        #expect(localised("gpu/h-01/3").score == 1 && localised("GPU/H-01/3 ").isExact == true)
        #expect(localised("nvlink/h-01/3").score == 1)
        // Two names of one thing are one.
        #expect(localised("gpu/h-01/3", "nvlink/h-01/3").isExact == true)
        let broad = localised("host/x", "gpu/h-01/3")
        #expect(broad.score == 0.5 && broad.atOne == 0 && broad.atThree == 1 && broad.isExact == false)
        let late = localised("a/1", "a/2", "a/3", "gpu/h-01/3")
        #expect(late.score == 0.25 && late.atThree == 0)
        #expect(localised("host/h-01").score == 0 && localised("host/h-01").nearby == 0.5)
        #expect(localised().score == 0 && localised().isAnswered)
        var two = truth
        two.components.append(ComponentName("db/table/leases"))
        #expect(localised("gpu/h-01/3", truth: two).score == 0)
        #expect(localised("gpu/h-01/3", truth: two).atThree == 0.5)
        #expect(localised("db/table/leases", "gpu/h-01/3", truth: two).isExact == true)
        #expect(localised("x", truth: .nothing).score == 0 && localised(truth: .nothing).score == 1)
    }

    @Test func `analysis counts level and type by themselves`() {
        func score(_ level: String?, _ type: String?) -> StageGrade {
            .analysis(.analysis(systemLevel: level, faultType: type), truth)
        }
        #expect(score("network", "network/storage issue").score == 1)
        #expect(score("Network", "Code Defect").score == 0.5)
        #expect(score(nil, nil).score == 0)
        // Storage and network are one level there.
        #expect(score("Storage", "x").levelIsRightInAIOpsLab == true && score("Storage", "x").score == 0)
    }

    @Test func `always saying the same is worth half`() {
        let right = Proportion([1, 1, 1, 1])
        #expect(right.value == 1 && (right.low ?? 1) < 0.6 && right.high == 1)
        #expect(Proportion([]).value == nil)
        // Published: 8 of 10 are 0.490 to 0.943 (Wilson, 95 %).
        let eight = Proportion([1, 1, 1, 1, 1, 1, 1, 1, 0, 0])
        #expect(abs((eight.low ?? 0) - 0.4902) < 1e-3 && abs((eight.high ?? 0) - 0.9433) < 1e-3)
    }

    @Test func `what is no repair takes its share, and never more`() throws {
        let pool = try ProblemPool.seed()
        var problem = try pool.template("AG-03").draw(
            seed: 1, on: FakeGround.surface, contexts: pool.contexts)
        let host = try #require(problem.bindings["host"])
        let restart = WriteAction(.restartAgent, ComponentName("agent/\(host)"))
        let cordon = WriteAction(.cordon, ComponentName("host/\(host)"))
        func grade(_ state: FleetState, _ writes: WriteAction..., submits: Bool = true) -> StageGrade {
            .mitigation(problem, isSubmitted: submits, states: [state], writes: writes)
        }
        let well = FleetState()
        #expect(grade(well, restart).score == 1)
        #expect(grade(well, cordon, restart).score == 0.5)
        #expect(grade(well).score == 0 && grade(well, restart, submits: false).score == 0)
        #expect(grade(FleetState(faultsInEffect: 1), restart).score == 0)
        #expect(grade(FleetState(notRunning: ["v"]), restart).score == 0)
        #expect(grade(FleetState(lost: ["v"]), restart).score == 0)
        let violation = InvariantViolation(invariant: 1, subject: "s", message: "m")
        #expect(grade(FleetState(violations: [violation]), restart).score == 0)
        let delete = WriteAction(.deleteWorkload, ComponentName("vm/v"))
        #expect(grade(well, restart, delete).score == 0)
        let everywhere = (1...9).map { WriteAction(.restartAgent, ComponentName("agent/x-\($0)")) }
        let shotgun = StageGrade.mitigation(
            problem, isSubmitted: true, states: [well], writes: everywhere + [restart])
        #expect(shotgun.score == 0)
        #expect(Harm(problem, writes: everywhere, final: well).isAny)
        #expect(!Harm(problem, writes: [restart], final: well).isAny)
        problem.truth = .nothing
        problem.rejects = RejectRule.always + RejectRule.whereNothingIsWrong
        #expect(Harm(problem, writes: [restart], final: well).isAny)
    }

    @Test func `rebooting a sound host is harm, the faulty one is not`() throws {
        let pool = try ProblemPool.seed()
        let problem = try pool.template("OS-02").draw(
            seed: 1, on: FakeGround.surface, contexts: pool.contexts)
        let host = try #require(problem.bindings["host"])
        let own = WriteAction(.rebootHost, ComponentName("host/\(host)"))
        let other = WriteAction(.rebootHost, ComponentName("host/other"))
        #expect(!Harm(problem, writes: [own], final: FleetState()).isAny)
        #expect(Harm(problem, writes: [other], final: FleetState()).isAny)
    }

    @Test func `summaries keep the shape of a series`() throws {
        let series = MetricSeries(
            name: "n", component: ComponentName("host/a"), start: Timestamp(seconds: 0), stepSeconds: 10,
            values: (0..<1000).map(Double.init))
        let summary = try #require(MetricSummary(series))
        #expect(summary.points.count <= MetricSummary.mostPoints && summary.points.last == 999)
        #expect(summary.least == 0 && summary.most == 999 && summary.median == 499 && summary.last == 999)
        #expect(series.since(Timestamp(seconds: 9985)).values == [999])
        #expect(MetricSummary(series.since(Timestamp(seconds: 1e9))) == nil)
    }

    @Test func `texts are cut at lines and say so`() {
        let lines = (0..<5000).map { number in
            LogLine(
                at: Timestamp(seconds: Double(number)), component: ComponentName("host/a"), level: "info",
                message: "line \(number)")
        }
        let text = Observation(.logs(lines)).text(bytes: 1000)
        #expect(text.utf8.count < 1100 && text.contains("more lines"))
        var same = lines.prefix(3).map { $0 }
        for index in same.indices { same[index].message = "same" }
        #expect(LogLine.folded(same).map(\.times) == [3])
    }
}
