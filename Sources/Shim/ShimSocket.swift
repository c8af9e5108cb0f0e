internal import Glibc

/// Datagrams between an agent and its shims: hints only, the truth is on disk.
package enum ShimSocket {
    /// Binds a socket that never blocks, in place of one that was left behind. A path longer than the
    /// system's 107 bytes is refused.
    /// - Throws: `ShimError`.
    package static func bind(_ path: String) throws(ShimError) -> Int32 {
        let descriptor = try make()
        unlink(path)
        let status = try withAddress(path) { Glibc.bind(descriptor, $0, $1) }
        guard status == 0 else {
            let error = ShimError.last("bind \(path)")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// - Throws: `ShimError`; nobody may be there to read.
    package static func send(_ text: String, to path: String) throws(ShimError) {
        let descriptor = try make()
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        let count = try withAddress(path) { address, length in
            sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), address, length)
        }
        guard count == bytes.count else { throw .last("send to \(path)") }
    }

    /// The next datagram; nil when none waits.
    package static func receive(_ descriptor: Int32) -> String? {
        var buffer = [UInt8](repeating: 0, count: 512)
        let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count >= 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    private static func make() throws(ShimError) -> Int32 {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw .last("socket") }
        return descriptor
    }

    private static func withAddress<Result>(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) throws(ShimError) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw ShimError(operation: "address \(path)", code: ENAMETOOLONG)
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
