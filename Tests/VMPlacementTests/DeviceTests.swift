import Fleet
import Testing
import VMPlacement

@Suite struct DeviceTests {
    private func request(_ count: Int, model: String = "H100") -> VMRequest {
        var request = makeRequest()
        request.devices = [DeviceRequest(model: model, count: count)]
        return request
    }

    @Test func onlyHealthyUntakenDevicesOfTheModelCount() {
        let devices = [
            makeGPU("a"), makeGPU("b", health: .failed), makeGPU("c", model: "L40S"),
            makeGPU("d", health: .degraded),
        ]
        var cell = PlacementCell([makeHost(1, devices: devices)])
        #expect(cell.choice(for: request(1))?.devices == ["a"])
        #expect(cell.choice(for: request(2)) == nil)
        cell.add(makeAllocation(1, of: request(1), on: 1, devices: ["a"]))
        #expect(cell.choice(for: request(1)) == nil)
        cell.remove(allocation: allocationID(1))
        #expect(cell.choice(for: request(1))?.devices == ["a"])
    }

    @Test func theSmallestDomainThatHoldsTheCountIsTaken() {
        let devices = [
            makeGPU("a", numa: 0, nvlink: "n0"), makeGPU("b", numa: 0, nvlink: "n0"),
            makeGPU("c", numa: 0, nvlink: "n0"), makeGPU("e", numa: 1, nvlink: "n1"),
            makeGPU("d", numa: 1, nvlink: "n1"), makeGPU("f"),
        ]
        let cell = PlacementCell([makeHost(1, devices: devices)])
        #expect(cell.choice(for: request(1))?.devices == ["f"])
        #expect(cell.choice(for: request(2))?.devices == ["d", "e"])
        #expect(cell.choice(for: request(3))?.devices == ["a", "b", "c"])
        #expect(cell.choice(for: request(4))?.devices == ["a", "b", "c", "d"])
        #expect(cell.choice(for: request(7)) == nil)
    }

    @Test func severalModelsAreTakenFromOneHost() {
        let cell = PlacementCell([
            makeHost(1, devices: [makeGPU("a")]),
            makeHost(2, devices: [makeGPU("b"), makeGPU("c", model: "L40S")]),
        ])
        var request = request(1)
        request.devices.append(DeviceRequest(model: "L40S", count: 1))
        let choice = cell.choice(for: request)
        #expect(choice?.hostName == "h-2" && choice?.devices == ["b", "c"])
        request.devices.append(DeviceRequest(model: "H100", count: 1))
        #expect(cell.choice(for: request) == nil)
    }

    @Test(arguments: PlacementPolicy.allCases)
    func VMsWithoutDevicesLeaveHostsWithDevicesAlone(policy: PlacementPolicy) {
        let gpuHost = makeHost(1, devices: [makeGPU("a")])
        var cell = PlacementCell(
            [gpuHost, makeHost(2, vCPU: 4)], [makeAllocation(1, of: makeRequest(), on: 1)])
        #expect(cell.hostName(for: makeRequest(vCPU: 4), policy) == "h-2")
        cell.add(makeAllocation(2, of: makeRequest(vCPU: 4), on: 2))
        #expect(cell.hostName(for: makeRequest(vCPU: 4), policy) == "h-1")
    }

    @Test func aDeviceStaysTakenWhenItsHostIsDescribedAnew() {
        let host = makeHost(1, devices: [makeGPU("a"), makeGPU("b")])
        var cell = PlacementCell([host], [makeAllocation(1, of: request(1), on: 1, devices: ["a"])])
        cell.upsert(host: host)
        #expect(cell.choice(for: request(1))?.devices == ["b"])
        cell.remove(host: host.id)
        #expect(cell.room(of: host.id) == nil)
        cell.upsert(host: host)
        #expect(cell.choice(for: request(1))?.devices == ["b"])
        #expect(cell.room(of: host.id)?.sharedMilliCPU == 4000)
    }
}
