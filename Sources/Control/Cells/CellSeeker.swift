internal import Fleet
internal import Store

/// A workload that may name its cell, and else is given one.
protocol CellSeeker: Sendable {
    static var kind: Kind { get }
    /// What is said of one that no cell can take.
    static var nowhere: String { get }

    init(_ resource: Resource) throws

    var metadata: Metadata { get }
    /// The cell that it lives in: its owner's choice, or ours.
    var cell: String? { get }

    /// Its status with the cell that it is given, as JSON; nil when the document says so already.
    func housed(in cell: String?, _ scheduled: Condition) throws -> String?
}

extension VMRecord: CellSeeker {
    static let kind = Kind.vm
    static let nowhere = "no cell has the room, the devices, the pool and the labels"

    var cell: String? { spec.cell ?? status.cell }

    func housed(in cell: String?, _ scheduled: Condition) throws -> String? {
        var next = status
        next.observedGeneration = metadata.generation
        next.cell = cell
        next.conditions.set(scheduled)
        return next == status ? nil : try CellPipeline.encoded(next)
    }
}
