import Fleet
import Synchronization

/// What is asked of the JSON of documents again and again, kept with the texts that it was read from.
final class DocumentReadings: Sendable {
    struct Reading: Sendable {
        fileprivate var spec: String
        fileprivate var status: String
        /// The cell that the document belongs to.
        var cell: String?
        /// uid of the group that made a VM, as its spec says.
        var group: String?

        fileprivate init(_ resource: Resource) throws {
            (spec, status) = (resource.spec, resource.status)
            cell = try DocumentReference.cell(
                of: resource.kind, name: resource.metadata.name, spec: spec, status: status)
            if resource.kind == .vm { group = try JSONContent(spec)["group"]?["uid"]?.text }
        }
    }

    private let readings = Mutex<[ID<Document>: Reading]>([:])

    /// - Throws: `StoreError.corrupt` for a text that is no JSON.
    func reading(of resource: Resource) throws -> Reading {
        let uid = resource.metadata.uid
        if let known = readings.withLock({ $0[uid] }), known.spec == resource.spec,
            known.status == resource.status
        {
            return known
        }
        let reading = try Reading(resource)
        readings.withLock { $0[uid] = reading }
        return reading
    }

    func forget(_ uid: ID<Document>) { readings.withLock { _ = $0.removeValue(forKey: uid) } }
}
