public import FaultLab

/// What a world consists of and how long it runs.
public struct WorldConfiguration: Sendable {
    public var seed: UInt64
    /// Length of the phase in which faults happen.
    public var duration: Duration
    public var cells = 2
    public var hostsPerCell = 12
    public var controllers = 3
    /// Nil draws them from the published mixes; empty lists none.
    public var faults: FaultSchedule?
    /// Factor on the published rates, when faults are drawn. At 60 a day brings some twenty faults to 24 hosts.
    public var acceleration = 60.0
    /// How often the invariants are judged.
    public var checkEvery = Duration.seconds(600)
    /// Mean time between two VMs that a cell is asked for; zero asks for none.
    public var arrivalEvery = Duration.seconds(120)
    /// Within which everything has to be well after the last fault.
    public var recoveryBound = Duration.seconds(600)
    /// False makes shims that let workloads run past their fence deadlines, which the judge must find.
    var holdsFences = true

    /// Whether the world ends when who takes part in it has done so, unjudged: for those who judge by themselves.
    public var endsWithBody = false

    public init(seed: UInt64, duration: Duration) {
        self.seed = seed
        self.duration = duration
    }

    var machines: [MachineName] {
        (0..<cells).flatMap { cell in
            (0..<hostsPerCell).map { number in
                let digits = number < 10 ? "0\(number)" : "\(number)"
                let letter = Self.letters[cell % Self.letters.count]
                // Three zones of two racks each.
                let zone = "\(letter)-\(number % 3)"
                return MachineName(
                    host: "\(letter)-\(digits)", cell: "cell-\(letter)", pool: "pool-\(letter)", zone: zone,
                    rack: "\(zone)-\(number / 3 % 2)", hasDevices: number % 4 == 0)
            }
        }
    }

    private static let letters = ["a", "b", "c", "d", "e", "f", "g", "h"]

    /// What faults can be drawn for.
    public var surface: FaultSurface {
        let machines = machines
        return FaultSurface(
            hosts: machines.map(\.host), agents: machines.map(\.host),
            racks: Set(machines.map(\.rack)).sorted(),
            controllers: (0..<controllers).map(Self.controllerName), projects: [World.project])
    }

    static func controllerName(_ index: Int) -> String { "c-\(index)" }

    /// What happens: as told, or drawn.
    public var schedule: FaultSchedule {
        faults
            ?? FaultSchedule.drawn(
                seed: seed &* 0x9E37_79B9 &+ 1, surface: surface, duration: duration,
                acceleration: acceleration, kinds: FaultKind.drawn)
    }
}

/// Where a machine stands.
struct MachineName: Sendable, Hashable {
    /// Of the host, and of its agent.
    var host: String
    var cell: String
    var pool: String
    var zone: String
    var rack: String
    var hasDevices: Bool
}
