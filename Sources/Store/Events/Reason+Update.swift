package import Fleet

extension Reason {
    /// Reason of the event about an update: what an operator asked of a host, else that it was updated.
    package static func ofUpdate(kind: Kind, before: JSONContent, after: JSONContent) -> Reason {
        guard kind == .host else { return .updated }
        let (drained, drains) = (before["draining"]?.isTrue == true, after["draining"]?.isTrue == true)
        let (cordoned, cordons) = (before["cordoned"]?.isTrue == true, after["cordoned"]?.isTrue == true)
        if drains, !drained { return .draining }
        if cordons, !cordoned { return .cordoned }
        if cordoned || drained, !cordons, !drains { return .uncordoned }
        return .updated
    }
}
