internal import Foundation

/// Holds commits while a file exists, so that a test can stop or kill a controller between its lease check
/// and its COMMIT. `FILE.held` appears while one is held.
struct CommitHoldFile: Sendable {
    let path: String

    private static let lookEvery = Duration.milliseconds(5)

    func wait(cell: String) async {
        let files = FileManager.default
        guard files.fileExists(atPath: path) else { return }
        _ = files.createFile(atPath: path + ".held", contents: Data(cell.utf8))
        while files.fileExists(atPath: path) {
            do { try await Task.sleep(for: Self.lookEvery) } catch { break }
        }
        unlink(path + ".held")
    }
}
