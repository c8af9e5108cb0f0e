internal import FaultLab
internal import FaultSeam
internal import NodeAgent

extension EffectMaker {
    /// The programs of a target are told to fail, until the end of the lease at the latest.
    func seam(_ entry: TargetFile.Entry, _ order: InjectorOrders.Order) throws -> Effect {
        let folders = (entry.seams ?? []).map { SeamFolder($0) }
        guard folders.contains(where: \.isWatched) else {
            throw InjectionError("no program of \(order.target) watches its fault seam")
        }
        let name = Arming.id(order)
        let deadline = clock.now().advanced(by: .seconds(order.leaseSeconds)).microseconds
        let fault = SeamFault(
            kind: order.kind, target: order.target, parameters: order.parameters, deadline: deadline,
            bootID: clock.bootID)
        // What a host has is asked once, when its agent starts.
        let restart = order.kind == .wrongInventory ? entry.program : nil
        let spawner = spawner
        return Effect(
            undo: [.clearSeam(folders: folders.map(\.path), name: name, restart: restart)],
            apply: {
                for folder in folders { try folder.write(fault, named: name) }
                guard let restart else { return }
                try await ProcessTable.endAll(restart.command)
                try spawner.start(restart.command, environment: restart.environment ?? [:], log: restart.log)
            },
            isSeen: {
                guard folders.allSatisfy({ $0.holds(name) }) else { return false }
                return restart.map { !ProcessTable.running($0.command).isEmpty }
                    ?? folders.contains(where: \.isWatched)
            })
    }
}
