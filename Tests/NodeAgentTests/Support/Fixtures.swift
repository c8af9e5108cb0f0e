import AgentProtocol
import Fleet
import Foundation
import NodeAgent

/// The `number`-th id of its kind.
func id<Subject>(_ number: Int) -> ID<Subject> {
    let word = UInt64(number)
    func byte(_ shift: Int) -> UInt8 { UInt8(truncatingIfNeeded: word >> UInt64(shift)) }
    return ID(
        UUID(
            uuid: (
                0, 0, 0, 0, 0, 0, 0x40, 0, 0x80, 0, byte(40), byte(32), byte(24), byte(16), byte(8),
                byte(0)
            )))
}

func directive(
    _ number: Int, _ action: PartDirective.Action = .run, onPartition: PartitionPolicy = .keep,
    workload: Int? = nil
) -> PartDirective {
    PartDirective(
        allocation: id(number),
        workload: WorkloadReference(
            kind: .vm, uid: id(workload ?? number), project: "lab", name: "vm-\(workload ?? number)",
            part: "vm"),
        action: action, resources: Resources(milliCPU: 1000, memoryMiB: 1024), devices: [],
        onPartition: onPartition)
}

func assignment(
    _ host: String, _ number: Int, epoch: Int = 1, _ parts: [PartDirective]
) throws -> HostAssignment {
    HostAssignment(
        host: host, generation: Generation(epoch: epoch, number: number),
        hash: HostAssignment.hash(of: parts), parts: parts)
}

func key(_ host: String, _ number: Int) -> PartKey { PartKey(host: host, allocation: id(number)) }

func fleet(
    count: Int = 3, start: LatencyModel = .fixed(seconds: 0.2), stop: LatencyModel = .fixed(seconds: 0.1),
    startFailuresPerMillion: Int = 0, seed: UInt64 = 7
) -> SimulatedFleetSpec {
    SimulatedFleetSpec(
        count: count, capacity: Resources(milliCPU: 64_000, memoryMiB: 262_144), startLatency: start,
        stopLatency: stop, startFailuresPerMillion: startFailuresPerMillion, seed: seed)
}

func configuration(runtimeCallLimit: Int = 64) -> AgentConfiguration {
    AgentConfiguration(version: "1.0.0", runtimeCallLimit: runtimeCallLimit)
}

let hello = HelloResponse(
    incarnation: 1, epoch: 1, lease: .standard, limits: .standard, refused: [])
