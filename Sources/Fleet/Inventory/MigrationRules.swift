/// How VMs of a pool move from host to host; what is absent is as it usually is.
public struct MigrationRules: Sendable, Hashable, Codable {
    public enum Order: String, Sendable, Hashable, Codable, CaseIterable {
        /// Longest predicted remaining lifetime first; the oldest first where lifetimes are not tracked.
        case longestFirst = "longest-first"
        case oldestFirst = "oldest-first"
    }

    /// `longest-first` when absent.
    public var order: Order?
    /// VMs of a host on their way at once.
    public var slotsPerHost: Int?
    /// VMs of the pool's hosts on their way at once.
    public var slotsPerPool: Int?
    /// Fleet minutes that a move is taken to last, for what is planned ahead.
    public var minutesPerMove: Int?
    /// Fleet minutes for which an order holds until lifetimes are predicted anew.
    public var resortMinutes: Int?
    /// Fleet hours for which a VM that moved is left alone, unless a person drains its host.
    public var coolDownHours: Int?

    public init(
        order: Order? = nil, slotsPerHost: Int? = nil, slotsPerPool: Int? = nil, minutesPerMove: Int? = nil,
        resortMinutes: Int? = nil, coolDownHours: Int? = nil
    ) {
        self.order = order
        self.slotsPerHost = slotsPerHost
        self.slotsPerPool = slotsPerPool
        self.minutesPerMove = minutesPerMove
        self.resortMinutes = resortMinutes
        self.coolDownHours = coolDownHours
    }

    /// Three at a time keep the network of a host free for what stays (LAVA, recalled).
    public static let usualHostSlots = 3
    /// As many as a pool's network and controllers take without being noticed.
    public static let usualPoolSlots = 20
    /// What the reference measures drains with.
    public static let usualMinutes = 20
    public static let usualResortMinutes = 5
    /// A VM is disturbed once a day at most by what nobody asked for.
    public static let usualCoolDownHours = 24

    public var hostSlots: Int { slotsPerHost ?? Self.usualHostSlots }
    public var poolSlots: Int { slotsPerPool ?? Self.usualPoolSlots }
    public var moveLength: Duration { .seconds((minutesPerMove ?? Self.usualMinutes) * 60) }
    public var resortInterval: Duration { .seconds((resortMinutes ?? Self.usualResortMinutes) * 60) }
    public var coolDown: Duration { .seconds((coolDownHours ?? Self.usualCoolDownHours) * 3600) }

    func defects(at field: String) -> [FieldDefect] {
        let bounds: [(String, Int?, ClosedRange<Int>)] = [
            ("slotsPerHost", slotsPerHost, 1...1000), ("slotsPerPool", slotsPerPool, 1...10_000),
            ("minutesPerMove", minutesPerMove, 1...1440), ("resortMinutes", resortMinutes, 1...1440),
            ("coolDownHours", coolDownHours, 0...8784),
        ]
        return bounds.compactMap { FieldDefect(field: "\(field).\($0.0)", $0.1, outside: $0.2) }
    }
}

/// When hosts of a pool are emptied so that more of them are whole, and how far that goes.
public struct DefragmentationRules: Sendable, Hashable, Codable {
    public enum Mode: String, Sendable, Hashable, Codable, CaseIterable {
        case off
        /// Says what it would do.
        case advise
        case enforce
    }

    /// `off` when absent.
    public var mode: Mode?
    /// Share of the pool's hosts that shall be empty, per mille.
    public var targetEmptyPerMille: Int?
    /// It ends when the share is so far above the target, per mille.
    public var marginPerMille: Int?
    /// Fleet minutes for which the share must be below the target before it begins.
    public var afterMinutes: Int?
    /// Share of the pool's hosts that are emptied at once, per mille; one at least.
    public var maxDrainingPerMille: Int?

    public init(
        mode: Mode? = nil, targetEmptyPerMille: Int? = nil, marginPerMille: Int? = nil,
        afterMinutes: Int? = nil, maxDrainingPerMille: Int? = nil
    ) {
        self.mode = mode
        self.targetEmptyPerMille = targetEmptyPerMille
        self.marginPerMille = marginPerMille
        self.afterMinutes = afterMinutes
        self.maxDrainingPerMille = maxDrainingPerMille
    }

    public var target: Int { targetEmptyPerMille ?? 30 }
    public var margin: Int { marginPerMille ?? 10 }
    public var delay: Duration { .seconds((afterMinutes ?? 15) * 60) }

    /// Hosts of a pool of so many that may be emptied at once.
    public func mostDraining(of hosts: Int) -> Int { max(1, hosts * (maxDrainingPerMille ?? 20) / 1000) }

    func defects(at field: String) -> [FieldDefect] {
        let bounds: [(String, Int?, ClosedRange<Int>)] = [
            ("targetEmptyPerMille", targetEmptyPerMille, 0...1000),
            ("marginPerMille", marginPerMille, 0...1000),
            ("afterMinutes", afterMinutes, 0...10_080),
            ("maxDrainingPerMille", maxDrainingPerMille, 0...1000),
        ]
        return bounds.compactMap { FieldDefect(field: "\(field).\($0.0)", $0.1, outside: $0.2) }
    }
}

extension FieldDefect {
    /// Nil when there is no number, or it is within.
    fileprivate init?(field: String, _ number: Int?, outside bounds: ClosedRange<Int>) {
        guard let number, !bounds.contains(number) else { return nil }
        self.init(
            field: field, code: .outOfRange,
            message: "\(number) is outside \(bounds.lowerBound) to \(bounds.upperBound)")
    }
}
