import Fleet

/// What of a queue is placed whole or not at all.
enum PlacementUnit {
    case single(VMRequest)
    /// In the order of ordinals.
    case gang([VMRequest])

    /// The units of a queue, in the order of the earliest request of each; gangs that are not whole are left
    /// out.
    static func units(of queue: [VMRequest]) -> [PlacementUnit] {
        let gangs = Dictionary(grouping: queue.filter { $0.gang != nil }, by: { $0.gang?.group })
        var met: Set<ID<Document>> = []
        return queue.compactMap { request in
            guard let gang = request.gang else { return .single(request) }
            guard met.insert(gang.group).inserted, let members = gangs[gang.group],
                members.count == gang.count
            else { return nil }
            return .gang(members.sorted { ($0.gang?.ordinal ?? 0) < ($1.gang?.ordinal ?? 0) })
        }
    }
}
