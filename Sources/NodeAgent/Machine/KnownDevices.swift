internal import Fleet
internal import Foundation

/// The devices that were reported last. One that is not found again is kept, with unknown health: it may be
/// the driver that is missing, and what holds it still does. Who takes a GPU out of a machine removes the
/// file.
struct KnownDevices: Sendable {
    let path: String

    /// The devices to report.
    /// - Parameters:
    ///   - isTrusted: the devices were found by a source that knows; otherwise nothing is known of any.
    /// - Throws: `JournalError`.
    func merge(_ found: [Device], isTrusted: Bool) throws -> [Device] {
        var devices: [String: Device] = [:]
        for known in try load() {
            devices[known.uuid] = known
            devices[known.uuid]?.health = .unknown
        }
        for device in found {
            if isTrusted {
                devices[device.uuid] = device
            } else if devices[device.uuid] == nil {
                devices[device.uuid] = device
                devices[device.uuid]?.health = .unknown
            }
        }
        let merged = devices.values.sorted { $0.uuid < $1.uuid }
        try store(merged)
        return merged
    }

    private func load() throws -> [Device] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw JournalError.system("read", path)
        }
        do {
            return try JSONDecoder().decode([Device].self, from: data)
        } catch {
            throw JournalError(code: .unreadable, path: path, message: "\(error)")
        }
    }

    private func store(_ devices: [Device]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        try DurableFile.replace(path: path, with: [UInt8](try encoder.encode(devices)))
    }
}
