internal import Foundation

/// Files that commands make.
enum OutputFile {
    /// Writes a whole file or none.
    ///
    /// - Throws: one line when the file cannot be written.
    static func write(_ data: Data, to path: String) throws {
        do {
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CommandFailure("\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}
