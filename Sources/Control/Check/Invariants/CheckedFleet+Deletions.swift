import Fleet
import Store

extension CheckedFleet {
    /// What is gone was asked to go, and what was released had stopped or was fenced.
    func vanishedThings() -> [Finding] {
        vanishedRows() + deletedTooSoon() + releasedWhileRunning()
    }

    /// Rows that the feed or the ledger knows and that nobody deleted.
    private func vanishedRows() -> [Finding] {
        let deleted = Set(snapshot.feed.filter { $0.change == .deleted }.map(\.uid))
        let known = Set(snapshot.allocations.map { $0.id.uuid })
        let made = snapshot.feed.filter { $0.change == .created && !deleted.contains($0.uid) }
        let gone = made.compactMap { entry -> Finding? in
            let isThere =
                switch entry.kind {
                case .allocation: known.contains(entry.uid.uuid)
                case .vm, .vmGroup, .trainingJob, .servingDeployment: workloads.contains(entry.uid)
                case .host: hosts[entry.uid] != nil
                default: true
                }
            guard !isThere else { return nil }
            return Finding(
                subject: "\(entry.kind.rawValue) \(entry.uid)", message: "is gone and nobody deleted it")
        }
        let homeless = Set(live.map(\.host)).filter { hosts[$0] == nil && !made.map(\.uid).contains($0) }.map
        {
            Finding(subject: "Host \($0)", message: "is gone with unreleased allocations")
        }
        return gone + homeless
    }

    /// Documents that went while somebody still had to finish.
    private func deletedTooSoon() -> [Finding] {
        snapshot.feed.filter { $0.change == .deleted }.compactMap { entry in
            guard let final = entry.final else {
                return Finding(
                    subject: "\(entry.kind.rawValue) \(entry.uid)", message: "left no last version")
            }
            guard !final.metadata.finalizers.isEmpty, final.metadata.deletionTimestamp == nil else {
                return nil
            }
            let held = final.metadata.finalizers.joined(separator: ", ")
            return Finding(
                subject: "\(entry.kind.rawValue) \(entry.uid)",
                message: "was deleted unasked, held by \(held)")
        }
    }

    /// Parts whose stop the journal dates after their release. What still runs has no owner and is found
    /// there.
    private func releasedWhileRunning() -> [Finding] {
        let fenced = Set(snapshot.events.filter { $0.reason == .hostFenced }.map(\.uid))
        var running: [JournalKey: JournalEntry] = [:]
        var found: [Finding] = []
        for entry in snapshot.journals {
            let key = JournalKey(entry)
            guard entry.event == .stop else {
                running[key] = entry
                continue
            }
            guard running.removeValue(forKey: key) != nil, let allocation = allocations[entry.allocation],
                let released = allocation.releasedAt, !fenced.contains(allocation.workload.uid),
                released.advanced(by: snapshot.clockSkew) < entry.at
            else { continue }
            found.append(
                Finding(
                    subject: allocation.title,
                    message: "was released at \(released) and ran until \(entry.at)"))
        }
        return found
    }
}
