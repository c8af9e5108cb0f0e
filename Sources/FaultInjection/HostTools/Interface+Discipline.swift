internal import FaultLab
internal import Foundation

extension TargetFile.Interface {
    /// Ours alone: what has another handle is somebody else's and is left alone.
    static let handle = "ba5a:"

    private func words(_ action: [String]) -> [String] {
        ["tc"] + (namespace.map { ["-n", $0] } ?? []) + action
    }

    /// What the kernel says of the interface's disciplines.
    func disciplines() async throws -> String {
        let outcome = try await HostTool.run(words(["qdisc", "show", "dev", device]))
        guard outcome.status == 0 else { throw InjectionError("tc: \(outcome.output)") }
        return outcome.output
    }

    var hasOurs: Bool {
        get async throws { try await disciplines().contains(" \(Self.handle) ") }
    }

    func add(_ discipline: [String]) async throws {
        let outcome = try await HostTool.run(
            words(["qdisc", "add", "dev", device, "root", "handle", Self.handle] + discipline))
        guard outcome.status == 0 else {
            throw InjectionError("tc \(discipline.first ?? ""): \(outcome.output)")
        }
    }

    /// An interface that is gone took its disciplines along.
    func remove() async throws {
        let found: String
        do {
            found = try await disciplines()
        } catch let error as InjectionError where Self.isGone(error) {
            return
        }
        guard found.contains(" \(Self.handle) ") else { return }
        let outcome = try await HostTool.run(words(["qdisc", "del", "dev", device, "root"]))
        guard outcome.status == 0 else { throw InjectionError("tc: \(outcome.output)") }
    }

    private static func isGone(_ error: InjectionError) -> Bool {
        ["Cannot find device", "Cannot open network namespace"].contains { error.description.contains($0) }
    }
}

extension EffectMaker {
    /// What is sent by an interface is late, lost, doubled or little; what it receives is not touched.
    func discipline(_ interface: TargetFile.Interface, _ order: InjectorOrders.Order) throws -> Effect {
        let parameters = order.parameters
        func percent(_ share: Double) -> String { "\(min(100, max(0, share * 100)))%" }
        let discipline: [String]
        switch order.kind {
        case .linkDelay:
            discipline = ["netem", "delay", "\(Int((parameters.delaySeconds ?? 1) * 1000))ms"]
        case .linkLoss: discipline = ["netem", "loss", percent(parameters.probability ?? 0.3)]
        case .linkDuplicate: discipline = ["netem", "duplicate", percent(parameters.probability ?? 0.3)]
        case .kvLinkDegraded:
            discipline = [
                "tbf", "rate", "\(parameters.count ?? 1000)kbit", "burst", "32kb", "latency", "400ms",
            ]
        // No packet is as small as the bucket: none passes.
        case .linkPartition: discipline = ["tbf", "rate", "8bit", "burst", "1", "limit", "1"]
        default: throw InjectionError("\(order.kind.rawValue) cannot be done to an interface")
        }
        return Effect(
            undo: [.removeDiscipline(interface)],
            apply: { try await interface.add(discipline) },
            isSeen: { try await interface.hasOurs })
    }

    /// Nothing in the group runs, and nothing in it can tell.
    func freeze(_ path: String) throws -> Effect {
        let group = ControlGroup(path)
        guard group.canFreeze else { throw InjectionError("\(path) is no control group that can be frozen") }
        guard try !group.isFrozen else { throw InjectionError("\(path) is frozen already") }
        return Effect(
            undo: [.thaw(group: path)], apply: { try group.set(frozen: true) },
            isSeen: { try group.isFrozen })
    }
}
