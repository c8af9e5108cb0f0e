internal import Fleet
internal import Store
internal import VMPlacement

/// Chooses the cell of a gang: one that could take all of it, of these the one with most room.
///
/// Counted host by host, which for members of one shape is what the planner finds but for VMs of other groups
/// that they keep apart from. The ledger and the planner decide; this only says where to ask.
struct GangRoom {
    private var hosts: [HostRecord]

    /// - Parameter pools: by name.
    init(hosts: [HostRecord], pools: [String: PoolSpec]) {
        self.hosts = hosts.filter { pools[$0.pool]?.admits.contains(.vm) == true }
    }

    enum Choice: Equatable {
        case cell(String)
        /// Why none, in words.
        case none(String)
    }

    /// - Parameters:
    ///   - request: what every member asks for.
    ///   - count: members.
    mutating func choose(_ request: VMRequest, count: Int) -> Choice {
        let candidates = Dictionary(grouping: hosts.filter { Self.matches(request, $0) }, by: \.cell)
        let room = candidates.mapValues { Self.members(request, on: $0) }
        // With one cell to choose there is nothing to wait for: it says better why it is full.
        if room.count == 1, let only = room.keys.first { return take(request, count, in: only) }
        let fitting = room.filter { $0.value >= count }
        if let best = fitting.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) {
            return take(request, count, in: best.key)
        }
        let words = room.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(Self.named)
            .map { "\($0.key) \($0.value)" }
        return .none(
            words.isEmpty
                ? "no cell has hosts of the pool and with the labels"
                : "no cell has room for \(count) members: \(words.joined(separator: ", "))")
    }

    /// Cells that a message names.
    private static let named = 5

    private static func matches(_ request: VMRequest, _ host: HostRecord) -> Bool {
        (request.pool.map { $0 == host.pool } ?? true)
            && request.hostSelector.allSatisfy { host.labels[$0.key] == $0.value }
    }

    /// Members that these hosts could take, each domain that they keep apart in counted once.
    private static func members(_ request: VMRequest, on hosts: [HostRecord]) -> Int {
        let taking = hosts.filter { slots(request, on: $0) > 0 }
        switch request.antiAffinity?.scope {
        case nil: return taking.reduce(0) { $0 + slots(request, on: $1) }
        case .host: return taking.count
        case .rack: return Set(taking.map(\.domain)).count
        case .zone: return Set(taking.map(\.domain.zone)).count
        }
    }

    private static func slots(_ request: VMRequest, on host: HostRecord) -> Int {
        guard host.contact == .ready, !host.cordoned, !host.draining, !host.frozen else { return 0 }
        var room = host.room
        var free: [String: Int] = [:]
        let taken = Set(host.takenDevices)
        for device in host.devices where device.health == .healthy && !taken.contains(device.uuid) {
            free[device.model, default: 0] += 1
        }
        var count = 0
        while count < WorkloadLimit.replicas,
            room.refusal(of: request.resources, guaranteed: request.isGuaranteed) == nil,
            request.devices.allSatisfy({ free[$0.model, default: 0] >= $0.count })
        {
            room.add(request.resources, guaranteed: request.isGuaranteed)
            for device in request.devices { free[device.model, default: 0] -= device.count }
            count += 1
        }
        return count
    }

    /// Takes the room, so that several gangs of one picture spread.
    private mutating func take(_ request: VMRequest, _ count: Int, in cell: String) -> Choice {
        var left = count
        for index in hosts.indices where left > 0 && hosts[index].cell == cell {
            guard Self.matches(request, hosts[index]) else { continue }
            let slots = Self.slots(request, on: hosts[index])
            let taken = min(left, request.antiAffinity == nil ? slots : min(slots, 1))
            for _ in 0..<taken {
                hosts[index].room.add(request.resources, guaranteed: request.isGuaranteed)
            }
            left -= taken
        }
        return .cell(cell)
    }
}
