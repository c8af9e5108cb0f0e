internal import CNVML
internal import DeviceHealth
internal import Fleet

/// GPUs as NVIDIA's management library tells them.
struct NVML {
    /// What came of a look.
    enum Outcome: Equatable {
        /// There is no library: a machine without GPUs.
        case absent
        /// The library is there and does not work; nothing is known of the GPUs.
        case failed(String)
        /// `defects` names GPUs that have no identity now.
        case found([GPU], defects: [String])
    }

    struct GPU: Equatable {
        var device: Device
        var facts: MachineFacts.GPU
        /// PCI bus ids, lower case, with a domain of 4 digits as in `/sys`.
        var remotes: [String]
        var counters: DeviceCounters
    }

    static let standardLibrary = "libnvidia-ml.so.1"

    /// - Parameters:
    ///   - library: name for the loader, or path.
    ///   - host: names NVLink domains.
    static func read(library: String, host: String, files: SystemFiles) -> Outcome {
        var message = [CChar](repeating: 0, count: 512)
        var absent: Int32 = 0
        guard let nvml = nvml_open(library, &absent, &message, Int32(message.count)) else {
            return absent != 0 ? .absent : .failed("NVML: \(text(message))")
        }
        defer { nvml_close(nvml) }
        let count = nvml_count(nvml, &message, Int32(message.count))
        guard count >= 0 else { return .failed("NVML: \(text(message))") }
        var (found, defects): ([GPU], [String]) = ([], [])
        for index in 0..<min(count, Int32(MachineInventory.Limit.entries)) {
            var raw = nvml_gpu()
            if nvml_read(nvml, index, &raw, &message, Int32(message.count)) == 0 {
                found.append(gpu(&raw, index: Int(index), files))
            } else {
                defects.append("GPU \(index): \(text(message))")
            }
        }
        return .found(linked(found, host: host), defects: defects)
    }

    private static func gpu(_ raw: inout nvml_gpu, index: Int, _ files: SystemFiles) -> GPU {
        func optional<Value: BinaryInteger>(_ value: Value) -> Int? { value < 0 ? nil : Int(value) }
        let busID = busID(withUnsafeBytes(of: &raw.bus_id) { text($0) })
        let uuid = withUnsafeBytes(of: &raw.uuid) { text($0) }
        let node = files.number("sys/bus/pci/devices/\(busID)/numa_node").flatMap { $0 >= 0 ? $0 : nil }
        let errors = optional(raw.uncorrected_errors)
        // A GPU that has fallen off the bus keeps its identity and tells nothing else.
        let health: Device.Health = raw.failure != 0 ? .failed : (errors ?? 0) > 0 ? .degraded : .healthy
        let remotes = withUnsafeBytes(of: &raw.peers) { bytes in
            (0..<Int(raw.peer_count)).map {
                text(UnsafeRawBufferPointer(rebasing: bytes[($0 * 32)...].prefix(32)))
            }
        }
        return GPU(
            device: Device(
                uuid: uuid, model: withUnsafeBytes(of: &raw.model) { text($0) },
                memoryMiB: optional(raw.memory_mib) ?? 0, numaNode: node, health: health),
            facts: MachineFacts.GPU(
                uuid: uuid, index: index, pciBusID: busID, nvlinkPeers: [],
                eccEnabled: optional(raw.ecc_enabled).map { $0 != 0 },
                migEnabled: optional(raw.mig_enabled).map { $0 != 0 }, uncorrectedErrors: errors),
            remotes: Set(remotes.map(Self.busID)).sorted(), counters: counters(raw, uuid: uuid))
    }

    private static func counters(_ raw: nvml_gpu, uuid: String) -> DeviceCounters {
        func told<Value: BinaryInteger>(_ value: Value) -> Int? { value < 0 ? nil : Int(value) }
        func flag(_ value: Int32) -> Bool? { value < 0 ? nil : value != 0 }
        return DeviceCounters(
            uuid: uuid, isLost: raw.failure != 0, uncorrectedErrors: told(raw.uncorrected_errors),
            correctedErrors: told(raw.corrected_errors), remappedRows: told(raw.remapped_rows),
            isRemapPending: flag(raw.remap_pending), hasRemapFailed: flag(raw.remap_failed),
            isRetirementPending: flag(raw.retirement_pending), activeLinks: told(raw.active_links),
            linkErrors: told(raw.link_errors), thermalNanoseconds: told(raw.thermal_ns),
            powerNanoseconds: told(raw.power_ns))
    }

    /// Fills peers and domains in: GPUs that links or a common switch join are one domain.
    private static func linked(_ gpus: [GPU], host: String) -> [GPU] {
        var gpus = gpus
        var domain = Array(gpus.indices)
        for (first, one) in gpus.enumerated() {
            for (second, other) in gpus.enumerated() where first != second {
                let isPeer = one.remotes.contains(other.facts.pciBusID)
                if isPeer { gpus[first].facts.nvlinkPeers.append(other.device.uuid) }
                guard isPeer || !Set(one.remotes).isDisjoint(with: other.remotes) else { continue }
                let (low, high) = (min(domain[first], domain[second]), max(domain[first], domain[second]))
                for index in domain.indices where domain[index] == high { domain[index] = low }
            }
        }
        for index in gpus.indices {
            gpus[index].facts.nvlinkPeers.sort()
            guard domain.count(where: { $0 == domain[index] }) > 1 else { continue }
            gpus[index].device.nvlinkDomain = "\(host)-nvlink-\(domain[index])"
        }
        return gpus
    }

    /// NVML writes domains with 8 digits, `/sys` with 4.
    private static func busID(_ text: String) -> String {
        let lower = text.lowercased()
        return lower.hasPrefix("0000") && lower.split(separator: ":").first?.count == 8
            ? String(lower.dropFirst(4)) : lower
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }

    private static func text(_ characters: [CChar]) -> String { characters.withUnsafeBytes { text($0) } }
}
