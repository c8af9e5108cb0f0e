import Fleet

extension MemoryState {
    mutating func writeStatuses(_ writes: [StatusWrite], lease: CellLease) throws {
        try checkLease(lease)
        for write in writes { _ = try JSONContent(write.status) }
        for write in writes {
            guard var resource = documents[write.uid],
                resource.metadata.resourceVersion == write.expected
            else { continue }
            resource.status = write.status
            try record(.updated, of: &resource)
            documents.put(resource)
            if let event = write.event { append(event) }
        }
    }

    func countWaitingVMs() throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for vm in documents.ordered(.vm) where vm.metadata.deletionTimestamp == nil {
            guard allocations.live(ofWorkload: vm.metadata.uid).isEmpty else { continue }
            counts[try cell(of: vm) ?? "", default: 0] += 1
        }
        return counts
    }

    mutating func finalize(_ workloads: [ID<Document>], lease: CellLease) throws -> [ID<Document>] {
        try checkLease(lease)
        var gone: [ID<Document>] = []
        for uid in Set(workloads).sorted() {
            guard let resource = documents[uid], resource.metadata.deletionTimestamp != nil,
                allocations.live(ofWorkload: uid).isEmpty, allocations.live(onHost: uid).isEmpty
            else { continue }
            try remove(resource, message: "every allocation is released", source: "controller")
            gone.append(uid)
        }
        return gone
    }
}
