internal import Fleet
internal import Foundation
internal import Store

/// A model as controllers use it.
struct ModelRecord: Equatable {
    var uid: ID<Document>
    var name: String
    var spec: ModelSpec
    var status: ModelStatus
    var resourceVersion: String

    /// Nil for a model of a form that this program does not know: a newer one wrote it.
    init?(_ resource: Resource) {
        let decoder = JSONDecoder()
        // why: all else that could be wrong was refused when it was written
        guard let spec = try? decoder.decode(ModelSpec.self, from: Data(resource.spec.utf8)),
            let status = try? resource.status == "{}"
                ? ModelStatus() : decoder.decode(ModelStatus.self, from: Data(resource.status.utf8))
        else { return nil }
        self.spec = spec
        self.status = status
        uid = resource.metadata.uid
        name = resource.metadata.name
        resourceVersion = resource.metadata.resourceVersion
    }
}

extension ModelRegister {
    init(_ records: some Sequence<ModelRecord>) {
        self.init(records.map { Entry(uid: $0.uid, name: $0.name, status: $0.status) })
    }
}

/// A pool's document as far as its status is concerned.
struct PoolRecord: Equatable {
    var uid: ID<Document>
    var resourceVersion: String
    var status: PoolStatus

    init(_ resource: Resource) {
        uid = resource.metadata.uid
        resourceVersion = resource.metadata.resourceVersion
        // why: what a newer program wrote there is written anew by it
        status =
            (try? JSONDecoder().decode(PoolStatus.self, from: Data(resource.status.utf8))) ?? PoolStatus()
    }
}
