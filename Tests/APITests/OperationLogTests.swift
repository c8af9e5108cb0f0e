import APITypes
import Fleet
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Synchronization
import Testing

@testable import API

/// A request's log line names the operation that it is about.
@Suite struct OperationLogTests {
    private final class Lines: Sendable {
        let metadata = Mutex<[Logger.Metadata]>([])
    }

    private struct Handler: LogHandler {
        let lines: Lines
        var logLevel = Logger.Level.trace
        var metadata: Logger.Metadata = [:]

        subscript(metadataKey key: String) -> Logger.MetadataValue? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            guard event.message == "request" else { return }
            lines.metadata.withLock { $0.append(event.metadata ?? [:]) }
        }
    }

    @Test func theLineOfADrainAndOfItsEndNameTheOperation() async throws {
        let lines = Lines()
        let fixture = try await APIFixture()
        let application = Application(
            router: fixture.server.router(), logger: Logger(label: "api") { _ in Handler(lines: lines) })
        let id = try await application.test(.router) { client in
            let body = #"{"reason":"disk"}"#
            let drain = try await client.send(.post, "/v1/hosts/it/drain", body: body)
            let location = try #require(drain.headers[.location])
            _ = try await client.send(.post, location + "/cancel")
            _ = try await client.send(.get, "/v1/hosts/it")
            return location.split(separator: "/").last.map(String.init)
        }
        let operations = lines.metadata.withLock { $0.map { line in line["operation"].map { "\($0)" } } }
        #expect(operations == [id, id, nil] && id != nil)
    }
}
