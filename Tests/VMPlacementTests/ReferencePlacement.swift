import Fleet
import VMPlacement

/// Placement written for reading, not for speed: every host anew for every request, in fractions.
struct ReferencePlacement {
    var hosts: [HostSnapshot]
    var allocations: [Allocation] = []

    func room(_ host: HostSnapshot) -> HostRoom {
        var room = HostRoom(
            total: host.capacity, reserved: host.reserved, cpuRatioPerMille: host.cpuRatioPerMille)
        for allocation in allocations where allocation.host == host.id {
            room.add(allocation.resources, guaranteed: allocation.isGuaranteed)
        }
        return room
    }

    func freeDevices(_ host: HostSnapshot, model: String) -> [Device] {
        let taken = Set(allocations.flatMap(\.devices))
        return host.devices.filter {
            $0.model == model && $0.health == .healthy && !taken.contains($0.uuid)
        }
    }

    /// The first constraint that refuses the request.
    func refusal(_ request: VMRequest, _ host: HostSnapshot) -> Reason? {
        if let refusal = host.refusal, refusal != .poolMismatch { return refusal }
        if !host.poolAdmitsVMs || (request.pool.map { $0 != host.pool } ?? false) { return .poolMismatch }
        for (key, value) in request.hostSelector where host.labels[key] != value { return .labelMismatch }
        if let refusal = room(host).refusal(of: request.resources, guaranteed: request.isGuaranteed) {
            return refusal
        }
        for device in request.devices where freeDevices(host, model: device.model).count < device.count {
            return .insufficientDevices
        }
        return isApart(request, host) ? nil : .antiAffinity
    }

    private func isApart(_ request: VMRequest, _ host: HostSnapshot) -> Bool {
        guard let wanted = request.antiAffinity else { return true }
        return allocations.allSatisfy { allocation in
            guard let other = allocation.antiAffinity, other.group == wanted.group,
                allocation.workload.project == request.workload.project,
                let its = hosts.first(where: { $0.id == allocation.host })
            else { return true }
            return !Self.meets(host, its, wanted.scope) && !Self.meets(host, its, other.scope)
        }
    }

    private static func meets(
        _ lhs: HostSnapshot, _ rhs: HostSnapshot, _ scope: AntiAffinity.Scope
    ) -> Bool {
        switch scope {
        case .host: lhs.id == rhs.id
        case .rack: lhs.domain == rhs.domain
        case .zone: lhs.domain.zone == rhs.domain.zone
        }
    }

    func feasible(_ request: VMRequest) -> [HostSnapshot] {
        hosts.filter { refusal(request, $0) == nil }.sorted { $0.id < $1.id }
    }

    /// The host that the policy must choose.
    func best(_ request: VMRequest, _ policy: PlacementPolicy) -> HostSnapshot? {
        feasible(request).min { lhs, rhs in
            let left = key(request, lhs, policy)
            let right = key(request, rhs, policy)
            return left.0 != right.0 ? left.0 < right.0 : left.1 < right.1
        }
    }

    private func key(
        _ request: VMRequest, _ host: HostSnapshot, _ policy: PlacementPolicy
    ) -> (Int, Fraction) {
        let devices = host.devices.isEmpty ? 0 : 2
        guard policy == .bestFit else { return (devices, Fraction(0, 1)) }
        let isEmpty = !allocations.contains { $0.host == host.id }
        return (devices + (isEmpty ? 1 : 0), leftOver(request, host))
    }

    private func leftOver(_ request: VMRequest, _ host: HostSnapshot) -> Fraction {
        let room = room(host)
        let usable = room.total - room.reserved
        let cpu =
            request.isGuaranteed
            ? Fraction(usable.milliCPU - room.consumedMilliCPU - request.resources.milliCPU, usable.milliCPU)
            : Fraction(
                (usable.milliCPU - room.guaranteedMilliCPU) * room.cpuRatioPerMille / 1000
                    - room.sharedMilliCPU - request.resources.milliCPU,
                usable.milliCPU * room.cpuRatioPerMille / 1000)
        let memory = Fraction(
            usable.memoryMiB - room.usedMemoryMiB - request.resources.memoryMiB, usable.memoryMiB)
        return request.devices.reduce(cpu + memory) { sum, wanted in
            let all = host.devices.filter { $0.model == wanted.model }.count
            return sum + Fraction(freeDevices(host, model: wanted.model).count - wanted.count, all)
        }
    }
}

/// An exact fraction with a positive denominator.
struct Fraction: Comparable {
    let numerator: Int128
    let denominator: Int128

    init(_ numerator: Int, _ denominator: Int) {
        self.init(Int128(numerator), Int128(denominator))
    }

    private init(_ numerator: Int128, _ denominator: Int128) {
        self.numerator = numerator
        self.denominator = denominator
    }

    static func + (lhs: Fraction, rhs: Fraction) -> Fraction {
        Fraction(
            lhs.numerator * rhs.denominator + rhs.numerator * lhs.denominator,
            lhs.denominator * rhs.denominator)
    }

    static func < (lhs: Fraction, rhs: Fraction) -> Bool {
        lhs.numerator * rhs.denominator < rhs.numerator * lhs.denominator
    }

    static func == (lhs: Fraction, rhs: Fraction) -> Bool {
        lhs.numerator * rhs.denominator == rhs.numerator * lhs.denominator
    }
}
