internal import Control
internal import Fleet
internal import Foundation
internal import Store
internal import Synchronization

/// Judges the invariants while the world runs, and its recovery at the end.
final class Judge: Sendable {
    /// Runs that ended longer ago are not looked at again.
    static let runsKept = Duration.seconds(3600)
    /// How often recovery is looked for.
    private static let lookEvery = Duration.seconds(10)
    /// Violations that are kept; more do not explain more.
    private static let limit = 20

    let world: World

    init(world: World) { self.world = world }

    /// Looks again and again until a time.
    func watch(until end: Int64) async {
        while world.clock.now < end {
            let next = min(end, world.clock.now + world.configuration.checkEvery.microseconds)
            do { try await world.clock.sleep(until: next) } catch { return }
            await check()
        }
    }

    /// Judges every invariant now.
    func check() async {
        do {
            let violations = check(try await snapshot())
            note(violations.map { ("invariant \($0.invariant)", $0.subject, $0.message) })
        } catch {
            world.fail("the invariants could not be judged: \(error)")
        }
    }

    private func check(_ snapshot: FleetSnapshot) -> [InvariantViolation] { Control.check(snapshot) }

    private func snapshot() async throws -> FleetSnapshot {
        let now = world.clock.wall
        var snapshot = try await FleetSnapshot.load(from: world.store)
        let cut = now.advanced(by: .zero - Self.runsKept)
        snapshot.take(world.machines.flatMap { $0.runs(endedAfter: cut) }, readAt: now)
        let epoch = try await world.store.clusterState().epoch
        let seen = snapshot.hosts.map { HostObservation($0, epoch: epoch) }
        snapshot.observations = world.ledger.history(until: seen)
        world.verdict.withLock { $0.events = snapshot.events.count }
        return snapshot
    }

    /// Judges what changed in the ledger since the last look.
    func checkLedger() async {
        do {
            let violations = try await world.ledger.look(at: world.store)
            note(violations.map { ("invariant \($0.invariant)", $0.subject, $0.message) })
        } catch {
            world.fail("the ledger could not be judged: \(error)")
        }
    }

    private func note(_ found: [(String, String, String)]) {
        guard !found.isEmpty else { return }
        let tail = world.trace.tail
        world.verdict.withLock { verdict in
            if verdict.violations.isEmpty { verdict.lastEvents = tail }
            for (invariant, subject, message) in found {
                let isKnown = verdict.violations.contains {
                    $0.invariant == invariant && $0.subject == subject
                }
                guard !isKnown, verdict.violations.count < Self.limit else { continue }
                verdict.violations.append(
                    WorldViolation(
                        at: world.now, invariant: invariant, subject: subject, message: message))
            }
        }
        for (invariant, subject, message) in found.prefix(Self.limit) {
            world.trace.note(.violation, "\(invariant) \(subject)", message)
        }
    }

    // MARK: Recovery

    /// Faults are over; within `bound` everything wanted runs, and nothing is unknown.
    func expectRecovery(within bound: Duration) async {
        let end = world.clock.now + bound.microseconds
        var ailing: [Ailment] = []
        repeat {
            do {
                try await world.clock.sleep(for: Self.lookEvery)
                try await Person(world: world).tidy()
                ailing = try await ailments()
            } catch {
                return world.fail("recovery could not be judged: \(error)")
            }
        } while !ailing.isEmpty && world.clock.now < end
        note(ailing.map { ("liveness", $0.subject, $0.message) })
        await check()
        await sumUp()
    }

    struct Ailment: Hashable {
        var subject: String
        var message: String
    }

    private func ailments() async throws -> [Ailment] {
        var found: [Ailment] = []
        for host in try await world.store.hosts(.all) {
            if host.contact != .ready {
                found.append(Ailment(subject: "host \(host.name)", message: "is \(host.contact)"))
            }
        }
        for vm in try await world.store.all(.vm) {
            let name = vm.metadata.name
            let status = try JSONDecoder().decode(StateOnly.self, from: Data(vm.status.utf8))
            if vm.metadata.deletionTimestamp != nil {
                found.append(Ailment(subject: "VM \(name)", message: "is still being deleted"))
            } else if status.state != .running {
                let state = status.state?.rawValue ?? "without a status"
                found.append(Ailment(subject: "VM \(name)", message: "is \(state)"))
            }
        }
        for allocation in try await world.store.allocations(.live) where allocation.quarantined {
            found.append(Ailment(subject: "allocation \(allocation.id)", message: "is quarantined"))
        }
        return found
    }

    private struct StateOnly: Decodable { var state: WorkloadState? }

    /// The end state goes into the trace as well.
    private func sumUp() async {
        do {
            for host in try await world.store.hosts(.all) {
                world.trace.note(.storeEvent, host.name, "\(host.generation) \(host.assignment) \(host.room)")
            }
            let vms = try await world.store.all(.vm)
            for vm in vms { world.trace.note(.storeEvent, vm.metadata.name, vm.status) }
            let made = try await world.store.vmHistory(VMHistoryQuery()).count
            world.verdict.withLock { $0.vms = vms.count + made }
        } catch {
            world.fail("the end state could not be read: \(error)")
        }
    }
}
