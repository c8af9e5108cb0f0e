internal import NIOCore
internal import Synchronization

/// One direction of one connection: takes pieces, does the toxics to them, and passes them on.
struct ProxyPipe: Sendable {
    /// How the direction came to its end.
    enum End: Sendable { case closed, reset }

    private struct Piece: Sendable {
        var bytes: ByteBuffer
        var at: ContinuousClock.Instant
    }

    /// Pieces that were taken and not yet passed on.
    private final class Waiting: Sendable {
        let count = Atomic(0)
    }

    /// Toxics that hold the connection for as long as they are there; bytes may be missing by then.
    private final class Holders: Sendable {
        private let names = Mutex<Set<String>>([])

        func note(_ toxics: [Toxic]) {
            let endless = toxics.filter { $0.type == .timeout && $0["timeout"] == 0 }
            if !endless.isEmpty { names.withLock { $0.formUnion(endless.map(\.name)) } }
        }

        func areAll(among toxics: [Toxic]) -> Bool {
            names.withLock { $0.isSubset(of: toxics.map(\.name)) }
        }
    }

    let toxics: ToxicSet
    let stream: Toxic.Stream
    let unit: @Sendable () -> Double

    /// How often a held connection looks whether it still is.
    private static let lookEvery = Duration.milliseconds(20)
    /// Pieces that wait to be sent: a sender that is faster has to wait.
    private static let window = 64

    func run(
        from inbound: NIOAsyncChannelInboundStream<ByteBuffer>,
        to outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws -> End {
        // Read ahead, so that what is late is late once and not once for each piece.
        let (pieces, source) = AsyncStream.makeStream(of: Piece.self, bufferingPolicy: .unbounded)
        let waiting = Waiting()
        let holders = Holders()
        return try await withThrowingTaskGroup(of: End?.self) { group in
            group.addTask {
                defer { source.finish() }
                for try await bytes in inbound {
                    source.yield(Piece(bytes: bytes, at: .now))
                    waiting.count.add(1, ordering: .relaxed)
                    while waiting.count.load(ordering: .relaxed) > Self.window {
                        try await Task.sleep(for: .milliseconds(1))
                    }
                }
                return nil
            }
            group.addTask {
                var view = ToxicView(toxics, stream, unit: unit)
                var passed = 0
                for await piece in pieces {
                    if let end = try await pass(piece, &view, &passed, holders, to: outbound) { return end }
                    waiting.count.subtract(1, ordering: .relaxed)
                }
                let delay = view.current().filter { $0.type == .slowClose }.map { $0["delay"] }.max() ?? 0
                if delay > 0 { try await Task.sleep(for: .milliseconds(delay)) }
                outbound.finish()
                return .closed
            }
            group.addTask { try await watch(holders) }
            var end: End?
            while end == nil, let next = try await group.next() { end = next }
            group.cancelAll()
            return end ?? .closed
        }
    }

    /// Resets and timeouts hit connections that carry nothing as well.
    private func watch(_ holders: Holders) async throws -> End? {
        var view = ToxicView(toxics, stream, unit: unit)
        var since: [String: ContinuousClock.Instant] = [:]
        while true {
            let now = ContinuousClock.now
            let current = view.current()
            holders.note(current)
            for toxic in current where toxic.type == .resetPeer || toxic.type == .timeout {
                let began = since[toxic.name] ?? now
                since[toxic.name] = began
                let limit = toxic["timeout"]
                guard toxic.type == .resetPeer || limit > 0 else { continue }
                if began.duration(to: now) >= .milliseconds(limit) {
                    return toxic.type == .resetPeer ? .reset : .closed
                }
            }
            // What was swallowed is missing: the connection is of no more use.
            if !holders.areAll(among: current) { return .closed }
            try await Task.sleep(for: Self.lookEvery)
        }
    }

    private func pass(
        _ piece: Piece, _ view: inout ToxicView, _ passed: inout Int, _ holders: Holders,
        to outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws -> End? {
        let current = view.current()
        if current.contains(where: { $0.type == .timeout || $0.type == .resetPeer }) {
            holders.note(current)
            return nil
        }
        var bytes = piece.bytes
        for toxic in current where toxic.type == .latency {
            let jitter = Double(toxic["jitter"]) * (2 * unit() - 1)
            let due = piece.at + .milliseconds(max(0, Double(toxic["latency"]) + jitter))
            let left = ContinuousClock.now.duration(to: due)
            if left > .zero { try await Task.sleep(for: left) }
        }
        for toxic in current where toxic.type == .bandwidth {
            let rate = toxic["rate"] * 1024
            if rate > 0 { try await Task.sleep(for: .seconds(Double(bytes.readableBytes) / Double(rate))) }
        }
        var isLast = false
        if let limit = current.first(where: { $0.type == .limitData }) {
            let left = max(0, limit["bytes"] - passed)
            isLast = bytes.readableBytes >= left
            bytes = bytes.readSlice(length: min(left, bytes.readableBytes)) ?? ByteBuffer()
        }
        passed += bytes.readableBytes
        if let slicer = current.first(where: { $0.type == .slicer }) {
            try await slice(bytes, slicer, to: outbound)
        } else if bytes.readableBytes > 0 {
            try await outbound.write(bytes)
        }
        return isLast ? .closed : nil
    }

    private func slice(
        _ bytes: ByteBuffer, _ slicer: Toxic, to outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            let variation = Double(slicer["size_variation"]) * (2 * unit() - 1)
            let size = max(1, slicer["average_size"] + Int(variation))
            guard let slice = bytes.readSlice(length: min(size, bytes.readableBytes)) else { return }
            try await outbound.write(slice)
            if bytes.readableBytes > 0 { try await Task.sleep(for: .microseconds(slicer["delay"])) }
        }
    }
}
