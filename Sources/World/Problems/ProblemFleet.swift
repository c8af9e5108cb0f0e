public import FaultLab
internal import Fleet

/// The fleet that problems are put to.
public enum ProblemFleet {
    /// Labels that every host is declared to have.
    static let declaredLabel = (key: "tier", value: "gold")
    /// What the fleet's own VMs are declared to run.
    static let declaredCommand = "serve"
    /// VMs of each cell that are there for the whole session.
    static let residents = 4
    /// Per mille, beyond which a pool may not sell its cores.
    static let largestRatio = 4000

    public static func configuration(seed: UInt64) -> WorldConfiguration {
        var configuration = WorldConfiguration(seed: seed, duration: .seconds(86_400))
        configuration.faults = FaultSchedule()
        configuration.arrivalEvery = .seconds(90)
        configuration.endsWithBody = true
        return configuration
    }

    /// What problems may choose from.
    public static func surface(_ configuration: WorldConfiguration) -> ProblemSurface {
        let places = configuration.machines.map { machine in
            [
                "host": machine.host, "agent": machine.host, "link": machine.host, "rack": machine.rack,
                "zone": machine.zone,
            ]
        }
        var choices: [FaultTarget.Component: [[String: String]]] = [:]
        for component in [FaultTarget.Component.host, .agent, .link] { choices[component] = places }
        choices[.rack] = Set(configuration.machines.map(\.rack)).sorted().map { ["rack": $0] }
        choices[.controller] = (0..<configuration.controllers).map {
            ["controller": WorldConfiguration.controllerName($0)]
        }
        choices[.store] = [["store": "primary"]]
        choices[.policy] = Set(configuration.machines.map(\.pool)).sorted().map { ["policy": $0] }
        choices[.vm] = residents(configuration).map { ["vm": $0.name] }
        let withDevices = configuration.machines.filter(\.hasDevices)
        choices[.device] = withDevices.flatMap { machine in
            (0..<Surroundings.devicesOfHost).map { number in
                [
                    "device": "\(machine.host)/\(number)", "host": machine.host, "agent": machine.host,
                    "job": Surroundings.job(of: machine.cell),
                ]
            }
        }
        choices[.job] = withDevices.map { machine in
            ["job": Surroundings.job(of: machine.cell), "host": machine.host, "agent": machine.host]
        }
        choices[.replica] = Surroundings.replicas.map {
            ["replica": $0, "service": Surroundings.service]
        }
        return ProblemSurface(
            choices: choices,
            constants: [
                "labelKey": declaredLabel.key, "labelValue": declaredLabel.value,
                "vmCommand": declaredCommand, "session": Surroundings.session,
                "service": Surroundings.service,
            ],
            kinds: FaultKind.simulated.union([.badRatio, .labelDrift]).union(Surroundings.kinds),
            decoys: [.plannedDrain])
    }

    static func residents(_ configuration: WorldConfiguration) -> [(name: String, cell: String)] {
        Set(configuration.machines.map(\.cell)).sorted().flatMap { cell in
            (0..<residents).map { (name: "app-\(cell.suffix(1))-\($0)", cell: cell) }
        }
    }
}
