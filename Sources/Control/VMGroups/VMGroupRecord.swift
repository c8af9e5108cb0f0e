internal import Fleet
internal import Foundation
internal import Store

/// A VM group, its documents read.
struct VMGroupRecord {
    var metadata: Metadata
    var spec: VMGroupSpec
    var status: VMGroupStatus

    init(_ resource: Resource) throws {
        let decoder = JSONDecoder()
        metadata = resource.metadata
        spec = try decoder.decode(VMGroupSpec.self, from: Data(resource.spec.utf8))
        status =
            resource.status == "{}"
            ? VMGroupStatus() : try decoder.decode(VMGroupStatus.self, from: Data(resource.status.utf8))
    }

    /// Where its members live, or nil while that is not chosen. Members that are there decide: they may have
    /// been made just before a controller died.
    func cell(members: [VMRecord]) -> String? {
        spec.template.spec.cell ?? members.lazy.compactMap(\.status.cell).first ?? status.cell
    }

    /// One member as it would be made now.
    func member(ordinal: Int, uid: ID<Document>, cell: String?) throws -> DocumentDraft {
        let status = spec.isGang ? try CellPipeline.encoded(VMStatus(cell: cell)) : "{}"
        return DocumentDraft(
            uid: uid, kind: .vm, project: metadata.project,
            name: VMGroupSpec.memberName(metadata.name, ordinal),
            labels: spec.memberLabels(of: metadata.name), finalizers: [Finalizer.allocations],
            spec: try CellPipeline.encoded(spec.memberSpec(of: metadata, ordinal: ordinal)), status: status)
    }
}

extension VMRecord {
    /// Whether it is there to stay.
    var isKept: Bool { metadata.deletionTimestamp == nil }
    /// -1 for a VM that no group made.
    var ordinal: Int { spec.group?.ordinal ?? -1 }
    var condition: Condition? {
        status.conditions.first { $0.type == (status.allocation == nil ? .scheduled : .running) }
    }
}
