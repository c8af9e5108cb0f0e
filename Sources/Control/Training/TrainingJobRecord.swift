internal import Fleet
internal import Store

/// A training job of a cell, its documents read.
struct TrainingJobRecord: PartedWorkload {
    static let kind = Kind.trainingJob
    static let engine = Plan.Engine.training

    var metadata: Metadata
    var spec: TrainingJobSpec
    var status: TrainingJobStatus

    init(_ resource: Resource) throws {
        metadata = resource.metadata
        spec = try Self.decoded(TrainingJobSpec.self, resource.spec)
        status =
            resource.status == "{}"
            ? TrainingJobStatus() : try Self.decoded(TrainingJobStatus.self, resource.status)
    }

    var named: [ID<Allocation>] { status.parts.map(\.allocation) }

    mutating func inherit(from known: any PartedWorkload) {}

    mutating func ended(_ allocation: Allocation, wasAsked: Bool) {}

    mutating func refused(_ reason: Reason, now: Timestamp) {}

    func settled(_ parts: [PartView], now: Timestamp) throws -> Settlement? {
        var next = status
        next.observedGeneration = metadata.generation
        next.cell = parts.first?.allocation.cell ?? spec.cell ?? status.cell
        next.parts = parts.map(\.status)
        let isRunning = !parts.isEmpty && parts.allSatisfy { $0.allocation.state == .active }
        next.state = parts.isEmpty ? .pending : isRunning ? .running : .starting
        return next == status ? nil : Settlement(status: try CellPipeline.encoded(next))
    }
}
