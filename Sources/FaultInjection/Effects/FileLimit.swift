internal import CShim
internal import Foundation
internal import Shim

/// Largest file that a process may write: what a full disk is made of without root.
enum FileLimit {
    /// No file grows.
    static let full: UInt64 = 0

    static func of(_ process: ProcessIdentity) throws -> UInt64 {
        var bytes: UInt64 = 0
        guard shim_file_limit(process.processID, nil, &bytes) == 0 else {
            throw InjectionError.system("prlimit", "\(process.processID)")
        }
        return bytes
    }

    static func set(_ bytes: UInt64, of process: ProcessIdentity) throws {
        var (wanted, before) = (bytes, UInt64(0))
        guard process.isAlive else { return }
        guard shim_file_limit(process.processID, &wanted, &before) == 0 || errno == ESRCH else {
            throw InjectionError.system("prlimit", "\(process.processID)")
        }
    }
}
