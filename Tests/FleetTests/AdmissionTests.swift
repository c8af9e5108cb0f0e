import Fleet
import Testing

@Suite struct AdmissionTests {
    private func room(ratio: Int) -> HostRoom {
        HostRoom(
            total: Resources(milliCPU: 10_000, memoryMiB: 1000),
            reserved: Resources(milliCPU: 1000, memoryMiB: 100),
            cpuRatioPerMille: ratio)
    }

    @Test func `reserved capacity is not given away`() {
        #expect(
            room(ratio: 1000).refusal(of: Resources(milliCPU: 9000, memoryMiB: 900), guaranteed: true) == nil)
        #expect(
            room(ratio: 1000).refusal(of: Resources(milliCPU: 9001, memoryMiB: 1), guaranteed: true)
                == .insufficientCPU)
        #expect(
            room(ratio: 1000).refusal(of: Resources(milliCPU: 1, memoryMiB: 901), guaranteed: true)
                == .insufficientMemory)
    }

    @Test func `the ratio stretches the shared part only, rounded up`() {
        let stretched = room(ratio: 3000)
        #expect(stretched.refusal(of: Resources(milliCPU: 27_000, memoryMiB: 1), guaranteed: false) == nil)
        #expect(
            stretched.refusal(of: Resources(milliCPU: 27_001, memoryMiB: 1), guaranteed: false)
                == .insufficientCPU)
        #expect(
            stretched.refusal(of: Resources(milliCPU: 9001, memoryMiB: 1), guaranteed: true)
                == .insufficientCPU)
        var mixed = stretched
        mixed.add(Resources(milliCPU: 8999, memoryMiB: 1), guaranteed: true)
        // One thousandth is left: three shared ones fit in it, four do not.
        #expect(mixed.refusal(of: Resources(milliCPU: 3, memoryMiB: 1), guaranteed: false) == nil)
        #expect(
            mixed.refusal(of: Resources(milliCPU: 4, memoryMiB: 1), guaranteed: false) == .insufficientCPU)
    }

    @Test func `what was added is taken away again`() {
        var changed = room(ratio: 1500)
        changed.add(Resources(milliCPU: 700, memoryMiB: 3), guaranteed: false)
        changed.add(Resources(milliCPU: 20, memoryMiB: 5), guaranteed: true)
        changed.add(Resources(milliCPU: 700, memoryMiB: 3), guaranteed: false, sign: -1)
        changed.add(Resources(milliCPU: 20, memoryMiB: 5), guaranteed: true, sign: -1)
        #expect(changed == room(ratio: 1500))
    }
}
