import Replay
import Testing

@Suite struct EventClockTests {
    private func order(_ vms: [TraceVM]) -> [String] {
        var clock = EventClock(VMTrace(vms: vms))
        var events: [String] = []
        while let event = clock.next() {
            let sign = event.kind == .arrival ? "+" : "-"
            events.append("\(event.time / 1_000_000)\(sign)\(event.row)")
        }
        return events
    }

    @Test func departuresComeBeforeArrivalsAtEqualTimes() {
        #expect(order([vm(0, 5), vm(5, 9), vm(5, 6)]) == ["0+0", "5-0", "5+1", "5+2", "6-2", "9-1"])
    }

    @Test func rowsDecideTiesAndNeedNotBeInOrder() {
        #expect(order([vm(3, 8), vm(1, 8), vm(1, 8)]) == ["1+1", "1+2", "3+0", "8-0", "8-1", "8-2"])
    }

    @Test func aVMOfNoLengthDepartsRightAfterItsArrival() {
        #expect(order([vm(0, 2), vm(2, 2), vm(2, 3)]) == ["0+0", "2-0", "2+1", "2-1", "2+2", "3-2"])
    }

    @Test func theNextTimeIsThatOfTheNextEvent() {
        var clock = EventClock(VMTrace(vms: [vm(4, 4), vm(1, 7)]))
        var times: [Int64] = []
        while let time = clock.nextTime, let event = clock.next() {
            #expect(event.time == time)
            times.append(time / 1_000_000)
        }
        #expect(times == [1, 4, 4, 7])
        #expect(clock.nextTime == nil)
    }
}
