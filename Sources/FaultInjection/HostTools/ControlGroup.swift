internal import Foundation

/// A control group that can be frozen: of the unified hierarchy, or of the freezer of the former one.
struct ControlGroup: Sendable {
    let path: String

    init(_ path: String) { self.path = path }

    private var unified: String { path + "/cgroup.freeze" }
    private var former: String { path + "/freezer.state" }
    private var isUnified: Bool { FileManager.default.fileExists(atPath: unified) }

    var canFreeze: Bool {
        FileManager.default.isWritableFile(atPath: unified)
            || FileManager.default.isWritableFile(atPath: former)
    }

    /// Whether the kernel says that all of it stands still.
    var isFrozen: Bool {
        get throws {
            let file = isUnified ? path + "/cgroup.events" : former
            guard let data = FileManager.default.contents(atPath: file) else {
                throw InjectionError.system("read", file)
            }
            let text = String(decoding: data, as: UTF8.self)
            return isUnified ? text.contains("frozen 1") : text.hasPrefix("FROZEN")
        }
    }

    /// A group that is gone holds nothing.
    func set(frozen: Bool) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        let word = isUnified ? (frozen ? "1" : "0") : (frozen ? "FROZEN" : "THAWED")
        let file = isUnified ? unified : former
        let descriptor = open(file, O_WRONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw InjectionError.system("open", file) }
        defer { close(descriptor) }
        guard write(descriptor, word, word.utf8.count) == word.utf8.count else {
            throw InjectionError.system("write", file)
        }
    }
}
