public import DeviceHealth
internal import Foundation

/// Counters as NVIDIA's management library tells them.
public struct NVMLCounters: DeviceCounterSource {
    private let library: String

    /// - Parameter library: by name or path; the usual name when nil.
    public init(library: String? = nil) { self.library = library ?? NVML.standardLibrary }

    public func counters() throws -> [DeviceCounters] {
        guard case .found(let gpus, _) = NVML.read(library: library, host: "", files: SystemFiles(root: ""))
        else { return [] }
        return gpus.map(\.counters)
    }
}

/// Counters that somebody writes to a file as a JSON array, in place of a library.
public struct DeviceCounterFile: DeviceCounterSource {
    private let path: String

    public init(path: String) { self.path = path }

    public func counters() throws -> [DeviceCounters] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw JournalError.system("read", path)
        }
        do {
            return try JSONDecoder().decode([DeviceCounters].self, from: data)
        } catch {
            throw JournalError(code: .unreadable, path: path, message: "\(error)")
        }
    }
}
