import Fleet
import Replay
import Testing

@Suite struct ScheduleTests {
    @Test func stepsComeWhenTheyAreDueInTheOrderOfEvents() {
        let trace = VMTrace(vms: [vm(100, 130, vCPU: 2), vm(110, 120), vm(120, 500)])
        var schedule = ReplaySchedule(trace, prefix: "demo")
        #expect(schedule.count == 3 && schedule.lastCreation == .seconds(20))
        #expect(schedule.nextTime == .zero)
        var names: [String] = []
        while let step = schedule.next(dueAt: .seconds(20)) {
            names.append("\(step.at.components.seconds) \(step.action == .delete ? "-" : "+")\(step.vm)")
        }
        #expect(names == ["0 +demo-0", "10 +demo-1", "20 -demo-1", "20 +demo-2"])
        #expect(schedule.nextTime == .seconds(30))
        #expect(schedule.next(dueAt: .seconds(29)) == nil)
        #expect(schedule.next(dueAt: .seconds(30))?.vm == "demo-0")
        #expect(schedule.next(dueAt: .seconds(10_000))?.at == .seconds(400))
        #expect(schedule.next(dueAt: .seconds(10_000)) == nil && schedule.nextTime == nil)
    }

    @Test func aStepToCreateCarriesTheResources() {
        var schedule = ReplaySchedule(VMTrace(vms: [vm(0, 1, vCPU: 2, gibibytes: 4)]))
        #expect(
            schedule.next(dueAt: .zero)
                == .init(
                    at: .zero, vm: "replay-0", action: .create(Resources(milliCPU: 2000, memoryMiB: 4096))))
    }

    @Test func anEndLeavesLaterVMsOutAltogether() {
        var schedule = ReplaySchedule(VMTrace(vms: [vm(5, 50), vm(15, 20), vm(16, 20)]), until: .seconds(10))
        var steps = 0
        while schedule.next(dueAt: .seconds(1000)) != nil { steps += 1 }
        #expect(schedule.count == 2 && steps == 4)
    }

    @Test func anEmptyTraceHasNoSteps() {
        let schedule = ReplaySchedule(VMTrace(vms: []))
        #expect(schedule.count == 0 && schedule.nextTime == nil)
    }
}
