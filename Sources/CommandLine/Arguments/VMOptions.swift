internal import ArgumentParser
internal import Fleet

/// What a VM is made from, for commands that make some.
struct VMOptions: ParsableArguments {
    @Option(help: "vCPUs, such as 2, 0.5 or 500m.") var cpu: String?
    @Option(help: "Memory, such as 512MiB or 4GiB.") var memory: String?
    @Option(help: "Flavor instead of --cpu and --memory.") var flavor: String?
    @Option(help: "Devices, MODEL=COUNT; may be repeated.") var gpu: [String] = []
    @Option(help: "Cell; chosen by the control plane when absent.") var cell: String?
    @Option(help: "Pool; any that admits VMs when absent.") var pool: String?
    @Option(name: .customLong("class"), help: "guaranteed, standard or spot.") var workloadClass: String?
    @Option(help: "When the host loses contact: keep or stop.") var onPartition: String?
    @Option(help: "Label the host must carry, KEY=VALUE; may be repeated.") var hostLabel: [String] = []
    @Option(help: "Keep apart from members of this group.") var antiAffinityGroup: String?
    @Option(help: "Expected lifetime, such as 36h.") var lifetime: String?
    @Option(name: .shortAndLong, help: "Label of the VM, KEY=VALUE; may be repeated.") var label: [String] =
        []

    func spec() throws -> VMSpec {
        var resources: Resources?
        switch (cpu, memory) {
        case (.some(let cpu), .some(let memory)):
            resources = Resources(
                milliCPU: try Quantity.milliCPU(cpu), memoryMiB: try Quantity.memoryMiB(memory))
        case (nil, nil): break
        case (.some, nil): throw CommandFailure("--cpu needs --memory")
        case (nil, .some): throw CommandFailure("--memory needs --cpu")
        }
        return VMSpec(
            cell: cell, pool: pool, flavor: flavor, resources: resources,
            devices: gpu.isEmpty ? nil : try gpu.map(Self.device),
            class: try workloadClass.map { try Self.choice($0, "class") },
            hostSelector: hostLabel.isEmpty ? nil : try Self.pairs(hostLabel, "--host-label"),
            antiAffinity: antiAffinityGroup.map { AntiAffinity(group: $0) },
            lifetimeHintSeconds: try lifetime.map { Int(try DurationText.parse($0).components.seconds) },
            onPartition: try onPartition.map { try Self.choice($0, "partition policy") })
    }

    /// - Throws: ``CommandFailure`` for the first defect.
    func checked() throws -> VMSpec {
        let spec = try spec()
        if let defect = spec.defects().first { throw CommandFailure("\(defect.field): \(defect.message)") }
        return spec
    }

    /// nil when none is given.
    var labels: [String: String]? {
        get throws { label.isEmpty ? nil : try Self.pairs(label, "--label") }
    }

    private static func device(_ text: String) throws -> DeviceRequest {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2, let count = Int(parts[1]) else {
            throw CommandFailure("\"\(text)\" names no devices; write MODEL=COUNT, such as H100=2")
        }
        return DeviceRequest(model: parts[0], count: count)
    }

    static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ text: String, _ what: String
    ) throws -> Choice {
        guard let choice = Choice(rawValue: text) else {
            throw CommandFailure(NearestChoice.refusal(what, text, among: Choice.allCases.map(\.rawValue)))
        }
        return choice
    }

    private static func pairs(_ texts: [String], _ option: String) throws -> [String: String] {
        var pairs: [String: String] = [:]
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw CommandFailure("\(option) \"\(text)\" is not KEY=VALUE")
            }
            pairs[String(parts[0])] = String(parts[1])
        }
        return pairs
    }
}
