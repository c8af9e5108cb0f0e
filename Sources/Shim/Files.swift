internal import Glibc

/// Small files by system calls: a shim starts without Foundation.
enum Files {
    enum Limit {
        /// An order with the longest command and environment is far smaller.
        static let bytes = 1 << 20
    }

    /// - Throws: `ShimError`.
    static func read(_ path: String) throws(ShimError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open \(path)") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while bytes.count < Limit.bytes {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .last("read \(path)") }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
        throw ShimError(operation: "read \(path)", code: EFBIG)
    }

    static func write(
        _ bytes: some Collection<UInt8>, to descriptor: Int32, named name: String
    ) throws(ShimError) {
        let bytes = ContiguousArray(bytes)
        var start = 0
        while start < bytes.count {
            let count = bytes[start...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .last("write \(name)") }
            start += count
        }
    }

    /// The file in the working directory has the old or the new content at any time; returns when the new one
    /// survives a power loss.
    static func replace(_ name: String, with bytes: [UInt8]) throws(ShimError) {
        let temporary = name + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .last("open \(temporary)") }
        defer { close(descriptor) }
        try write(bytes, to: descriptor, named: temporary)
        guard fsync(descriptor) == 0 else { throw .last("fsync \(temporary)") }
        guard rename(temporary, name) == 0 else { throw .last("rename \(name)") }
        try syncWorkingDirectory()
    }

    static func syncWorkingDirectory() throws(ShimError) {
        let descriptor = open(".", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open the directory") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .last("fsync the directory") }
    }
}
