internal import Fleet
internal import Store

/// Keys that a stretch of the feed touches, each once.
struct ChangedRows {
    var hosts: Set<ID<Document>> = []
    var vms: Set<ID<Document>> = []
    var groups: Set<ID<Document>> = []
    var allocations: Set<ID<Allocation>> = []
    var pools: Set<String> = []
    var flavors: Set<String> = []
    var policies: Set<String> = []
    var models: Set<String> = []
    var projects: Set<String> = []
    var isCell = false

    /// Whether policies, or what names them, may have changed.
    var movesRates: Bool { isCell || !pools.isEmpty || !policies.isEmpty || !hosts.isEmpty }

    mutating func note(_ entry: FeedEntry, cell: String) {
        switch entry.kind {
        case .cell: isCell = isCell || entry.name == cell
        case .flavor: flavors.insert(entry.name)
        case .policy: policies.insert(entry.name)
        case .model: models.insert(entry.name)
        case .pool: pools.insert(entry.name)
        case .project: projects.insert(entry.name)
        // A host that moves to another cell is noted by both.
        case .host: hosts.insert(entry.uid)
        // Its members may be of this cell.
        case .vmGroup: groups.insert(entry.uid)
        case .vm where entry.cell == cell: vms.insert(entry.uid)
        case .allocation where entry.cell == cell: allocations.insert(ID(entry.uid.uuid))
        default: break
        }
    }
}
