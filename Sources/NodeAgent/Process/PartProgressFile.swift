public import AgentProtocol
internal import Fleet
internal import Foundation
internal import Shim
internal import Synchronization

/// The file in which a process says how far it is: one JSON object that it replaces whole, with `step`,
/// `checkpointStep` and `iterationMilliseconds`.
struct PartProgressFile: Equatable {
    /// In the part's working directory, which `BASALT_PROGRESS_FILE` points to.
    static let name = ".basalt-progress"

    private struct Content: Decodable {
        var step: Int
        var checkpointStep: Int?
        var iterationMilliseconds: Double?
    }

    /// Modification time and size: what is read once is not read again.
    var stamp: [Int64]

    init?(path: String) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size <= PartProgress.bytes
        else { return nil }
        stamp = [
            Int64(status.st_mtim.tv_sec), Int64(status.st_mtim.tv_nsec), Int64(status.st_size),
            Int64(status.st_ino),
        ]
    }

    /// Nil for what is no progress: it is the program's file, and may hold anything.
    static func read(path: String, allocation: ID<Allocation>) -> PartProgress? {
        guard let file = FileHandle(forReadingAtPath: path) else { return nil }
        // why `try?`: a file that cannot be read, or does not parse, tells nothing.
        guard let data = try? file.read(upToCount: PartProgress.bytes),
            let content = try? JSONDecoder().decode(Content.self, from: data)
        else { return nil }
        return PartProgress(
            allocation: allocation, step: content.step, checkpointStep: content.checkpointStep ?? 0,
            iterationMilliseconds: content.iterationMilliseconds)
    }
}

extension ProcessSubstrate: ProgressSource {
    public func progress() async -> [PartProgress]? {
        let parts = state.withLock { state in
            state.parts.values.filter { $0.directive.workload.kind == .trainingJob }
                .map { (allocation: $0.key.allocation, isEnded: $0.isEnded) }
        }
        var told: [PartProgress] = []
        // Last words are said again until the part is forgotten: a report may have been lost.
        for (allocation, isEnded) in parts.sorted(by: { $0.allocation < $1.allocation }) {
            let path = "\(layout.part(allocation))/\(PartFiles.work)/\(PartProgressFile.name)"
            guard let file = PartProgressFile(path: path),
                state.withLock({ $0.progress.updateValue(file, forKey: allocation) }) != file || isEnded,
                let progress = PartProgressFile.read(path: path, allocation: allocation)
            else { continue }
            told.append(progress)
        }
        state.withLock { state in
            state.progress = state.progress.filter { state.parts[$0.key] != nil }
        }
        return told.isEmpty ? nil : told
    }
}
