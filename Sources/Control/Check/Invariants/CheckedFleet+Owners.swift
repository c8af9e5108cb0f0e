import Fleet
import Store

extension CheckedFleet {
    /// Every allocation has its workload, unless it is quarantined; whatever runs has an unreleased
    /// allocation, quarantined or not, on the host where it runs.
    func partsWithoutOwner() -> [Finding] {
        let orphans = live.filter { !$0.quarantined && !workloads.contains($0.workload.uid) }.map {
            Finding(subject: $0.title, message: "its workload \($0.workload.title) does not exist")
        }
        let strays = runningParts().compactMap { entry -> Finding? in
            let allocation = allocations[entry.allocation]
            if let allocation, allocation.state.consumesCapacity, allocation.host == entry.host { return nil }
            let state =
                allocation.map {
                    $0.state == .released ? "its allocation is released" : "its allocation is elsewhere"
                }
                ?? "it has no allocation"
            return Finding(
                subject: "allocation \(entry.allocation)",
                message: "part \(entry.part) runs on \(name(of: entry.host)), but \(state)")
        }
        return orphans + strays + startedAfterRelease()
    }

    /// Starts of what the ledger had let go already.
    private func startedAfterRelease() -> [Finding] {
        snapshot.journals.compactMap { entry in
            guard entry.event == .start, let released = allocations[entry.allocation]?.releasedAt,
                released.advanced(by: snapshot.clockSkew) < entry.at
            else { return nil }
            return Finding(
                subject: "allocation \(entry.allocation)",
                message: "was released at \(released) and started on \(name(of: entry.host)) at \(entry.at)")
        }
    }

    /// Last starts that no stop followed, by host and allocation.
    private func runningParts() -> [JournalEntry] {
        var last: [JournalKey: JournalEntry] = [:]
        for entry in snapshot.journals { last[JournalKey(entry)] = entry }
        return last.values.filter { $0.event == .start }
    }
}

/// One allocation on one host, in journals.
struct JournalKey: Hashable {
    var host: ID<Document>
    var allocation: ID<Allocation>

    init(_ entry: JournalEntry) {
        host = entry.host
        allocation = entry.allocation
    }
}
