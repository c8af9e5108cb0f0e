/// Which VMs a guard slows, moves and stops, and in which order. Guaranteed ones never.
struct GuardVictims: Sendable {
    let settings: GuardSettings
    let reading: HostReading

    /// Cores that have to be freed: what is above the warm use, at least a twentieth of the host, and a fifth
    /// more, as what is freed is partly taken by those that waited.
    var excess: Double {
        let used = reading.signals.use * reading.cores
        let line = GuardThresholds.hotUse.lowerBound * reading.cores
        return 1.2 * max(used - line, 0.05 * reading.cores)
    }

    /// Who should move: the cheapest of those that free enough, else the one that frees most.
    func migration(except asked: Set<String>) -> GuardedVM? {
        let candidates = reading.vms.filter { $0.promise != .guaranteed && !asked.contains($0.name) }
        let enough = candidates.filter { $0.used >= excess }
        guard enough.isEmpty else {
            return enough.min { ($0.migrationCost, $0.name) < ($1.migrationCost, $1.name) }
        }
        return candidates.filter { $0.used > 0 }.min {
            (-$0.used, $0.migrationCost, $0.name) < (-$1.used, $1.migrationCost, $1.name)
        }
    }

    /// Who stops: the spot VM that frees enough with the least work lost, else the one that frees most.
    var eviction: GuardedVM? {
        let spot = reading.vms.filter { $0.promise == .spot }
        let enough = spot.filter { $0.used >= excess }
        guard enough.isEmpty else { return enough.min { ($0.used, $0.name) < ($1.used, $1.name) } }
        return spot.min { (-$0.used, $0.name) < (-$1.used, $1.name) }
    }

    /// What the others leave of the throttled use, shared among spot VMs by their cores. A quota falls at
    /// once and rises slowly.
    ///
    /// - Parameters:
    ///   - quotas: in force, cores by VM.
    ///   - seconds: since they were set.
    /// - Returns: by name; empty without spot VMs.
    func quotas(after quotas: [String: Double], seconds: Int) -> [VMQuota] {
        let spot = reading.vms.filter { $0.promise == .spot }.sorted { $0.name < $1.name }
        let sold = spot.reduce(0) { $0 + $1.cores }
        guard sold > 0 else { return [] }
        // Use of the whole host, so that what is not a VM counts too.
        let others = max(0, reading.signals.use * reading.cores - spot.reduce(0) { $0 + $1.used })
        let left = max(0, reading.cores * settings.throttledUse - others)
        return spot.map { vm in
            var quota = min(vm.cores, max(left * vm.cores / sold, settings.leastQuota * vm.cores))
            if let last = quotas[vm.name] {
                let step = settings.quotaStepPerMinute * vm.cores * Double(seconds) / 60
                quota = min(quota, last + step)
                if abs(quota - last) < settings.leastQuotaChange * vm.cores { quota = last }
            }
            return VMQuota(name: vm.name, cores: quota)
        }
    }
}
