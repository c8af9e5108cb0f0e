import Fleet
import VMPlacement

/// Random hosts, requests and allocations that exercise every constraint.
struct RandomFleet {
    var random: SeededRandom
    private(set) var hosts: [HostSnapshot] = []
    private(set) var requests = 0

    init(seed: UInt64, hosts count: Int) {
        random = SeededRandom(seed: seed)
        for number in 0..<count { hosts.append(makeHost(number)) }
        for number in hosts.indices { hosts[number] = randomHost(number) }
    }

    /// Shapes whose shares are exact, so that a check by fractions must agree to the last bit.
    mutating func randomHost(_ number: Int) -> HostSnapshot {
        var host = makeHost(
            number, vCPU: random.pick([8, 16, 48, 64]), gibibytes: random.pick([16, 64, 96, 192]),
            pool: random.pick(["general", "general", "big"]), labels: randomLabels(),
            rack: "r\(random.below(5))", zone: "z\(random.below(2))")
        if random.chance(25) { host.devices = randomDevices(number) }
        host.generation = 1 + random.below(3)
        host.cpuRatioPerMille = random.pick([1000, 1000, 1500, 2000])
        if random.chance(8) { host.isSchedulable = false }
        if random.chance(5) { host.contact = random.pick([.suspect, .fenced]) }
        if random.chance(5) { host.poolAdmitsVMs = false }
        return host
    }

    private mutating func randomLabels() -> [String: String] {
        var labels: [String: String] = [:]
        if random.chance(50) { labels["cpu.vendor"] = random.pick(["amd", "intel"]) }
        if random.chance(30) { labels["disk"] = "nvme" }
        return labels
    }

    private mutating func randomDevices(_ number: Int) -> [Device] {
        (0..<random.pick([1, 2, 4, 8])).map { index in
            makeGPU(
                "GPU-\(number)-\(index)", model: random.pick(["H100", "H100", "L40S"]), numa: index % 2,
                nvlink: index < 4 ? "n0" : "n1", health: random.chance(10) ? .failed : .healthy)
        }
    }

    mutating func randomRequest() -> VMRequest {
        requests += 1
        var request = makeRequest(
            requests, vCPU: random.pick([1, 1, 2, 4, 8]), gibibytes: random.pick([1, 2, 4, 14, 56]),
            project: random.pick(["p", "q"]))
        request.class = random.pick(WorkloadClass.allCases)
        request.queuedAt = Timestamp(microseconds: Int64(random.below(1000)))
        if random.chance(20) { request.pool = random.pick(["general", "big", "nowhere"]) }
        if random.chance(15) { request.hostSelector = ["cpu.vendor": random.pick(["amd", "intel"])] }
        if random.chance(10) {
            request.devices = [
                DeviceRequest(model: random.pick(["H100", "L40S"]), count: 1 + random.below(3))
            ]
        }
        if random.chance(15) {
            request.antiAffinity = AntiAffinity(
                group: random.pick(["g", "h"]), scope: random.pick(AntiAffinity.Scope.allCases))
        }
        return request
    }
}
