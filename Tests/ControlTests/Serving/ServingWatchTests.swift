import Fleet
import Store
import Testing

@testable import Control

@Suite struct ServingWatchTests {
    private static let demand = ServingDemand(requestsPerMinute: 600, promptTokens: 1000, outputTokens: 200)
    private static let start = Timestamp(seconds: 1000)

    private static func report(
        _ requests: Int, router: String = "a", prompt: Int? = 1000, output: Int? = 200, late: Int = 0,
        version: Int = 1
    ) -> ServingReport {
        var classes = [Int](repeating: 0, count: ServingReport.firstByteBounds.count + 1)
        classes[0] = requests - late
        classes[classes.count - 1] = late
        return ServingReport(
            router: router, epoch: 1, version: version, seconds: 10, requests: requests, failed: 0,
            promptTokens: prompt, outputTokens: output, firstBytes: classes)
    }

    /// Windows of ten seconds, one after another.
    private static func watch(_ windows: [[ServingReport]]) -> ServingWatch {
        var watch = ServingWatch()
        for (index, reports) in windows.enumerated() {
            let now = start.advanced(by: .seconds(10 * index))
            watch.take(
                reports.map { ServingReportRecord(report: $0, at: now) }, limit: 1000, demand: demand,
                now: now)
        }
        return watch
    }

    private static func shift(_ windows: [[ServingReport]]) -> ServingWatch.Shift? {
        watch(windows).shift(from: demand, target: 0.9)
    }

    @Test func `what was planned for is no shift, nor is less of it`() {
        #expect(Self.shift([[Self.report(100)], [Self.report(112)], [Self.report(95)]]) == nil)
        #expect(Self.shift([[Self.report(5)], [Self.report(3)], [Self.report(0)]]) == nil)
        #expect(Self.shift([]) == nil)
    }

    @Test func `three windows of more requests are a shift, of all routers together`() throws {
        let many = [Self.report(90), Self.report(90, router: "b")]
        #expect(Self.shift([many, many]) == nil)
        #expect(Self.shift([many, [Self.report(90), Self.report(10, router: "b")], many]) == nil)
        let shift = try #require(Self.shift([many, many, many]))
        #expect(shift.cause == .rate && shift.demand.requestsPerMinute == 1080)
        #expect(shift.demand.promptTokens == 1000)
        // Of a few requests a second more is chance.
        let few = ServingDemand(requestsPerMinute: 12, promptTokens: 1000, outputTokens: 200)
        let chance = Self.watch([[Self.report(3)], [Self.report(3)], [Self.report(3)]])
        #expect(chance.shift(from: few, target: 0.9) == nil)
    }

    @Test func `other lengths are a shift, and unknown ones are none`() throws {
        let long = [Self.report(100, output: 500)]
        let shift = try #require(Self.shift([long, long, long]))
        #expect(shift.cause == .lengths && shift.demand.outputTokens == 500)
        #expect(shift.demand.requestsPerMinute == 600)
        let silent = [Self.report(100, prompt: nil, output: nil)]
        #expect(Self.shift([silent, silent, silent]) == nil)
    }

    @Test func `late answers are a shift where something else than planned comes`() throws {
        let late = [Self.report(115, prompt: 1150, late: 40)]
        let shift = try #require(Self.shift([late, late, late]))
        #expect(shift.cause == .late)
        #expect(shift.demand == .init(requestsPerMinute: 690, promptTokens: 1150, outputTokens: 200))
        // A plan for what it was made for would be the same one.
        let slow = [Self.report(100, late: 40)]
        #expect(Self.shift([slow, slow, slow]) == nil)
        #expect(Self.watch([slow]).observation?.inTimePerMille == 600)
    }

    @Test func `a report counts once, and silent routers count no more`() {
        var watch = ServingWatch()
        let record = ServingReportRecord(report: Self.report(500), at: Self.start)
        for _ in 0..<5 { watch.take([record], limit: 1000, demand: Self.demand, now: Self.start) }
        #expect(watch.shift(from: Self.demand, target: 0.9) == nil)
        #expect(watch.observation?.routers == 1)
        watch.take(
            [record], limit: 1000, demand: Self.demand, now: Self.start.advanced(by: .seconds(60)))
        #expect(watch.observation == nil)
    }

    @Test func `routes are followed when the last router follows them`() {
        let watch = Self.watch([[Self.report(1, version: 8), Self.report(1, router: "b", version: 7)]])
        #expect(watch.underWay(on: "g1", since: 7) == 0 && watch.underWay(on: "g1", since: 8) == nil)
        #expect(ServingWatch().underWay(on: "g1", since: 8) == 0)
    }

    @Test func `requests on a replica are those of all routers, and a window counts once`() {
        var reports = [Self.report(100, version: 8), Self.report(80, router: "b", version: 8)]
        reports[0].underWay = ["g1": 2, "g2": 5]
        reports[1].underWay = ["g1": 1]
        for index in reports.indices { reports[index].window = 4 }
        var watch = Self.watch([reports])
        #expect(watch.underWay(on: "g1", since: 8) == 3 && watch.underWay(on: "g3", since: 8) == 0)
        #expect(watch.observation?.demand.requestsPerMinute == 1080)
        // The same window again, with news of replicas and routes.
        reports[0].underWay = [:]
        reports[1].version = 9
        let later = Self.start.advanced(by: .seconds(1))
        watch.take(
            reports.map { ServingReportRecord(report: $0, at: later) }, limit: 1000, demand: Self.demand,
            now: later)
        #expect(watch.underWay(on: "g1", since: 8) == 1 && watch.observation?.version == 8)
        #expect(watch.shift(from: Self.demand, target: 0.9) == nil)
    }

    @Test func `within a class of times answers are spread evenly`() {
        let report = Self.report(100, late: 20)
        #expect(report.answered(within: 5) == 40)
        #expect(report.answered(within: 10) == 80 && report.answered(within: 30_000) == 80)
        #expect(report.defects().isEmpty)
        var wrong = report
        wrong.firstBytes.removeLast()
        wrong.router = ""
        wrong.seconds = 0
        wrong.requests = -1
        #expect(wrong.defects().map(\.field) == ["router", "seconds", "requests", "firstBytes"])
    }
}
