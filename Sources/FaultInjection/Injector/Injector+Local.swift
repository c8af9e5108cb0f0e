public import FaultLab
internal import Foundation
internal import NodeAgent

extension Injector {
    /// Injects without a control plane. The sentinel takes it back when its lease is over, or this process
    /// does earlier.
    ///
    /// - Parameters:
    ///   - sentinel: command line that starts one.
    ///   - early: when it is taken back before its lease is over; nil leaves it to the sentinel.
    public func inject(
        _ order: InjectorOrders.Order, directory: String, sentinel: [String], takingBackAfter early: Duration?
    ) async throws {
        // The sentinel stays for as long as there is an injector; one that works here already serves as well.
        let held = try Sentinel.injectorPresence(in: directory).hold()
        defer { withExtendedLifetime(held) {} }
        try await Sentinel.ensure(self, directory: directory, command: sentinel)
        try await arm(order)
        reach(.told)
        guard let early else { return }
        try await clock.sleep(until: clock.now().advanced(by: early))
        try await revert(Arming.id(order))
    }
}
