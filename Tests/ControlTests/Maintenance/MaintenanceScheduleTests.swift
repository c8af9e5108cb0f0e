import Control
import Fleet
import Testing

@Suite("Maintenance windows")
struct MaintenanceScheduleTests {
    private typealias Window = MaintenanceWindow

    private func at(_ text: String) throws -> Timestamp { try #require(Timestamp(text)) }

    private func state(
        _ windows: [MaintenanceWindow], due: String? = nil, at now: String
    ) throws -> MaintenanceSchedule.State {
        let spec = MaintenanceSpec(windows: windows, due: try due.map { try at($0) })
        #expect(spec.defects(at: "m").isEmpty)
        return MaintenanceSchedule.state(spec, at: try at(now))
    }

    @Test("without a spec it is open")
    func none() throws {
        #expect(MaintenanceSchedule.state(nil, at: try at("2026-11-21T12:00:00Z")) == .open(until: nil))
    }

    @Test("a weekly window opens and closes to the microsecond")
    func weekly() throws {
        // The 21st of November 2026 is a Saturday.
        let window = Window(days: [.sat], start: "02:30", durationMinutes: 90)
        #expect(
            try state([window], at: "2026-11-21T02:29:59.999999Z")
                == .closed(until: try at("2026-11-21T02:30:00Z")))
        #expect(
            try state([window], at: "2026-11-21T02:30:00Z") == .open(until: try at("2026-11-21T04:00:00Z")))
        #expect(
            try state([window], at: "2026-11-21T03:59:59Z") == .open(until: try at("2026-11-21T04:00:00Z")))
        #expect(
            try state([window], at: "2026-11-21T04:00:00Z")
                == .closed(until: try at("2026-11-28T02:30:00Z")))
    }

    @Test("a window reaches over midnight and over the end of the week")
    func midnight() throws {
        let night = Window(days: [.sun], start: "23:00", durationMinutes: 120)
        #expect(
            try state([night], at: "2026-11-23T00:30:00Z") == .open(until: try at("2026-11-23T01:00:00Z")))
        let long = Window(days: [.fri], start: "18:00", durationMinutes: 6 * 24 * 60)
        #expect(
            try state([long], at: "2026-11-25T12:00:00Z") == .open(until: try at("2026-11-26T18:00:00Z")))
    }

    @Test("windows that overlap or touch are one")
    func overlapping() throws {
        let windows = [
            Window(start: "03:00", durationMinutes: 60), Window(start: "01:00", durationMinutes: 90),
            Window(start: "02:00", durationMinutes: 60), Window(start: "05:00", durationMinutes: 5),
        ]
        #expect(
            try state(windows, at: "2026-11-21T01:10:00Z") == .open(until: try at("2026-11-21T04:00:00Z")))
        #expect(
            try state(windows, at: "2026-11-21T04:00:00Z")
                == .closed(until: try at("2026-11-21T05:00:00Z")))
    }

    @Test(
        "times are UTC: the days on which clocks are put back or forward are like all others",
        arguments: ["2026-03-29", "2026-10-25", "2028-02-29", "1969-12-31"])
    func daylightSaving(_ day: String) throws {
        let window = Window(start: "02:30", durationMinutes: 30)
        #expect(
            try state([window], at: "\(day)T02:00:00Z") == .closed(until: try at("\(day)T02:30:00Z")))
        #expect(
            try state([window], at: "\(day)T02:45:00Z") == .open(until: try at("\(day)T03:00:00Z")))
    }

    @Test("what is due is done at any time, and no later")
    func due() throws {
        let window = Window(days: [.sat], start: "02:30", durationMinutes: 30)
        let due = "2026-11-20T12:00:00Z"
        #expect(
            try state([window], due: due, at: "2026-11-19T00:00:00Z") == .closed(until: try at(due)))
        #expect(try state([window], due: due, at: due) == .open(until: nil))
        #expect(try state([window], due: due, at: "2026-12-19T00:00:00Z") == .open(until: nil))
        #expect(try state([], due: due, at: "2026-11-19T00:00:00Z") == .closed(until: try at(due)))
        // A window that lasts until it is due does not close again.
        #expect(
            try state([window], due: "2026-11-21T02:45:00Z", at: "2026-11-21T02:35:00Z")
                == .open(until: nil))
    }

    @Test(
        "what is no window is refused",
        arguments: [
            (Window(start: "24:00", durationMinutes: 5), "m.windows[0].start"),
            (Window(start: "2:00", durationMinutes: 5), "m.windows[0].start"),
            (Window(start: "02:60", durationMinutes: 5), "m.windows[0].start"),
            (Window(start: "", durationMinutes: 5), "m.windows[0].start"),
            (Window(start: "02:00", durationMinutes: 0), "m.windows[0].durationMinutes"),
            (Window(start: "02:00", durationMinutes: 7 * 24 * 60), "m.windows[0].durationMinutes"),
            (Window(days: [], start: "02:00", durationMinutes: 5), "m.windows[0].days"),
        ])
    func defects(_ window: MaintenanceWindow, _ field: String) {
        #expect(MaintenanceSpec(windows: [window]).defects(at: "m").map(\.field) == [field])
        #expect(MaintenanceSpec(windows: []).defects(at: "m").map(\.field) == ["m.windows"])
    }
}
