internal import Fleet
internal import Foundation
internal import Store
internal import VMPlacement

/// What came of reading a model's file.
enum ReadModel: Sendable {
    case ready(BoostedLifetimeModel)
    /// What is wrong with it.
    case damaged(String)

    /// The files that a cell's pools ask for, those that were read before as they are.
    static func wanted(by model: CellModel, from store: any Store) async throws -> [ID<Document>: ReadModel] {
        var read: [ID<Document>: ReadModel] = [:]
        for record in model.wantedModels {
            if let known = model.modelFiles[record.uid] {
                read[record.uid] = known
            } else {
                read[record.uid] = Self(try await store.modelFile(record.uid), checksum: record.spec.checksum)
            }
        }
        return read
    }

    /// - Parameters:
    ///   - text: of the file; nil when there is none.
    ///   - checksum: that its document says it has.
    init(_ text: String?, checksum: String) {
        guard let text else {
            self = .damaged("its file is gone")
            return
        }
        do {
            let file = try LifetimeModelFile(Data(text.utf8))
            guard file.checksum == checksum else {
                self = .damaged("its file is another one than its document says")
                return
            }
            self = .ready(try file.model)
        } catch {
            self = .damaged(error.description)
        }
    }
}
