import Fleet

/// The host that is the least change away from taking a request.
struct NearestFix {
    /// Compared in order: fewer constraints to lift, then the easier kind, then the smaller lack.
    private struct Cost: Comparable {
        var constraints: Int
        var kind: Int
        /// Millionths of the request.
        var lack: Int

        static func < (lhs: Cost, rhs: Cost) -> Bool {
            (lhs.constraints, lhs.kind, lhs.lack) < (rhs.constraints, rhs.kind, rhs.lack)
        }
    }

    let slot: Int
    private let cost: Cost

    /// The nearer of `best` and the host at `slot`; the earlier host when they are equal.
    static func nearer(
        _ best: NearestFix?, of request: CompiledRequest, row: HostRow, slot: Int
    ) -> NearestFix {
        var cost = Cost(constraints: 0, kind: 0, lack: 0)
        for constraint in Constraint.allCases where !constraint.holds(for: request, on: row) {
            cost.constraints += 1
            cost.kind = max(cost.kind, constraint.effort)
            cost.lack += constraint.lack(of: request, on: row)
        }
        if let best, best.cost <= cost { return best }
        return NearestFix(slot: slot, cost: cost)
    }
}

extension Constraint {
    /// How far lifting the constraint is from waiting for a neighbour to end.
    fileprivate var effort: Int {
        switch self {
        case .cpu, .peak, .memory, .devices: 0
        case .schedulable: 1
        case .antiAffinity: 2
        case .labels: 3
        case .pool: 4
        case .contact: 5
        }
    }

    /// What is missing, in millionths of what is asked for.
    fileprivate func lack(of request: CompiledRequest, on row: HostRow) -> Int {
        switch self {
        case .cpu: share(request.missingMilliCPU(on: row), of: request.resources.milliCPU)
        case .peak: share(request.missingPeakMilliCPU(on: row), of: request.resources.milliCPU)
        case .memory: share(request.missingMemoryMiB(on: row), of: request.resources.memoryMiB)
        case .devices:
            share(request.missingDevices(on: row), of: request.devices.reduce(0) { $0 + $1.count })
        case .contact, .schedulable, .pool, .labels, .antiAffinity: 0
        }
    }

    private func share(_ missing: Int, of asked: Int) -> Int { missing * 1_000_000 / max(asked, 1) }
}

extension PlacementCell {
    /// Such as `2 vCPU more on host h-17 (InsufficientCPU)`.
    func words(_ fix: NearestFix, for request: VMRequest, _ compiled: CompiledRequest) -> String {
        let row = hosts.rows[fix.slot]
        return Constraint.allCases.filter { !$0.holds(for: compiled, on: row) }
            .map { "\(words($0, for: request, compiled, row)) (\($0.reason.rawValue))" }
            .joined(separator: " and ")
    }

    private func words(
        _ constraint: Constraint, for request: VMRequest, _ compiled: CompiledRequest, _ row: HostRow
    ) -> String {
        switch constraint {
        case .contact: "contact with host \(row.name)"
        case .schedulable: "host \(row.name) uncordoned"
        case .pool: poolWords(request, row)
        case .labels: "\(missingLabels(request, row)) on host \(row.name)"
        case .cpu: "\(Amount.vCPU(compiled.missingMilliCPU(on: row))) more on host \(row.name)"
        case .peak:
            "\(Amount.vCPU(compiled.missingPeakMilliCPU(on: row))) below the predicted peak of host \(row.name)"
        case .memory: "\(Amount.memory(compiled.missingMemoryMiB(on: row))) more on host \(row.name)"
        case .devices: "\(missingDevices(compiled, row)) more on host \(row.name)"
        case .antiAffinity: "no member of group \(request.antiAffinity?.group ?? "") near host \(row.name)"
        }
    }

    private func poolWords(_ request: VMRequest, _ row: HostRow) -> String {
        if let pool = request.pool, !(pools.number(of: pool) == row.tag.pool) {
            return "pool \(pools[row.tag.pool]) of host \(row.name) asked for instead of \(pool)"
        }
        return "pool \(pools[row.tag.pool]) of host \(row.name) admitting VMs"
    }

    private func missingLabels(_ request: VMRequest, _ row: HostRow) -> String {
        let wanted = request.hostSelector.map { Label(key: $0.key, value: $0.value) }.sorted()
        let missing = wanted.filter { label in
            guard let number = labels.number(of: label) else { return true }
            return !row.labels.contains(number)
        }
        return (missing.count == 1 ? "label " : "labels ")
            + missing.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
    }

    private func missingDevices(_ compiled: CompiledRequest, _ row: HostRow) -> String {
        compiled.devices.compactMap { demand in
            let missing = demand.count - row.freeDevices(of: demand.model)
            return missing > 0 ? "\(missing) free \(demand.name)" : nil
        }
        .joined(separator: ", ")
    }
}

/// Amounts in the units people order by.
private enum Amount {
    static func vCPU(_ milliCPU: Int) -> String {
        milliCPU % 1000 == 0 ? "\(milliCPU / 1000) vCPU" : "\(milliCPU) milli-vCPU"
    }

    static func memory(_ mebibytes: Int) -> String {
        mebibytes % 1024 == 0 ? "\(mebibytes / 1024) GiB" : "\(mebibytes) MiB"
    }
}
