public import Fleet

extension PlacementCell {
    /// Chooses a host and devices. Nothing is taken until the allocation is added.
    ///
    /// Where lifetimes are tracked, the cell's time and its hosts' exits are those of the last
    /// `advance(to:)`.
    public func place(_ request: VMRequest, policy: PlacementPolicy) -> PlacementDecision {
        let compiled = compile(request)
        guard let best = hosts.best(for: compiled, by: chain(for: request, policy: policy)) else {
            return .noHostFits
        }
        let row = hosts.rows[best]
        let devices = compiled.devices.isEmpty ? [] : DeviceSelection.choose(compiled.devices, on: row)
        return .place(
            PlacementChoice(
                host: row.id, hostName: row.name, hostGeneration: row.generation, devices: devices))
    }

    func compile(_ request: VMRequest) -> CompiledRequest {
        CompiledRequest(
            milliCPU: Int32(clamping: request.resources.milliCPU),
            memoryMiB: Int32(clamping: request.resources.memoryMiB),
            isGuaranteed: request.isGuaranteed, resources: request.resources,
            pool: request.pool.map { pools.number(of: $0) ?? CompiledRequest.unseen },
            carriers: request.hostSelector.isEmpty ? nil : carriers(of: request.hostSelector),
            devices: request.devices.isEmpty ? [] : deviceDemands(request.devices),
            blocked: blockedDomains(request))
    }

    /// By number of host, whether it carries every label of the selector.
    private func carriers(of selector: [String: String]) -> [Bool] {
        var found = [Int32](repeating: 0, count: hostNumbers.count)
        // Counts, so the order of the dictionary does not show.
        for (key, value) in selector {
            guard let label = labels.number(of: Label(key: key, value: value)) else { continue }
            for host in carriers[Int(label)] { found[Int(host)] += 1 }
        }
        let wanted = Int32(selector.count)
        return found.map { $0 == wanted }
    }

    private func blockedDomains(_ request: VMRequest) -> BlockedDomains? {
        guard let antiAffinity = request.antiAffinity else { return nil }
        let none = BlockedDomains(hosts: hostNumbers.count, racks: racks.count, zones: zones.count)
        return groups.blocked(
            for: .init(project: request.workload.project, group: antiAffinity.group),
            scope: antiAffinity.scope, hosts: hosts, blocking: none)
    }

    /// One demand per model, in the order of the models' names.
    private func deviceDemands(_ requests: [DeviceRequest]) -> [CompiledRequest.DeviceDemand] {
        let counts = Dictionary(requests.map { ($0.model, $0.count) }, uniquingKeysWith: +)
        return counts.sorted { $0.key < $1.key }.filter { $0.value > 0 }.map {
            .init(
                model: models.number(of: $0.key) ?? CompiledRequest.unseen, name: $0.key, count: $0.value)
        }
    }
}
