internal import FaultLab
internal import Fleet

/// What is modelled and not simulated: its series, its lines, and what puts it right.
extension ProblemWorld {
    /// Lines that are kept.
    private static let keptLines = 2000

    /// Verbs that are carried out on what is modelled.
    private static let verbs: Set<ActionVerb> = [
        .upgradeAgent, .resetGPU, .markGPU, .evacuate, .cancelMigration, .restartWorkload, .setWorkload,
        .releaseClaim, .restoreCheckpoint, .rollbackPolicy, .rollbackModel, .rotateCredential, .restoreGrant,
        .terminateDatabaseSession, .tuneDatabase, .scale, .setRouteWeights,
    ]

    // MARK: Showing

    func readSurroundings(_ reading: inout FleetReading) {
        for signal in Surroundings.signals {
            for component in surroundings[signal.kind] ?? []
            where signal.names.isEmpty || signal.names.contains(component.path) {
                reading.set(component, signal.series, signal.healthy)
            }
        }
        for fault in active.values {
            for show in fault.model?.shows ?? [] {
                reading.set(ComponentName(named(show.component)), show.series, show.value)
            }
        }
    }

    func shown(by fault: ActiveFault) -> Set<ComponentName> {
        Set((fault.model?.shows ?? []).map { ComponentName(named($0.component)) })
    }

    func sayModelled() {
        for (_, fault) in active.sorted(by: { $0.key < $1.key }) {
            for (component, level, message) in fault.model?.says ?? [] {
                said.append(
                    LogLine(
                        at: now, component: ComponentName(named(component)), level: level,
                        message: named(message)))
            }
        }
        if said.count > Self.keptLines { said.removeFirst(said.count - Self.keptLines) }
    }

    func modelledRow(_ component: ComponentName) -> [String: String] {
        var row = ["name": component.path]
        for signal in Surroundings.signals where signal.kind == component.kind {
            row[signal.series] = monitor.last(component, signal.series).map { "\($0)" }
        }
        return row
    }

    /// Puts the problem's names in the place of words in braces.
    private func named(_ text: String) -> String {
        problem.bindings.reduce(text) { $0.replacing("{\($1.key)}", with: $1.value) }
    }

    // MARK: Acting

    /// Nil of what a world carries out itself.
    func modelled(_ write: WriteAction) -> Observation? {
        guard Self.verbs.contains(write.verb) else { return nil }
        if write.verb == .markGPU, !["healthy", "unhealthy", "excluded"].contains(write.text("state") ?? "") {
            return .message("A GPU is healthy, unhealthy or excluded.", status: .error)
        }
        let isWanted = active.values.contains { fault in
            fault.model?.cures.joined().contains(write.verb) == true && concerns(write, fault)
        }
        let object = write.object
        // Documents and processes of the world are written and restarted as ever.
        let isSimulated = ["agent", "vm"].contains(object.kind) || former[object.path] != nil
        let isKnown =
            surroundings[object.kind]?.contains { $0.means(object) } == true
            || surroundings["job"]?.contains { $0.path == object.description } == true
        guard isWanted || isKnown && !isSimulated else { return nil }
        return .message("\(write.verb.rawValue) \(object): done.")
    }

    /// Whether an action is done to what the fault is of.
    private func concerns(_ write: WriteAction, _ fault: ActiveFault) -> Bool {
        let truth = problem.truth
        var objects = truth.components + truth.also + fault.hosts.map { ComponentName(kind: "host", $0) }
        objects += (fault.model?.objects ?? []).map { ComponentName(named($0)) }
        objects += shown(by: fault)
        return objects.contains { $0.means(write.object) }
    }

    /// Ends a fault when the action completes what puts it right.
    ///
    /// - Returns: whether it helped, if only by a part.
    func cure(_ fault: ActiveFault, _ write: WriteAction) async -> Bool {
        guard let model = fault.model, model.cures.joined().contains(write.verb), concerns(write, fault)
        else { return false }
        active[fault.fault.id]?.tried.insert(write.verb)
        let tried = active[fault.fault.id]?.tried ?? []
        guard model.cures.contains(where: { tried.isSuperset(of: $0) }) else { return true }
        active[fault.fault.id] = nil
        await pass(.seconds(model.seconds))
        return true
    }
}
