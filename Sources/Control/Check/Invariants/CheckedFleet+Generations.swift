import Fleet
import Store

extension CheckedFleet {
    /// Generations of hosts rise from observation to observation, those that agents acted on from line to
    /// line, cursors from entry to entry.
    func fallingGenerations() -> [Finding] {
        hostsThatFell() + journalsThatFell() + feedThatFell()
    }

    private func hostsThatFell() -> [Finding] {
        var found: [Finding] = []
        for host in snapshot.hosts {
            // The row itself does not say its epoch; it is at least the last one observed.
            let history = observations[host.id] ?? []
            let epoch = max(history.last?.generation.epoch ?? 1, history.last?.assignment.epoch ?? 1)
            let states = history + [HostObservation(host, epoch: epoch)]
            for (earlier, later) in zip(states, states.dropFirst()) {
                if later.generation < earlier.generation {
                    found.append(
                        fell("host \(host.name)", "generation", earlier.generation, later.generation))
                }
                if later.assignment < earlier.assignment {
                    found.append(
                        fell("host \(host.name)", "assignment", earlier.assignment, later.assignment))
                }
            }
        }
        return found
    }

    private func journalsThatFell() -> [Finding] {
        Dictionary(grouping: snapshot.journals, by: \.host).flatMap { host, entries in
            zip(entries, entries.dropFirst()).compactMap { earlier, later in
                guard later.generation < earlier.generation else { return nil }
                return fell(name(of: host), "journal", earlier.generation, later.generation)
            }
        }
    }

    private func feedThatFell() -> [Finding] {
        zip(snapshot.feed, snapshot.feed.dropFirst()).compactMap { earlier, later in
            guard later.cursor <= earlier.cursor else { return nil }
            return Finding(
                subject: "feed", message: "\(later.cursor.text) follows \(earlier.cursor.text)")
        }
    }

    private func fell(_ subject: String, _ what: String, _ from: Generation, _ to: Generation) -> Finding {
        Finding(
            subject: subject,
            message: "\(what) fell from \(from.epoch).\(from.number) to \(to.epoch).\(to.number)")
    }
}
