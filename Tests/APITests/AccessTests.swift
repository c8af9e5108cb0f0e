import APITypes
import Fleet
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Store
import Testing

@testable import API

/// Who gets what answer at every route.
@Suite struct AccessTests {
    /// Beside `APIFixture.callers`: without a token, and with one that nobody has.
    private static let strangers: [(String, String?)] = [("nobody", nil), ("unknown", "unknown")]

    /// Statuses by route and caller. A route that is new changes it: look at the line, then write it with
    /// BASALT_UPDATE_GOLDENS=1.
    @Test func everyRouteAnswersEveryCallerAsWritten() async throws {
        let fixture = try await APIFixture()
        let routes = fixture.server.router().routes.map { (method: $0.method, path: $0.path.description) }
            .sorted { ($0.path, $0.method.rawValue) < ($1.path, $1.method.rawValue) }
        let callers = APIFixture.callers.map { ($0, Optional($0)) } + Self.strangers
        let lines = try await fixture.test { client in
            var lines = ["# route | project | " + callers.map(\.0).joined(separator: " | ")]
            for route in routes {
                for project in route.path.contains("{project}") ? ["shop", "bank"] : ["-"] {
                    var cells = ["\(route.method.rawValue) \(route.path)", project]
                    for (_, token) in callers {
                        let uri = Self.uri(route.path, project: project)
                        let answer = try await client.send(route.method, uri, as: token)
                        #expect(answer.status.code < 500 || route.path == "/readyz", "\(cells): \(answer)")
                        cells.append(String(answer.status.code))
                    }
                    lines.append(cells.joined(separator: " | "))
                }
            }
            return lines
        }
        try Golden.compare(lines.joined(separator: "\n") + "\n", "access-matrix.txt")
    }

    private static func uri(_ path: String, project: String) -> String {
        path.replacing("{project}", with: project).replacing("{name}", with: "it")
            .replacing("{version}", with: "1").replacing("{level}", with: "pool").replacing(
                "{id}", with: "01000000-0000-7000-8000-0000000000ff")
    }

    @Test func anotherProjectIsNotToldFromOneThatIsNot() async throws {
        try await APIFixture().test { client in
            for tail in ["", "/vms", "/vms/it", "/vms/it/why", "/vms/none"] {
                let foreign = try await client.send(.get, "/v1/projects/bank" + tail, as: "viewer@shop")
                let absent = try await client.send(.get, "/v1/projects/none" + tail, as: "viewer@shop")
                var (one, other) = (try #require(foreign.problem), try #require(absent.problem))
                #expect(one.detail.replacing("bank", with: "none") == other.detail)
                (one.detail, one.requestId, other.detail, other.requestId) = ("", "", "", "")
                #expect(one == other)
            }
        }
    }

    @Test func listsShowTheProjectsOfTheTokenOnly() async throws {
        try await APIFixture().test { client in
            func projects(_ uri: String, _ caller: String) async throws -> [String] {
                let answer = try await client.send(.get, uri, as: caller)
                let list = try JSONDecoder().decode(
                    WireList<WireDocument>.self, from: Data(answer.body.readableBytesView))
                return list.items.map { $0.metadata.project ?? $0.metadata.name }
            }
            #expect(try await projects("/v1/vms", "viewer") == ["bank", "shop"])
            #expect(try await projects("/v1/vms", "viewer@shop") == ["shop"])
            #expect(try await projects("/v1/projects", "viewer@shop") == ["shop"])
            let events = try await client.send(.get, "/v1/events?limit=1000", as: "viewer@shop")
            let told = try JSONDecoder().decode(
                WireList<EventRecord>.self, from: Data(events.body.readableBytesView))
            #expect(!told.items.isEmpty && told.items.allSatisfy { $0.project == "shop" })
        }
    }

    /// The router forgives empty segments; authorisation must not.
    @Test(arguments: ["/v1//tokens", "//v1/tokens", "/v1/tokens/", "/v1/./tokens", "/v1/%74okens"])
    func otherSpellingsOfAPathOpenNothing(_ path: String) async throws {
        try await APIFixture().test { client in
            let body = #"{"name":"mine","role":"admin"}"#
            let answer = try await client.send(.post, path, as: "operator", body: body)
            #expect([403, 404].contains(answer.status.code), "\(path) \(answer.status)")
        }
    }

    @Test func refusedChangesAreInTheAuditLog() async throws {
        let fixture = try await APIFixture()
        try await fixture.test { client in
            let uri = "/v1/projects/bank/vms"
            let id: HTTPFields = [.requestID: "attempt-1"]
            _ = try await client.send(.post, uri, as: "operator@shop", headers: id, body: "{}")
            _ = try await client.send(.get, uri, as: "operator@shop")
            let answer = try await client.send(.get, "/v1/audit?fieldSelector=refused=true")
            let rows = try JSONDecoder().decode(
                WireList<AuditRecord>.self, from: Data(answer.body.readableBytesView)
            ).items
            let row = try #require(rows.first)
            #expect(rows.count == 1 && row.actor == "user/operator-shop" && row.requestID == "attempt-1")
            #expect(row.verb == "post" && row.project == "bank" && row.name.hasSuffix("/vms"))
        }
    }

    @Test func theAuditLogIsPagedAndFiltered() async throws {
        try await APIFixture().test { client in
            func page(_ query: String) async throws -> WireList<AuditRecord> {
                let answer = try await client.send(.get, "/v1/audit?\(query)")
                return try JSONDecoder().decode(
                    WireList<AuditRecord>.self, from: Data(answer.body.readableBytesView))
            }
            let all = try await page("limit=1000")
            #expect(all.nextCursor == nil && all.items.map(\.id) == all.items.map(\.id).sorted(by: >))
            var paged: [AuditRecord] = []
            var cursor: String?
            repeat {
                let next = try await page("limit=3" + (cursor.map { "&cursor=\($0)" } ?? ""))
                paged += next.items
                cursor = next.nextCursor
            } while cursor != nil
            #expect(paged == all.items)
            let vms = try await page("fieldSelector=kind=VM,project=shop")
            #expect(vms.items.map(\.name) == ["it"] && vms.items.allSatisfy { $0.kind == .vm })
        }
    }
}
