import Fleet
import Testing
import VMPlacement

@Suite struct DocumentTests {
    private func metadata(_ name: String, labels: [String: String] = [:]) -> Metadata {
        Metadata(
            name: name, uid: hostID(1), project: "p", labels: labels, generation: 4, createdAt: epoch)
    }

    @Test func aHostIsWhatItsDocumentStatusAndPoolSay() {
        let inventory = HostInventory(
            capacity: Resources(milliCPU: 8000, memoryMiB: 4096),
            reserved: Resources(milliCPU: 500, memoryMiB: 512), devices: [makeGPU("a")],
            domain: FailureDomain(zone: "z", rack: "r"), labels: ["disk": "hdd", "cpu": "amd"],
            substrate: "simulated")
        let host = HostSnapshot(
            metadata: metadata("h-1", labels: ["disk": "nvme"]),
            spec: HostSpec(cell: "c", pool: "q", draining: true, cordonReason: "x"),
            status: HostStatus(inventory: inventory, contact: .ready), generation: 9,
            pool: PoolSpec(cell: "c", admits: [.training], cpuRatioPerMille: 2000))
        #expect(
            host
                == HostSnapshot(
                    id: hostID(1), name: "h-1", generation: 9, pool: "q", poolAdmitsVMs: false,
                    contact: .ready, isSchedulable: false, capacity: inventory.capacity,
                    reserved: inventory.reserved, cpuRatioPerMille: 2000,
                    labels: ["disk": "nvme", "cpu": "amd"], domain: inventory.domain,
                    devices: inventory.devices))
        #expect(host.refusal == .hostCordoned)
    }

    @Test func aRequestIsWhatItsDocumentSays() {
        let spec = VMSpec(
            pool: "q", flavor: "small", class: .spot, hostSelector: ["a": "b"],
            antiAffinity: AntiAffinity(group: "g"), lifetimeHintSeconds: 60, onPartition: .stop)
        let request = VMRequest(
            metadata: metadata("vm-1"), spec: spec, resources: Resources(milliCPU: 1, memoryMiB: 2),
            devices: [DeviceRequest(model: "m", count: 1)])
        #expect(
            request.workload
                == WorkloadReference(kind: .vm, uid: hostID(1), project: "p", name: "vm-1", part: "vm"))
        #expect(request.workloadGeneration == 4 && request.pool == "q" && request.class == .spot)
        #expect(request.hostSelector == ["a": "b"] && request.antiAffinity == AntiAffinity(group: "g"))
        #expect(request.lifetimeHint == .seconds(60) && request.onPartition == .stop)
        #expect(request.queuedAt == epoch && !request.isGuaranteed)
    }
}
