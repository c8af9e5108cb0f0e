internal import Fleet
internal import Store

/// A serving deployment of a cell, its documents read.
struct ServingDeploymentRecord: PartedWorkload {
    static let kind = Kind.servingDeployment
    static let engine = Plan.Engine.serving

    var metadata: Metadata
    var spec: ServingDeploymentSpec
    var status: ServingDeploymentStatus

    init(_ resource: Resource) throws {
        metadata = resource.metadata
        spec = try Self.decoded(ServingDeploymentSpec.self, resource.spec)
        status =
            resource.status == "{}"
            ? ServingDeploymentStatus() : try Self.decoded(ServingDeploymentStatus.self, resource.status)
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
        next.state = parts.isEmpty ? .pending : isRunning ? .running : .scheduled
        if metadata.deletionTimestamp != nil { next.state = .stopping }
        return next == status ? nil : Settlement(status: try CellPipeline.encoded(next))
    }
}
