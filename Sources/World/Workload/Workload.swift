internal import FaultLab
internal import Fleet
internal import Foundation
internal import Store
internal import Synchronization

/// People who make and delete VMs and groups, and drain hosts; drawn from the seed.
final class Workload: Sendable {
    let world: World
    private let context = WriteContext(actor: "user/tenant", verb: "create")
    /// Asked for by VMs that live.
    private let devices = Mutex(0)

    init(world: World) { self.world = world }

    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// One cell's life until cancelled.
    func run(cell: Int) async {
        let every = world.configuration.arrivalEvery
        guard every > .zero else { return }
        var random = FaultRandom(seed: world.seed(for: "workload \(cell)"))
        var serial = 0
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                let wait = every * -log(1 - random.nextUnit())
                do { try await world.sleep(for: wait) } catch { return }
                // The API would answer 503.
                guard !world.conditions.store.isDown, !world.conditions.store.isReadOnly else { continue }
                serial += 1
                let life = Duration.seconds(60 * pow(360, random.nextUnit()))
                let name = "v\(cell)-\(serial)"
                do {
                    switch random.nextUnit() {
                    case ..<0.85:
                        let spec = vm(cell: cell, &random)
                        group.addTask { await self.keepVM(name, spec, for: life) }
                    case ..<0.95:
                        let spec = gang(cell: cell, &random)
                        group.addTask { await self.keepGroup("g\(name)", spec, for: life) }
                    default:
                        if let machine = random.pick(machines(of: cell)) {
                            let long = Duration.seconds(300 + random.below(3000))
                            group.addTask { await self.drain(machine.name.host, for: long) }
                        }
                    }
                }
            }
        }
    }

    private func machines(of cell: Int) -> [Machine] {
        let perCell = world.configuration.hostsPerCell
        return Array(world.machines[cell * perCell..<(cell + 1) * perCell])
    }

    private func vm(cell: Int, _ random: inout FaultRandom) -> VMSpec {
        let cores = [1, 2, 4, 8][random.below(4)]
        let wanted = random.chance(0.1) ? 1 + random.below(4) : 0
        let count = asksFor(devices: wanted, cell: cell) ? wanted : 0
        let group = random.chance(0.15) ? AntiAffinity(group: "apart-\(random.below(3))") : nil
        // Some leave the choice of the cell to the controllers.
        let named = random.chance(0.8)
        return VMSpec(
            cell: named ? machines(of: cell).first?.name.cell : nil,
            resources: Resources(milliCPU: cores * 1000, memoryMiB: cores * 4096),
            devices: count > 0 ? [DeviceRequest(model: "H100", count: count)] : nil,
            class: random.chance(0.2) ? .guaranteed : random.chance(0.2) ? .spot : nil, antiAffinity: group,
            onPartition: random.chance(0.4) ? .stop : nil)
    }

    /// Whether there are devices for a VM however those that were asked for before lie: otherwise a world
    /// could not recover, whatever controllers do. With five of eight asked for of each host, some host has
    /// four free.
    private func asksFor(devices count: Int, cell: Int) -> Bool {
        let most = 5 * machines(of: cell).count(where: \.name.hasDevices)
        return devices.withLock { asked in
            guard asked + count <= most else { return false }
            asked += count
            return true
        }
    }

    private func gang(cell: Int, _ random: inout FaultRandom) -> VMGroupSpec {
        var member = vm(cell: cell, &random)
        member.devices = nil
        member.antiAffinity = nil
        // So many that they can keep apart though a host is out.
        let most = max(1, min(4, world.configuration.hostsPerCell - 2))
        return VMGroupSpec(
            replicas: 2 + random.below(most), placement: random.chance(0.5) ? .all : .any,
            antiAffinity: random.chance(0.5) ? .host : nil, template: VMTemplate(spec: member))
    }

    // MARK: Lives

    private func keepVM(_ name: String, _ spec: VMSpec, for life: Duration) async {
        await keep(.vm, name, { try Self.text(spec) }, finalizer: Finalizer.allocations, for: life)
        let freed = spec.devices?.reduce(0) { $0 + $1.count } ?? 0
        devices.withLock { $0 -= freed }
    }

    private func keepGroup(_ name: String, _ spec: VMGroupSpec, for life: Duration) async {
        await keep(.vmGroup, name, { try Self.text(spec) }, finalizer: Finalizer.members, for: life)
    }

    private func keep(
        _ kind: Kind, _ name: String, _ spec: () throws -> String, finalizer: String, for life: Duration
    ) async {
        do {
            let draft = DocumentDraft(
                uid: ID(world.ids.next()), kind: kind, project: "team", name: name, finalizers: [finalizer],
                spec: try spec())
            _ = try await world.store.create([draft], context: context)
            world.trace.note(.created, name, draft.spec)
            try await world.sleep(for: life)
            _ = try await world.store.delete(
                kind, project: "team", name: name, precondition: .none, context: context)
            world.trace.note(.deleted, name)
        } catch is CancellationError {
            return
        } catch {
            world.fail("\(name): \(error)")
        }
    }

    private func drain(_ host: String, for duration: Duration) async {
        do {
            try await setDraining(host, true)
            world.trace.note(.drained, host)
            try await world.sleep(for: duration)
            try await setDraining(host, false)
        } catch is CancellationError {
            return
        } catch StoreError.notFound {
            // It has not said hello yet.
            return
        } catch {
            world.fail("drain of \(host): \(error)")
        }
    }

    private func setDraining(_ host: String, _ draining: Bool) async throws {
        _ = try await world.store.update(
            .host, project: nil, name: host, precondition: .none, context: context
        ) { resource in
            var spec = try JSONDecoder().decode(HostSpec.self, from: Data(resource.spec.utf8))
            spec.draining = draining ? true : nil
            spec.cordonReason = draining ? "maintenance" : nil
            resource.spec = try Self.text(spec)
        }
    }
}
