/// Hosts that share a ratio: those of a cell, those of a pool, or one alone.
public struct RateScope: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    /// From the widest to the nearest.
    public enum Level: String, Sendable, Hashable, ClosedWord, Comparable {
        case cell, pool, host

        public var kind: Kind {
            switch self {
            case .cell: .cell
            case .pool: .pool
            case .host: .host
            }
        }

        public static func < (lhs: Level, rhs: Level) -> Bool { lhs.rank < rhs.rank }
        private var rank: Int { Level.allCases.firstIndex(of: self) ?? 0 }
    }

    public var level: Level
    /// Of the cell, pool or host.
    public var name: String

    public init(_ level: Level, _ name: String) {
        self.level = level
        self.name = name
    }

    /// As people write it: `pool/vms`.
    public var description: String { "\(level.rawValue)/\(name)" }

    /// Reads `pool/vms`; nil when it is not of that form.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let level = Level(rawValue: String(parts[0])),
            Name.defect(in: String(parts[1])) == nil
        else { return nil }
        self.init(level, String(parts[1]))
    }

    public static func < (lhs: RateScope, rhs: RateScope) -> Bool {
        (lhs.level, lhs.name) < (rhs.level, rhs.name)
    }
}
