internal import Logging
internal import NodeAgent
internal import Oversubscription
internal import ServiceLifecycle

/// What an agent works with, by the substrate that it was started for; one without a runtime observes.
struct AgentParts {
    /// What a reporter of use is made of.
    struct Usage {
        var source: any UsageSource
        var throttle: (any UsageThrottle)?
        var power: PowerWatch?
        var settings: GuardSettings
    }

    var inventory: any InventorySource
    var runtime: (any VMRuntime)?
    var output: (any OutputSource)?
    var progress: (any ProgressSource)?
    var usage: Usage?
    /// Run beside the agent, and end after it.
    var services: [any Service] = []

    static func simulated(
        _ spec: SimulatedFleetSpec, _ options: SimulationOptions, _ stateDirectory: String,
        _ clock: any AgentClock, _ logger: Logger
    ) throws -> AgentParts {
        let substrate = try SimulatedSubstrate.open(
            directory: stateDirectory + "/substrate", spec: spec, clock: clock,
            poweredOffAt: options.poweredOffAt, trainingSpeed: options.trainingSpeed)
        var parts = AgentParts(inventory: substrate, runtime: substrate, progress: substrate)
        parts.services.append(substrate)
        let power = options.power(of: substrate, stateDirectory: stateDirectory, clock: clock, logger: logger)
        if let power { parts.services.append(power) }
        parts.usage = try options.usage(of: substrate, stateDirectory: stateDirectory, clock: clock)
            .map { simulated in
                Usage(
                    source: simulated, throttle: simulated, power: power,
                    settings: GuardSettings(
                        coolDownSeconds: min(15, options.guardHoldSeconds),
                        holdSeconds: options.guardHoldSeconds))
            }
        return parts
    }

    static func processes(
        of host: String, _ options: ProcessOptions, _ stateDirectory: String, _ clock: any AgentClock,
        _ logger: Logger
    ) throws -> AgentParts {
        let substrate = try ProcessSubstrate.open(
            try options.configuration(directory: stateDirectory + "/substrate", host: host),
            clock: clock, logger: logger)
        let inventory = options.inventory(
            name: substrate.host, stateDirectory: stateDirectory, substrate: substrate.substrate,
            labels: substrate.labels)
        return AgentParts(
            inventory: inventory, runtime: substrate, output: substrate, progress: substrate,
            usage: Usage(
                source: MachineUsage(host: substrate.host, substrate: substrate, clock: clock),
                throttle: options.guardCores ? substrate.throttle : nil,
                settings: options.guardCores ? GuardSettings() : .measuring),
            services: [substrate])
    }
}
