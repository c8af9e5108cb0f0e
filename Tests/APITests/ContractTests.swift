import APITypes
import AgentProtocol
import FaultLab
import Fleet
import Foundation
import Hummingbird
import Testing

@testable import API

/// `openapi.yaml` says what the server does, all of it and nothing else.
@Suite struct ContractTests {
    private let contract: JSONValue

    init() throws { contract = try ParsedContract.root.get() }

    private static let methods = ["get", "put", "post", "patch", "delete"]

    /// Operations by `METHOD /path`, with the parameters of their paths.
    private func operations() throws -> [String: JSONValue] {
        var found: [String: JSONValue] = [:]
        for (path, item) in try #require(contract["paths"]?.object) {
            for method in Self.methods {
                guard var operation = item[method]?.object else { continue }
                let parameters = (item["parameters"]?.array ?? []) + (operation["parameters"]?.array ?? [])
                operation["parameters"] = .array(try parameters.map { try $0.resolved(in: contract) })
                found["\(method.uppercased()) \(path)"] = .object(operation)
            }
        }
        return found
    }

    @Test func everyRouteIsDescribedAndNothingElseIs() async throws {
        let routes = try await APIFixture().server.router().routes.map {
            "\($0.method.rawValue) \($0.path.description)"
        }
        #expect(routes.count == Set(routes).count)
        #expect(try Set(routes).symmetricDifference(operations().keys).sorted() == [])
        #expect(Set(routes).symmetricDifference(RouteTable.rules.keys.map(\.description)).sorted() == [])
    }

    @Test func parametersAreThoseThatRoutesTake() throws {
        for (name, operation) in try operations() {
            let parameters = operation["parameters"]?.array ?? []
            func named(_ place: String) -> [String] {
                parameters.filter { $0["in"]?.string == place }.compactMap { $0["name"]?.string }.sorted()
            }
            let key = try #require(RouteTable.rules.keys.first { $0.description == name })
            #expect(named("query") == RouteTable.rules[key]?.query.sorted(), "\(name)")
            let inPath = key.path.split(separator: "/").filter { $0.hasPrefix("{") }
            #expect(named("path") == inPath.map { String($0.dropFirst().dropLast()) }.sorted(), "\(name)")
            #expect(named("header").contains("X-Request-Id"), "\(name)")
            #expect(
                named("header").contains("Idempotency-Key") == (RouteTable.rules[key]?.replay != .ignored),
                "\(name)")
            #expect(
                named("header").contains("If-Match")
                    == (["PUT", "PATCH", "DELETE"].contains(key.method.rawValue)
                        && !key.path.hasPrefix("/v1/tokens/")
                        || key.path.hasSuffix("{name}/rollback") && !key.path.hasPrefix("/v1/models/")),
                "\(name)")
        }
    }

    @Test func whoMayCallIsSaid() throws {
        for (name, operation) in try operations() {
            let key = try #require(RouteTable.rules.keys.first { $0.description == name })
            let security = operation["security"]
            switch RouteTable.rules[key]?.grant {
            case .open: #expect(security == .array([]), "\(name)")
            case .agent: #expect(security == .array([.object(["agent": .array([])])]), "\(name)")
            default: #expect(security == nil, "\(name)")
            }
        }
    }

    @Test func identifiersOfOperationsAreUnique() throws {
        let ids = try operations().values.compactMap { $0["operationId"]?.string }
        #expect(try ids.count == operations().count && Set(ids).count == ids.count)
    }

    @Test func problemsAreTheCatalogue() throws {
        var told: Set<String> = []
        for (name, response) in try #require(contract["components"]?["responses"]?.object) {
            let schema = response["content"]?["application/problem+json"]?["schema"]
            let properties = try #require(schema?["allOf"]?.array?.last?["properties"], "\(name)")
            let status = try #require(properties["status"]?["const"]?.integer)
            let codes = try #require(properties["code"]?["enum"]?.array).compactMap(\.string)
            let own = ProblemCode.allCases.filter { $0.entry.status == status }.map(\.rawValue)
            #expect(codes.sorted() == own.sorted(), "\(name)")
            told.formUnion(codes)
        }
        #expect(told.count == ProblemCode.allCases.count)
    }

    @Test func errorsOfOperationsAreTheResponsesOfTheirStatus() throws {
        for (name, operation) in try operations() {
            for (status, response) in try #require(operation["responses"]?.object) where status >= "400" {
                let resolved = try response.resolved(in: contract)
                let schema = resolved["content"]?["application/problem+json"]?["schema"]
                let const = schema?["allOf"]?.array?.last?["properties"]?["status"]?["const"]?.integer
                #expect(const.map(String.init) == status, "\(name) \(status)")
            }
        }
    }

    @Test(arguments: Vocabulary.all) func vocabulariesAreClosedAlike(_ vocabulary: Vocabulary) throws {
        let schema = try #require(contract["components"]?["schemas"]?[vocabulary.name], "\(vocabulary.name)")
        #expect(try #require(schema["enum"]?.array).compactMap(\.string) == vocabulary.words)
    }

    @Test func noVocabularyIsForgotten() throws {
        let schemas = try #require(contract["components"]?["schemas"]?.object)
        let enums = schemas.filter { $0.value["enum"] != nil }.map(\.key)
        #expect(enums.sorted() == Vocabulary.all.map(\.name).sorted())
    }
}

/// A closed vocabulary of the contract and its words in the program.
struct Vocabulary: Sendable, CustomTestStringConvertible {
    var name: String
    var words: [String]

    var testDescription: String { name }

    init<Word: CaseIterable & RawRepresentable<String>>(_ name: String, _ type: Word.Type) {
        self.name = name
        words = type.allCases.map(\.rawValue)
    }

    init(_ name: String, words: [String]) {
        self.name = name
        self.words = words
    }

    static let all = [
        Vocabulary("Kind", Kind.self), Vocabulary("Reason", Reason.self),
        // Agents get their credential by joining.
        Vocabulary("Role", words: Role.allCases.filter { $0 != .agentSession }.map(\.rawValue)),
        Vocabulary("ConditionStatus", Condition.Status.self),
        Vocabulary("ConditionType", Condition.Aspect.self),
        Vocabulary("DefectCode", FieldDefect.Code.self), Vocabulary("WorkloadState", WorkloadState.self),
        Vocabulary("WorkloadClass", WorkloadClass.self), Vocabulary("PartitionPolicy", PartitionPolicy.self),
        Vocabulary("AntiAffinityScope", AntiAffinity.Scope.self),
        Vocabulary("GroupPlacement", VMGroupSpec.Placement.self),
        Vocabulary("GroupSeparation", VMGroupSpec.Separation.self), Vocabulary("PoolUse", PoolSpec.Use.self),
        Vocabulary("AtDeadline", DrainSpec.AtDeadline.self),
        Vocabulary("DrainPurpose", DrainSpec.Purpose.self),
        Vocabulary("MigrationOrder", MigrationRules.Order.self),
        Vocabulary("DefragmentationMode", DefragmentationRules.Mode.self),
        Vocabulary("Weekday", MaintenanceWindow.Weekday.self),
        Vocabulary("PolicyType", PolicySpec.Subject.self),
        Vocabulary("PredictorForm", PredictorForm.self), Vocabulary("ModelState", ModelStatus.State.self),
        Vocabulary("PoolPlacement", PoolSpec.Placement.self), Vocabulary("HostContact", HostContact.self),
        Vocabulary("GuardLevel", GuardLevel.self),
        Vocabulary("DeviceHealth", Device.Health.self), Vocabulary("AllocationState", Allocation.State.self),
        Vocabulary("OperationState", OperationRecord.State.self), Vocabulary("Engine", Plan.Engine.self),
        Vocabulary("RateLevel", RateScope.Level.self),
        Vocabulary("RateMode", OversubscriptionRules.Mode.self),
        Vocabulary("RateAlgorithm", OversubscriptionRules.Algorithm.self),
        Vocabulary("RateReview", OversubscriptionRules.Review.self),
        Vocabulary("RateClamp", EffectiveRate.Clamp.self), Vocabulary("RateVerb", ScopeConstraint.Verb.self),
        Vocabulary("RateDecisionState", ScopeDecision.State.self),
        Vocabulary("RateNote", ScopeDecision.Note.self), Vocabulary("RiskState", RiskStatement.State.self),
        Vocabulary("GuardAskVerb", GuardAsk.Verb.self),
        Vocabulary("ServingRole", ServingRoutes.Role.self),
        Vocabulary("Change", WatchEvent.Change.self), Vocabulary("PartState", PartReport.State.self),
        Vocabulary("PartAction", PartDirective.Action.self),
        Vocabulary("FaultKind", FaultKind.self), Vocabulary("FaultIntent", FaultRecord.Intent.self),
        Vocabulary("FaultState", FaultRecord.State.self), Vocabulary("FaultPhase", TargetPhase.self),
        Vocabulary("SteadyCheck", SteadyCheck.self),
    ]
}
