public import FaultLab

extension MemoryStore {
    public func faultBook() async throws -> VersionedFaultBook {
        read { state in
            var book = FaultBook()
            book.killSwitch = state.faultBook.killSwitch
            book.injectors = state.faultBook.injectors
            book.faults = state.faultBook.faults.filter(\.value.isOpen)
            return VersionedFaultBook(book: book, version: state.faultVersion)
        }
    }

    public func commitFaults(
        _ change: FaultBookChange, version: Int64, context: WriteContext?
    ) async throws -> Bool {
        write { state in
            guard state.faultVersion == version else { return false }
            state.faultVersion += 1
            state.faultBook.killSwitch = change.killSwitch
            state.faultBook.injectors.merge(change.injectors) { _, new in new }
            for fault in change.faults { state.faultBook.faults[fault.name] = fault }
            if let context { state.writeAudit(context, kind: nil, name: change.subject) }
            return true
        }
    }

    public func faults(limit: Int) async throws -> [FaultRecord] {
        read { state in
            let all = state.faultBook.faults.values.sorted {
                ($1.createdAt, $1.name) < ($0.createdAt, $0.name)
            }
            return Array(all.prefix(limit))
        }
    }

    public func fault(_ name: String) async throws -> FaultRecord? {
        read { $0.faultBook.faults[name] }
    }
}
