import APITypes
import Fleet
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Store
import Testing

@testable import API

/// VM groups as the API takes them.
@Suite struct GroupTests {
    private static let collection = "/v1/projects/shop/vmgroups"

    private static func body(_ name: String, _ spec: String) -> String {
        #"{"metadata":{"name":"\#(name)"},"spec":\#(spec)}"#
    }

    private static let resources = #"{"resources":{"memoryMiB":1,"milliCPU":1}}"#

    @Test func aGroupIsMadeWithTheFinalizerOfItsMembers() async throws {
        let fixture = try await APIFixture()
        try await fixture.test { client in
            let spec = #"{"replicas":2,"placement":"all","template":{"spec":\#(Self.resources)}}"#
            let made = try await client.send(.post, Self.collection, body: Self.body("ring", spec))
            #expect(made.status == .created)
            #expect(made.headers[.location] == "/v1/projects/shop/vmgroups/ring")
            let group = try #require(
                try await fixture.store.document(.vmGroup, project: "shop", name: "ring"))
            #expect(group.metadata.finalizers == [Finalizer.members])
            let why = try await client.send(.get, Self.collection + "/ring/why")
            let answer = try JSONDecoder().decode(WhyResponse.self, from: Data(why.body.readableBytesView))
            #expect(answer.kind == .vmGroup && answer.state == .pending)
            #expect(answer.reason == .waitingForPlacement && answer.explanation?.gang?.fitted == 0)
        }
    }

    @Test(arguments: [
        (#"{"replicas":0,"template":{"spec":{"flavor":"it"}}}"#, "spec.replicas"),
        (#"{"replicas":257,"template":{"spec":{"flavor":"it"}}}"#, "spec.replicas"),
        (#"{"replicas":1,"template":{"spec":{}}}"#, "spec.template.spec.resources"),
        (#"{"replicas":1,"template":{"spec":{"flavor":"none"}}}"#, "spec.template.spec.flavor"),
        (#"{"replicas":1,"template":{"spec":{"flavor":"it","size":1}}}"#, "spec.template.spec.size"),
        (#"{"replicas":1,"placement":"some","template":{"spec":{"flavor":"it"}}}"#, "spec.placement"),
        (
            #"{"replicas":1,"template":{"labels":{"basalt/vmgroup":"x"},"spec":{"flavor":"it"}}}"#,
            "spec.template.labels"
        ),
        (
            #"{"replicas":1,"antiAffinity":"host","template":{"spec":{"flavor":"it","antiAffinity":{"group":"g","scope":"rack"}}}}"#,
            "spec.template.spec.antiAffinity"
        ),
    ])
    func whatIsWrongIsNamed(_ spec: String, _ field: String) async throws {
        try await APIFixture().test { client in
            let answer = try await client.send(.post, Self.collection, body: Self.body("ring", spec))
            #expect(answer.problem?.causes.map(\.field).contains(field) == true, "\(answer.body)")
        }
    }

    @Test func aNameLeavesRoomForThoseOfItsMembers() async throws {
        try await APIFixture().test { client in
            let spec = #"{"replicas":1,"template":{"spec":{"flavor":"it"}}}"#
            let longest = String(repeating: "a", count: VMGroupSpec.nameLimit)
            let refused = try await client.send(.post, Self.collection, body: Self.body(longest + "a", spec))
            #expect(refused.problem?.causes.map(\.field) == ["metadata.name"])
            let made = try await client.send(.post, Self.collection, body: Self.body(longest, spec))
            #expect(made.status == .created)
            #expect(Name.defect(in: VMGroupSpec.memberName(longest, WorkloadLimit.replicas - 1)) == nil)
        }
    }

    @Test func replicasAndTemplateChangeAndTheRestDoesNot() async throws {
        try await APIFixture().test { client in
            func patch(_ spec: String) async throws -> TestResponse {
                let tag = try await client.send(.get, Self.collection + "/it").headers[.eTag] ?? ""
                return try await client.send(
                    .patch, Self.collection + "/it",
                    headers: [.ifMatch: tag, .contentType: "application/merge-patch+json"],
                    body: #"{"spec":\#(spec)}"#)
            }
            #expect(try await patch(#"{"replicas":5}"#).status == .ok)
            #expect(try await patch(#"{"template":{"labels":{"a":"b"}}}"#).status == .ok)
            #expect(try await patch(#"{"placement":"any","antiAffinity":"none"}"#).status == .ok)
            let refused = try await patch(
                #"{"placement":"all","antiAffinity":"rack","template":{"spec":{"cell":"it"}}}"#)
            #expect(
                refused.problem?.causes.map(\.field) == [
                    "spec.placement", "spec.antiAffinity", "spec.template.spec.cell",
                ])
            #expect(refused.problem?.causes.allSatisfy { $0.code == .immutable } == true)
        }
    }

    @Test func membershipIsNotForUsersToWrite() async throws {
        let fixture = try await APIFixture()
        try await fixture.test { client in
            let membership = """
                {"flavor":"it","group":{"name":"it","ordinal":0,"placement":"all",\
                "uid":"01000000-0000-7000-8000-0000000000ff"}}
                """
            let made = try await client.send(
                .post, "/v1/projects/shop/vms", body: Self.body("it-0", membership))
            #expect(made.problem?.causes.map(\.field) == ["spec.group"])
            let tag = try await client.send(.get, "/v1/projects/shop/vms/it").headers[.eTag] ?? ""
            let joined = try await client.send(
                .patch, "/v1/projects/shop/vms/it",
                headers: [.ifMatch: tag, .contentType: "application/merge-patch+json"],
                body: #"{"spec":{"resources":{"milliCPU":1,"memoryMiB":1},"group":"#
                    + #"{"name":"it","ordinal":0,"placement":"all","uid":"01000000-0000-7000-8000-0000000000ff"}}}"#
            )
            #expect(joined.problem?.causes.map(\.field) == ["spec.group"])
        }
    }

    @Test func aDryRunAnswersThePlanForAllMembers() async throws {
        let fixture = try await APIFixture()
        try await fixture.test { client in
            let spec = #"{"replicas":3,"placement":"all","template":{"spec":\#(Self.resources)}}"#
            let answer = try await client.send(
                .post, Self.collection + "?dryRun=true", body: Self.body("ring", spec))
            struct Trial: Decodable {
                var document: WireDocument
                var explanation: PlacementExplanation?
                var plan: Plan
            }
            let trial = try JSONDecoder().decode(Trial.self, from: Data(answer.body.readableBytesView))
            #expect(answer.status == .ok && trial.document.metadata.name == "ring")
            // The only host has no agent.
            #expect(trial.plan.groups.isEmpty)
            #expect(trial.plan.report.unplaced.map(\.name) == ["ring-0", "ring-1", "ring-2"])
            #expect(trial.explanation?.rejected == [.init(reason: .hostNotReady, hosts: 1)])
            #expect(trial.explanation?.gang == .init(group: "ring", members: 3, fitted: 0, member: "ring-0"))
            #expect(try await fixture.store.document(.vmGroup, project: "shop", name: "ring") == nil)
        }
    }
}
