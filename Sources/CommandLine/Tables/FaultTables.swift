internal import APITypes
internal import FaultLab
internal import Fleet

/// How faults are shown.
enum FaultTables {
    static func list(_ faults: [FaultRecord], now: Timestamp) throws -> Presentation {
        let table = Table(
            [
                .init("NAME", minimum: 8), .init("KIND"), .init("STATE"), .init("TARGETS", .always, .right),
                .init("LEASE", .always, .right), .init("AGE", .always, .right),
            ],
            faults.map { fault in
                [
                    Text(fault.name), Text(fault.spec.kind.rawValue), state(fault.state),
                    Text("\(fault.targets.count)"),
                    Text(DurationText.short(.seconds(fault.spec.leaseSeconds))),
                    Text(DurationText.short(now.since(fault.createdAt))),
                ]
            })
        return Presentation(
            [.table(table)], names: faults.map { "fault/\($0.name)" },
            value: .object(["items": .array(try faults.map { try Serialization.tree($0) })]))
    }

    static func fault(_ fault: FaultRecord, isTrial: Bool) throws -> Presentation {
        let table = Table(
            [
                .init("NAME"), .init("PHASE"), .init("HITS", .always, .right), .init("INJECTOR"),
                .init("MESSAGE"),
            ],
            fault.targets.map { target in
                [
                    Text(target.target.description), Text(target.phase.rawValue),
                    Text("\(target.injectedCount)"),
                    Text(target.injector), Text(optional: target.message),
                ]
            })
        var blocks: [Presentation.Block] = [
            .fields([
                .init("Name", Text(fault.name)), .init("Kind", Text(fault.spec.kind.rawValue)),
                .init("State", isTrial ? "dry run: nothing is done" : state(fault.state)),
                .init("Lease", Text(DurationText.short(.seconds(fault.spec.leaseSeconds)))),
                .init("Blast radius", Text("\(fault.spec.radius)")),
                .init("Reason", Text(optional: fault.reason)),
            ])
        ]
        blocks.append(.table(table))
        return Presentation(
            blocks, names: ["fault/\(fault.name)"], value: try Serialization.tree(fault))
    }

    private static func state(_ state: FaultRecord.State) -> Text {
        switch state {
        case .planned, .arming, .recovering, .paused: Text(state.rawValue, .warning)
        case .active, .failed, .orphaned: Text(state.rawValue, .bad)
        case .recovered: Text(state.rawValue, .good)
        }
    }

    /// What a person has to look after.
    static func findings(_ injectors: [InjectorSummary], _ faults: [FaultRecord]) -> [String] {
        var found: [String] = []
        for injector in injectors {
            found += injector.leftovers.map {
                "injector \(injector.name): \($0) is in effect unaccounted for"
            }
            if !injector.isPresent { found.append("injector \(injector.name) is silent") }
        }
        for fault in faults where fault.isOpen {
            found += fault.targets.filter { $0.phase == .orphaned }.map {
                "fault \(fault.name): \($0.target) may still suffer; injector \($0.injector) does not tell"
            }
        }
        return found
    }

    static func doctor(
        _ injectors: [InjectorSummary], _ findings: [String], now: Timestamp
    ) throws -> Presentation {
        let table = Table(
            [
                .init("NAME", minimum: 8), .init("TARGETS", .always, .right),
                .init("SEEN", .always, .right),
            ],
            injectors.map { injector in
                [
                    Text(injector.name, injector.isPresent ? .good : .bad),
                    Text("\(injector.targets.count)"),
                    Text(DurationText.short(now.since(injector.seenAt))),
                ]
            })
        return Presentation(
            [.table(table), .lines(findings.isEmpty ? ["nothing is left"] : findings)],
            names: injectors.map { "injector/\($0.name)" },
            value: .object([
                "injectors": .array(try injectors.map { try Serialization.tree($0) }),
                "findings": .array(findings.map { .string($0) }),
            ]))
    }
}
