internal import Fleet
internal import Store

/// What a group's members lack, given those that there are: pure.
struct MemberWork: Equatable {
    /// Ordinals to be made. One whose earlier VM is being deleted waits for its name.
    var missing: [Int] = []
    /// To be deleted, the highest ordinals first.
    var surplus: [ID<Document>] = []

    var isEmpty: Bool { missing.isEmpty && surplus.isEmpty }

    /// - Parameter members: VMs of the group, those that are being deleted included.
    init(group: Metadata, spec: VMGroupSpec, members: [VMRecord]) {
        let wanted = group.deletionTimestamp == nil ? spec.replicas : 0
        let present = Set(members.map(\.ordinal))
        missing = (0..<wanted).filter { !present.contains($0) }
        surplus = members.filter { $0.isKept && $0.ordinal >= wanted }
            .sorted { $0.ordinal > $1.ordinal }.map(\.metadata.uid)
    }

    /// What the group's history says of it.
    func events(about group: VMGroupRecord, members: [VMRecord], cell: String?) -> [EventDraft] {
        func event(_ reason: Reason, _ message: String) -> EventDraft {
            EventDraft(
                kind: .vmGroup, project: group.metadata.project, name: group.metadata.name,
                uid: group.metadata.uid, reason: reason, message: message, source: VMGroupsReconciler.source)
        }
        var events: [EventDraft] = []
        if !missing.isEmpty {
            let place = cell.map { " in cell \($0)" } ?? ""
            events.append(event(.membersCreated, "made \(Self.names(missing, of: group))\(place)"))
        }
        if !surplus.isEmpty {
            let gone = Set(surplus)
            let ordinals = members.filter { gone.contains($0.metadata.uid) }.map(\.ordinal).sorted()
            events.append(event(.membersDeleted, "deletes \(Self.names(ordinals, of: group))"))
        }
        return events
    }

    /// `web-0 and web-2 to web-7`.
    static func names(_ ordinals: [Int], of group: VMGroupRecord) -> String {
        var runs: [ClosedRange<Int>] = []
        for ordinal in ordinals {
            if let last = runs.last, last.upperBound + 1 == ordinal {
                runs[runs.count - 1] = last.lowerBound...ordinal
            } else {
                runs.append(ordinal...ordinal)
            }
        }
        func name(_ ordinal: Int) -> String { VMGroupSpec.memberName(group.metadata.name, ordinal) }
        let words = runs.map {
            $0.count == 1 ? name($0.lowerBound) : "\(name($0.lowerBound)) to \(name($0.upperBound))"
        }
        return words.count < 3
            ? words.joined(separator: " and ")
            : words.dropLast().joined(separator: ", ") + " and " + words[words.count - 1]
    }
}
