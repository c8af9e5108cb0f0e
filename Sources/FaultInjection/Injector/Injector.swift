public import FaultLab
internal import Fleet
internal import Foundation
public import Logging
public import NodeAgent

/// Does faults to the targets of one machine and takes them back.
///
/// What takes a fault back is on disk before the fault is done. The lease is kept by the sentinel, a process
/// of its own that needs neither the injector nor a control plane; whoever comes first takes back, under the
/// lock of the injection's file.
public final class Injector: Sendable {
    public let targets: TargetFile
    let folder: ArmingFolder
    let clock: any AgentClock
    let logger: Logger
    let spawner: Spawner
    private let maker: EffectMaker
    private let endAt: EndPoint?

    /// How long an effect may take to be seen.
    private static let verification = Duration.seconds(3)
    private static let lookEvery = Duration.milliseconds(50)

    /// - Parameters:
    ///   - program: path of `basalt-injector`.
    ///   - endAt: ends this process there, for tests.
    public init(
        targets: TargetFile, folder: ArmingFolder, program: String, clock: any AgentClock, logger: Logger,
        endAt: EndPoint? = nil
    ) {
        self.targets = targets
        self.folder = folder
        self.clock = clock
        self.logger = logger
        self.endAt = endAt
        spawner = Spawner(owner: folder.path)
        maker = EffectMaker(targets: targets, spawner: spawner, program: program, clock: clock)
    }

    /// Does a fault to a target, once: what is on disk already is left alone.
    /// - Throws: why it is not in effect. Nothing is left of it, or its lease will take it back.
    public func arm(_ order: InjectorOrders.Order) async throws {
        let id = Arming.id(order)
        guard !folder.holds(id) else { return }
        let effect = try await maker.effect(of: order)
        let lease = Duration.seconds(order.leaseSeconds)
        let arming = Arming(
            order, deadline: clock.now().advanced(by: lease), bootID: clock.bootID,
            until: clock.wallTime().advanced(by: lease), undo: effect.undo)
        reach(.planned)
        var lock: ArmingFolder.Lock? = try folder.write(arming)
        reach(.written)
        do {
            try await effect.apply()
            reach(.applied)
            try await verify(effect)
            reach(.verified)
        } catch {
            lock = nil
            logger.warning("the fault is not in effect", metadata: ["arming": "\(id)", "error": "\(error)"])
            try await revert(id)
            throw error
        }
        // Held until here, so that nobody takes back what is not yet done.
        _ = lock
        logger.notice("injected", metadata: ["arming": "\(id)", "until": "\(arming.until)"])
    }

    private func verify(_ effect: Effect) async throws {
        let deadline = clock.now().advanced(by: Self.verification)
        while true {
            if try await effect.isSeen() { return }
            guard clock.now() < deadline else { throw InjectionError("the fault showed no effect") }
            try await clock.sleep(until: clock.now().advanced(by: Self.lookEvery))
        }
    }

    /// Takes an injection back.
    /// - Returns: false when another process has it in hand.
    /// - Throws: when something of it may be left; it is to be tried again.
    @discardableResult
    public func revert(_ id: String) async throws -> Bool {
        guard folder.holds(id) else { return true }
        guard let (arming, lock) = try folder.take(id) else { return !folder.holds(id) }
        reach(.reverting)
        for step in arming.undo { try await step.perform(spawner) }
        reach(.undone)
        try folder.remove(id)
        reach(.removed)
        _ = lock
        logger.notice("taken back", metadata: ["arming": "\(id)"])
        return true
    }

    /// Takes back what is due, or everything.
    /// - Returns: what was taken back.
    public func sweep(everything: Bool) async -> [Arming] {
        var swept: [Arming] = []
        do {
            let now = clock.now()
            for arming in try folder.all() where everything || arming.isDue(at: now, bootID: clock.bootID) {
                do {
                    if try await revert(arming.id) { swept.append(arming) }
                } catch {
                    logger.error(
                        "not taken back yet", metadata: ["arming": "\(arming.id)", "error": "\(error)"])
                }
            }
        } catch {
            logger.error("the injections cannot be read", metadata: ["error": "\(error)"])
        }
        return swept
    }

    /// Processes that carry a mark of this injector, and of no injection on disk.
    public func strays() throws -> [String] {
        let known = Set(try folder.ids())
        return ProcessTable.marks(of: folder.path).filter { !known.contains($0) }
    }

    /// Ends them.
    public func endStrays() throws -> [String] {
        let strays = try strays()
        for mark in strays { ProcessTable.end(ProcessTable.marked(mark)) }
        return strays
    }

    func reach(_ point: EndPoint) { point.pass(endAt) }
}
