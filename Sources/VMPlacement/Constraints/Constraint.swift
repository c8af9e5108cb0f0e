import Fleet

/// The constraints of a placement in the order of `Reason`.
enum Constraint: Int, CaseIterable {
    case contact, schedulable, pool, labels, cpu, peak, memory, devices, antiAffinity

    var reason: Reason {
        switch self {
        case .contact: .hostNotReady
        case .schedulable: .hostCordoned
        case .pool: .poolMismatch
        case .labels: .labelMismatch
        case .cpu: .insufficientCPU
        case .peak: .insufficientPeakRoom
        case .memory: .insufficientMemory
        case .devices: .insufficientDevices
        case .antiAffinity: .antiAffinity
        }
    }

    func holds(for request: CompiledRequest, on row: HostRow) -> Bool {
        switch self {
        case .contact: row.refusal != .hostNotReady
        case .schedulable: row.refusal != .hostCordoned
        case .pool: row.refusal != .poolMismatch && request.matchesPool(row.tag)
        case .labels: request.matchesLabels(row.tag)
        case .cpu: request.missingMilliCPU(on: row) <= 0
        case .peak: request.missingPeakMilliCPU(on: row) <= 0
        case .memory: request.missingMemoryMiB(on: row) <= 0
        case .devices: request.hasDevices(row)
        case .antiAffinity: request.isApart(row.tag)
        }
    }

    /// The first constraint that refuses the request, or nil when the host is feasible.
    static func first(refusing request: CompiledRequest, on row: HostRow) -> Constraint? {
        for constraint in allCases where !constraint.holds(for: request, on: row) { return constraint }
        return nil
    }
}

extension CompiledRequest {
    /// What the host lacks, as its class is sold; at most 0 when it fits.
    func missingMilliCPU(on row: HostRow) -> Int {
        resources.milliCPU - (isGuaranteed ? row.room.soldGuaranteedMilliCPU : row.room.soldSharedMilliCPU)
    }

    /// What the host lacks beside the peaks that are predicted; at most 0 when it fits, or when they do not
    /// count.
    func missingPeakMilliCPU(on row: HostRow) -> Int {
        let free = isGuaranteed ? row.room.peakGuaranteedMilliCPU : row.room.peakSharedMilliCPU
        return free.map { resources.milliCPU - $0 } ?? 0
    }

    func missingMemoryMiB(on row: HostRow) -> Int { resources.memoryMiB - row.room.freeMemoryMiB }

    func missingDevices(on row: HostRow) -> Int {
        devices.reduce(0) { $0 + max(0, $1.count - row.freeDevices(of: $1.model)) }
    }
}
