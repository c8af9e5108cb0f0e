package import Fleet

/// What events say of constraints, the same in both stores.
extension ScopeConstraint {
    package var eventReason: Reason { verb == .kill ? .oversubscriptionStopped : .ratioConstrained }

    package var eventMessage: String {
        let ratio = ratioPerMille.map { " at \($0)/1000" } ?? ""
        let until = expiresAt.map { " until \($0)" } ?? ""
        return "\(verb.rawValue)\(ratio)\(until): \(reason)"
    }
}
