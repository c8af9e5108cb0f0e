internal import ArgumentParser
internal import Fleet
internal import Logging
internal import NodeAgent

/// Flags of a simulated fleet.
struct SimulationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Simulate this many hosts instead of carrying this machine.", valueName: "hosts"))
    var simulate: Int?
    @Option(help: ArgumentHelp("vCPU and GiB of each simulated host.", valueName: "64x192"))
    var shape = "64x192"
    @Option(help: ArgumentHelp("Hosts are named PREFIX-NUMBER.", valueName: "prefix"))
    var prefix = "sim"
    @Option(help: ArgumentHelp("GPUs of each simulated host, such as h100=8.", valueName: "model=count"))
    var gpus: String?
    @Option(help: ArgumentHelp("Zones that the hosts are dealt to.", valueName: "zones"))
    var zones = 1
    @Option(help: ArgumentHelp("Racks of each zone.", valueName: "racks"))
    var racks = 1
    @Option(help: ArgumentHelp("Starts that fail, per million.", valueName: "count"))
    var startFailures = 0
    @Option(help: ArgumentHelp("Seed of latencies and failures.", valueName: "seed"))
    var seed: UInt64 = 1

    @Option(
        help: ArgumentHelp(
            "Lines of vm, cores, cap, start, step and samples that simulated VMs repeat; without it they use "
                + "nothing, and nothing is told of their use.", valueName: "file"))
    var usageTrace: String?
    @Option(help: ArgumentHelp("Seconds of the trace per second.", valueName: "factor"))
    var usageSpeed = 1.0
    @Option(help: ArgumentHelp("Seconds of simulated training per second.", valueName: "factor"))
    var trainingSpeed = 1.0
    @Option(
        help: ArgumentHelp(
            "Servers that the power of each rack was provisioned for; without it nothing keeps racks within it.",
            valueName: "servers"))
    var powerServers: Int?

    @Option(
        help: ArgumentHelp(
            "Fault tests: calm that a guard asks for before it undoes something, and longest between acts.",
            valueName: "seconds",
            visibility: .hidden))
    var guardHoldSeconds = 300

    @Option(
        help: ArgumentHelp(
            "Fault tests: the simulated machines were switched off then, and on again before this start.",
            valueName: "time", visibility: .hidden),
        transform: { text in
            guard let time = Timestamp(text) else { throw ValidationError("\"\(text)\" is no RFC 3339 time") }
            return time
        })
    var poweredOffAt: Timestamp?

    /// What VMs of a substrate use; nil without a trace.
    func usage(
        of substrate: SimulatedSubstrate, stateDirectory: String, clock: any AgentClock
    ) throws -> SimulatedUsage? {
        guard let usageTrace else { return nil }
        guard usageSpeed > 0, usageSpeed.isFinite else {
            throw ValidationError("--usage-speed is \(usageSpeed); it has to be above 0")
        }
        do {
            return SimulatedUsage(
                substrate: substrate, trace: try UsageTraceFile(path: usageTrace),
                noiseFile: stateDirectory + "/substrate/noise", speed: usageSpeed, clock: clock)
        } catch {
            throw ValidationError("--usage-trace \(usageTrace): \(error)")
        }
    }

    /// What keeps the racks of a substrate within their power; nil where nothing does.
    func power(
        of substrate: SimulatedSubstrate, stateDirectory: String, clock: any AgentClock, logger: Logger
    ) -> PowerWatch? {
        powerServers.map { servers in
            let control = SimulatedPower(
                substrate: substrate, servers: servers, file: stateDirectory + "/substrate/power",
                clock: clock)
            return PowerWatch(
                configuration: .init(guardFile: stateDirectory + "/power.json"), control: control,
                clock: clock, logger: logger)
        }
    }

    /// The fleet; nil when this machine is to be carried.
    func spec() throws -> SimulatedFleetSpec? {
        guard let simulate else { return nil }
        let sides = shape.split(separator: "x").map { Int($0) }
        guard sides.count == 2, let cpu = sides[0], let memory = sides[1] else {
            throw ValidationError("--shape is \"\(shape)\"; write vCPUxGiB, such as 64x192")
        }
        if let powerServers, powerServers < 1 {
            throw ValidationError("--power-servers is \(powerServers); it has to be at least 1")
        }
        let spec = SimulatedFleetSpec(
            count: simulate, namePrefix: prefix,
            capacity: Resources(milliCPU: cpu * 1000, memoryMiB: memory * 1024), devices: try devices(),
            zones: zones, racksPerZone: racks,
            labels: powerServers == nil ? [:] : ["power.capping": "simulated"],
            startFailuresPerMillion: startFailures, seed: seed)
        guard trainingSpeed > 0, trainingSpeed.isFinite else {
            throw ValidationError("--training-speed is \(trainingSpeed); it has to be above 0")
        }
        if let defect = spec.defects().first { throw ValidationError("\(defect.field): \(defect.message)") }
        return spec
    }

    /// Memory of simulated GPUs, MiB; the models of catalogues differ, placement asks for the model only.
    private static let deviceMemory = 81_920

    private func devices() throws -> SimulatedFleetSpec.Devices? {
        guard let gpus else { return nil }
        let sides = gpus.split(separator: "=")
        guard sides.count == 2, let count = Int(sides[1]), count > 0 else {
            throw ValidationError("--gpus is \"\(gpus)\"; write MODEL=COUNT, such as h100=8")
        }
        return .init(model: String(sides[0]), memoryMiB: Self.deviceMemory, perHost: count)
    }
}
