import Fleet
import Testing

@testable import Control

@Suite struct ReplicaDrainTests {
    private static let start = Timestamp(seconds: 1000)

    private static func sight(
        version: Int = 7, isRouted: Bool = false, isStopping: Bool = false, underWay: Int? = nil,
        limit: Timestamp? = nil
    ) -> ReplicaDrain.Sight {
        .init(
            version: version, isRouted: isRouted, isStopping: isStopping, underWay: { _ in underWay },
            patience: .seconds(60), limit: limit)
    }

    private static func at(_ seconds: Int) -> Timestamp { start.advanced(by: .seconds(seconds)) }

    @Test func `it serves while it is routed to, drains, and is drained with its last request`() {
        var drain = ReplicaDrain(cause: .renewed, since: Self.start)
        drain.look(Self.sight(isRouted: true), now: Self.at(1))
        #expect(drain.state == .serving && drain.deadline == nil && !drain.isOver)
        // A router still follows routes that lead to it.
        drain.look(Self.sight(), now: Self.at(2))
        #expect(drain.state == .draining && drain.underWay == nil && drain.deadline == Self.at(62))
        drain.look(Self.sight(underWay: 3), now: Self.at(3))
        #expect(drain.state == .draining && drain.underWay == 3 && drain.deadline == Self.at(62))
        drain.look(Self.sight(underWay: 0), now: Self.at(4))
        #expect(drain.state == .drained && drain.isOver)
        drain.look(Self.sight(isStopping: true), now: Self.at(5))
        #expect(drain.state == .stopping && drain.isOver)
    }

    @Test func `routers are asked for the first routes without it, whatever came after`() {
        var drain = ReplicaDrain(cause: .planned, since: Self.start)
        drain.look(Self.sight(version: 7), now: Self.at(1))
        var later = Self.sight(version: 9)
        later.underWay = { $0 == 7 ? 0 : nil }
        drain.look(later, now: Self.at(2))
        #expect(drain.state == .drained)
    }

    @Test func `its time ends with its patience, or when its host goes`() {
        var patient = ReplicaDrain(cause: .renewed, since: Self.start)
        patient.look(Self.sight(underWay: 1), now: Self.at(10))
        patient.look(Self.sight(underWay: 1), now: Self.at(69))
        #expect(patient.state == .draining)
        patient.look(Self.sight(underWay: 1), now: Self.at(70))
        #expect(patient.state == .drained && patient.underWay == 1)

        var last = ReplicaDrain(cause: .host, since: Self.start)
        last.look(Self.sight(isRouted: true, limit: Self.at(30)), now: Self.at(29))
        #expect(last.state == .serving && last.deadline == Self.at(30))
        // There was no other one to send requests to.
        last.look(Self.sight(isRouted: true, limit: Self.at(30)), now: Self.at(30))
        #expect(last.state == .drained)
    }

    @Test func `another controller goes on where the first stopped`() {
        var drain = ReplicaDrain(cause: .host, since: Self.start)
        drain.look(Self.sight(underWay: 2, limit: Self.at(30)), now: Self.at(1))
        let leave = drain.leave(named: "g1")
        #expect(leave.state == .draining && leave.underWay == 2 && leave.deadline == Self.at(30))
        var next = ReplicaDrain(leave, version: 7)
        next.look(Self.sight(underWay: 0), now: Self.at(2))
        #expect(next.state == .drained && next.since == Self.start)
    }
}
