import Fleet
import Store

extension CheckedFleet {
    /// A plan is applied once, an allocation is made once and by a plan that was applied.
    func plansAppliedAgain() -> [Finding] {
        let again = snapshot.plans.repeated().map {
            Finding(subject: "plan \($0)", message: "was applied more than once")
        }
        let made = snapshot.feed.filter { $0.kind == .allocation && $0.change == .created }.map(\.uid)
        let madeAgain = made.repeated().map {
            Finding(subject: "allocation \($0)", message: "was made more than once")
        }
        let applied = Set(snapshot.plans)
        let unplanned = snapshot.allocations.compactMap { allocation -> Finding? in
            guard let plan = allocation.plan, !applied.contains(plan) else { return nil }
            return Finding(subject: allocation.title, message: "its plan \(plan) was never applied")
        }
        return again + madeAgain + unplanned
    }
}
