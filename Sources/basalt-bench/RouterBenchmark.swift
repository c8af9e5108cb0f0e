import Fleet
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// The router alone: answers of 1 kB that are not streamed, from a replica that takes no time, through the
/// router as a process of its own and beside it directly.
///
/// First how many requests per second pass with many connections that each wait for their answer; then what
/// the router adds to one request after another on one connection. Direct and routed rounds alternate.
///
/// Options: `--rounds N` (at least 5), `--connections N`, `--requests N` per round, `--single N` per round.
struct RouterBenchmark {
    private static let answerBytes = 1024

    let options: BenchmarkOptions

    func run() async throws {
        let rounds = try options.number("rounds", default: 5, atLeast: 5)
        let connections = try options.number("connections", default: 32, atLeast: 1)
        let requests = try options.number("requests", default: 20_000, atLeast: 1000)
        let single = try options.number("single", default: 2000, atLeast: 100)
        print("calibration_ms \(Calibration.milliseconds(ContinuousClock()))  rounds \(rounds)")
        let replica = try await AnsweringReplica.start(bytes: Self.answerBytes)
        let router = try RouterProcess(replica: replica.port)
        defer { router.stop() }
        let routed = try await router.port()
        let ports = [("direct", replica.port), ("routed", routed)]
        // Connections are opened and code is paged in.
        for (_, port) in ports { _ = try await ClosedLoop(port: port, connections: connections).run(1000) }
        var rates: [[Double]] = [[], []]
        var medians: [[Double]] = [[], []]
        var tails: [[Double]] = [[], []]
        for _ in 0..<rounds {
            for (index, port) in ports.enumerated() {
                let many = try await ClosedLoop(port: port.1, connections: connections).run(requests)
                rates[index].append(Double(requests) / many.seconds)
                let one = try await ClosedLoop(port: port.1, connections: 1).run(single)
                medians[index].append(Spread(one.milliseconds).percentile(0.5))
                tails[index].append(Spread(one.milliseconds).percentile(0.99))
            }
        }
        try await replica.stop()
        print("way | requests/s with \(connections) connections | p50 ms of one | p99 ms of one")
        for (index, port) in ports.enumerated() {
            print(
                "\(port.0) | \(Spread(rates[index]).text()) | \(Spread(medians[index]).text(digits: 3)) | "
                    + Spread(tails[index]).text(digits: 3))
        }
        let added = zip(medians[1], medians[0]).map { $0 - $1 }
        let addedTail = zip(tails[1], tails[0]).map { $0 - $1 }
        print(
            "added ms: p50 \(Spread(added).text(digits: 3)), p99 \(Spread(addedTail).text(digits: 3))")
        print("calibration_ms \(Calibration.milliseconds(ContinuousClock()))")
    }
}

/// `basalt-router` as a process, with one replica.
private final class RouterProcess {
    private let process = Process()
    private let directory: URL
    private let log: URL

    /// The program lies beside the benchmark.
    init(replica: Int) throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "basalt-bench-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let routes = ServingRoutes(
            version: 1, model: "fake",
            replicas: [.init(name: "g1", address: "127.0.0.1:\(replica)", role: .both)],
            pairs: [.init(prefill: "g1", decode: "g1", weight: 1)])
        let file = directory.appending(path: "routes.json")
        try JSONEncoder().encode(routes).write(to: file)
        process.executableURL = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: "basalt-router")
        process.arguments = ["--listen", "127.0.0.1:0", "--routes-file", file.path]
        log = directory.appending(path: "log")
        try Data().write(to: log)
        process.standardError = try FileHandle(forWritingTo: log)
        try process.run()
    }

    /// Waits until it listens and has its routes.
    func port() async throws -> Int {
        while process.isRunning {
            let text = try String(contentsOf: log, encoding: .utf8)
            if let found = text.firstMatch(of: #/routing address="?127\.0\.0\.1:(\d+)/#),
                let port = Int(found.1), text.contains("following routes")
            {
                return port
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw BenchmarkError("basalt-router ended before it listened")
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
        do { try FileManager.default.removeItem(at: directory) } catch {
            StandardError.write("not removed: \(error)")
        }
    }
}

/// Answers every request at once with the same bytes.
private struct AnsweringReplica {
    let channel: any Channel
    let port: Int

    static func start(bytes: Int) async throws -> AnsweringReplica {
        let body = ByteBuffer(repeating: UInt8(ascii: "x"), count: bytes)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Answerer(body))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return AnsweringReplica(channel: channel, port: channel.localAddress?.port ?? 0)
    }

    func stop() async throws { try await channel.close() }

    private final class Answerer: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let body: ByteBuffer

        init(_ body: ByteBuffer) { self.body = body }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            guard case .end = unwrapInboundIn(data) else { return }
            let head = HTTPResponseHead(
                version: .http1_1, status: .ok,
                headers: ["content-length": "\(body.readableBytes)", "content-type": "application/json"])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

/// Connections that each send a request when they have the answer to the one before.
private struct ClosedLoop {
    struct Outcome {
        var seconds: Double
        var milliseconds: [Double]
    }

    let port: Int
    let connections: Int

    /// - Parameter requests: of all connections together.
    func run(_ requests: Int) async throws -> Outcome {
        let share = max(1, requests / connections)
        let start = ContinuousClock.now
        let latencies = try await withThrowingTaskGroup(of: [Double].self) { group in
            for _ in 0..<connections { group.addTask { try await one(share) } }
            var all: [Double] = []
            for try await some in group { all += some }
            return all
        }
        return Outcome(
            seconds: start.duration(to: .now) / .seconds(1), milliseconds: latencies)
    }

    private func one(_ requests: Int) async throws -> [Double] {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let done = loop.makePromise(of: [Double].self)
        do {
            let channel = try await ClientBootstrap(group: loop)
                .channelOption(.tcpOption(.tcp_nodelay), value: 1)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPClientHandlers()
                        try channel.pipeline.syncOperations.addHandler(Asker(requests, done))
                    }
                }
                .connect(host: "127.0.0.1", port: port).get()
            let latencies = try await done.futureResult.get()
            try await channel.close()
            return latencies
        } catch {
            done.fail(error)
            throw error
        }
    }

    private final class Asker: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart
        typealias OutboundOut = HTTPClientRequestPart

        private static let body = ByteBuffer(
            string: #"{"model":"fake","prompt":"Say it again.","max_tokens":200}"#)

        private let requests: Int
        private let done: EventLoopPromise<[Double]>
        private var latencies: [Double] = []
        private var sent = NIODeadline.now()
        private var status = HTTPResponseStatus.ok

        init(_ requests: Int, _ done: EventLoopPromise<[Double]>) {
            self.requests = requests
            self.done = done
            latencies.reserveCapacity(requests)
        }

        func channelActive(context: ChannelHandlerContext) { send(context) }

        private func send(_ context: ChannelHandlerContext) {
            sent = .now()
            let head = HTTPRequestHead(
                version: .http1_1, method: .POST, uri: "/v1/completions",
                headers: [
                    "host": "127.0.0.1", "content-type": "application/json",
                    "content-length": "\(Self.body.readableBytes)",
                ])
            context.write(wrapOutboundOut(.head(head)), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(Self.body))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): status = head.status
            case .body: break
            case .end:
                guard status == .ok else {
                    return done.fail(BenchmarkError("an answer with status \(status.code)"))
                }
                latencies.append(Double((NIODeadline.now() - sent).nanoseconds) / 1e6)
                if latencies.count < requests { send(context) } else { done.succeed(latencies) }
            }
        }

        func channelInactive(context: ChannelHandlerContext) {
            done.fail(BenchmarkError("a connection was broken off"))
        }
    }
}
