import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import Synchronization

/// Watchers that only look for marks in the bytes of their streams: two hundred of them that decoded what
/// they get would take more of the machine than the server they measure.
final class ChangeStreams: Sendable {
    private static let opening = Array("\"seq\":\"mark-".utf8)

    private let http: HTTPClient
    private let request: HTTPClientRequest
    private let loop: OpenLoop
    private let samples: LatencySamples
    private let open = Mutex(0)

    init(processes: ControlPlaneProcesses, since: String, loop: OpenLoop, samples: LatencySamples) throws {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(processes.certificateFile))
        var configuration = HTTPClient.Configuration(tlsConfiguration: tls)
        configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 1000
        configuration.httpVersion = .http1Only
        http = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        var request = HTTPClientRequest(
            url:
                "\(processes.address)/v1/projects/\(ControlPlaneProcesses.project)/vms?watch=sse&since=\(since)"
        )
        request.headers.add(name: "authorization", value: "Bearer \(try processes.token)")
        request.headers.add(name: "accept", value: "text/event-stream")
        self.request = request
        self.loop = loop
        self.samples = samples
    }

    static func mark(_ number: Int) -> String { "mark-\(number)" }

    /// Returns once all watchers have their stream.
    func started(_ count: Int) async throws {
        while open.withLock({ $0 }) < count { try await Task.sleep(for: .milliseconds(10)) }
    }

    func shutdown() async throws { try await http.shutdown() }

    /// One watcher, until cancelled; a stream that ends is an error.
    func follow() async throws {
        do {
            let response = try await http.execute(request, deadline: .distantFuture)
            guard response.status == .ok else {
                throw BenchmarkError("a watch was answered \(response.status)")
            }
            open.withLock { $0 += 1 }
            var seen: Set<Int> = []
            var matched = 0
            var number: Int?
            for try await buffer in response.body {
                for byte in buffer.readableBytesView {
                    if let digits = number {
                        if byte >= 48, byte <= 57 {
                            number = digits * 10 + Int(byte - 48)
                        } else {
                            number = nil
                            if seen.insert(digits).inserted {
                                samples.add(loop.due(digits).duration(to: .now), window: loop.window(digits))
                            }
                        }
                    } else if byte == Self.opening[matched] {
                        matched += 1
                        if matched == Self.opening.count { (matched, number) = (0, 0) }
                    } else {
                        matched = byte == Self.opening[0] ? 1 : 0
                    }
                }
            }
        } catch {
            if Task.isCancelled { return }
            throw error
        }
        if !Task.isCancelled { throw BenchmarkError("a watch ended") }
    }
}
