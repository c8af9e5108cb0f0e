import Foundation
public import VMPlacement

extension LifetimeModelFile {
    /// A model's file is some megabytes; one of this size is something else.
    private static let byteLimit = 1 << 28

    /// - Throws: `TraceError` when the file cannot be read, `LifetimeModelError` when it holds no model.
    public init(readingFile path: String) throws {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw TraceError(.unreadable, file: path, expected: "a file that exists and may be read")
        }
        var data = Data()
        do {
            data = try handle.read(upToCount: Self.byteLimit) ?? Data()
        } catch {
            throw TraceError(
                .unreadable, file: path, expected: "a readable file", cause: error.localizedDescription)
        }
        do {
            try self.init(data)
        } catch {
            var named = error
            named.file = path
            throw named
        }
    }
}
