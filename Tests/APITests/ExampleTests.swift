import APITypes
import AgentProtocol
import FaultLab
import Fleet
import Foundation
import Testing

@testable import API

/// Every example of the contract is what the program reads and writes, field by field.
@Suite struct ExampleTests {
    private let schemas: [String: JSONValue]

    init() throws {
        let contract = try ParsedContract.root.get()
        schemas = try #require(contract["components"]?["schemas"]?.object)
    }

    /// Reads a value and writes it again.
    private typealias Reading = @Sendable (JSONValue) throws -> JSONValue

    private static func reading<Value: Codable & SendableMetatype>(_ type: Value.Type) -> Reading {
        { json in
            let value: Value = try RequestReader.decode(try JSONEncoder().encode(json))
            return try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))
        }
    }

    /// As `reading`, through the reader that refuses what is not known.
    private static func request<Value: Codable & SendableMetatype>(_ type: Value.Type) -> Reading {
        { json in
            let value: Value = try RequestReader.read(try JSONEncoder().encode(json))
            return try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(value))
        }
    }

    /// Through the reader of drafts, as the body of a POST.
    private static func spec(_ kind: Kind) -> Reading {
        { json in
            let draft = JSONValue.object(["metadata": .object(["name": .string("it")]), "spec": json])
            let accepted = try DraftReader.read(
                try JSONEncoder().encode(draft), kind: kind, project: kind.isTenant ? "shop" : nil)
            return try JSONDecoder().decode(JSONValue.self, from: Data(accepted.spec.utf8))
        }
    }

    private static let readings: [String: Reading] = [
        "Metadata": reading(Metadata.self), "Condition": reading(Condition.self), "CellSpec": spec(.cell),
        "PoolSpec": spec(.pool), "PolicySpec": spec(.policy), "DocumentVersion": reading(WireVersion.self),
        "RetrainingRules": reading(RetrainingRules.self), "PredictorInUse": reading(PredictorInUse.self),
        "PoolStatus": reading(PoolStatus.self), "ModelDraftSpec": reading(ModelDraftSpec.self),
        "ModelSpec": spec(.model), "ModelScope": reading(ModelScope.self),
        "ModelStatus": reading(ModelStatus.self), "ModelVerb": request(ModelVerbRequest.self),
        "VMHistory": reading(VMHistoryRecord.self),
        "Rollback": request(RollbackRequest.self), "HostSpec": spec(.host), "FlavorSpec": spec(.flavor),
        "ProjectSpec": spec(.project), "VMSpec": spec(.vm), "VMStatus": reading(VMStatus.self),
        "VMGroupSpec": spec(.vmGroup), "VMGroupStatus": reading(VMGroupStatus.self),
        "VMTemplate": reading(VMTemplate.self), "GroupMembership": reading(GroupMembership.self),
        "HostStatus": reading(HostStatus.self), "Device": reading(Device.self),
        "WatchEvent": reading(WatchEvent.self), "Allocation": reading(Allocation.self),
        "Event": reading(EventRecord.self), "Operation": reading(OperationRecord.self),
        "Plan": reading(Plan.self), "Explanation": reading(PlacementExplanation.self),
        "Why": reading(WhyResponse.self), "Estimate": reading(PlacementEstimate.self),
        "JoinTokenTrial": reading(JoinTokenPreview.self), "HostVerb": request(HostVerbRequest.self),
        "TokenRequest": request(TokenRequest.self), "Token": reading(TokenResponse.self),
        "TokenSummary": reading(TokenSummary.self),
        "JoinTokenRequest": request(JoinTokenRequest.self), "JoinToken": reading(JoinTokenResponse.self),
        "AuditRecord": reading(AuditRecord.self), "Cluster": reading(ClusterSummary.self),
        "Starts": reading(StartStatistics.self), "CheckRequest": request(CheckRequest.self),
        "CheckReport": reading(CheckResponse.self), "Version": reading(VersionResponse.self),
        "Problem": reading(APITypes.Problem.self), "FieldDefect": reading(FieldDefect.self),
        "JoinRequest": reading(JoinRequest.self), "JoinResponse": reading(JoinResponse.self),
        "HelloRequest": reading(HelloRequest.self), "HelloResponse": reading(HelloResponse.self),
        "PollRequest": reading(PollRequest.self), "PollResponse": reading(PollResponse.self),
        "PartDirective": reading(PartDirective.self), "PartReport": reading(PartReport.self),
        "ReportRequest": reading(ReportRequest.self), "ReportResponse": reading(ReportResponse.self),
        "UsageRequest": reading(UsageRequest.self), "HostUsage": reading(HostUsage.self),
        "Maintenance": reading(MaintenanceSpec.self), "DisruptionBudget": reading(DisruptionBudget.self),
        "Drain": reading(DrainSpec.self), "DrainVerb": request(HostVerbRequest.self),
        "PreemptionNotice": request(PreemptionNotice.self),
        "DrainPreview": reading(DrainPreview.self), "DrainMove": reading(DrainPreview.Move.self),
        "DrainBlocked": reading(DrainPreview.Blocked.self), "Packing": reading(PackingSummary.self),
        "DefragmentationPreview": reading(DefragmentationPreview.self),
        "Migrations": reading(MigrationRules.self), "Defragmentation": reading(DefragmentationRules.self),
        "Breaker": reading(BreakerSummary.self), "DeviceVerdict": reading(DeviceVerdict.self),
        "HostRepair": reading(HostRepair.self), "ImpactReport": reading(ImpactReport.self),
        "ImpactCause": reading(ImpactReport.Cause.self), "ImpactStep": reading(ImpactReport.Step.self),
        "ImpactHit": reading(ImpactReport.Hit.self),
        "BreakerReset": request(BreakerResetRequest.self),
        "BreakerResetAnswer": reading(BreakerResetResponse.self), "Run": reading(RunSpec.self),
        "Image": reading(ImageSpec.self), "LogPiece": reading(LogPiece.self),
        "RateConstraintRequest": request(ConstraintRequest.self),
        "WhatIfRequest": request(WhatIfRequest.self),
        "ReasonRequest": request(ReasonRequest.self),
        "RateConstraint": reading(ScopeConstraint.self), "RateDecision": reading(ScopeDecision.self),
        "RateExplanation": reading(RateExplanation.self), "LogQuestion": reading(LogQuestion.self),
        "LogAnswer": reading(LogAnswer.self), "ServingRoutes": reading(ServingRoutes.self),
        "TrainingJobSpec": spec(.trainingJob),
        "FaultParameters": request(FaultParameters.self), "FaultSelector": request(TargetSelector.self),
        "FaultSpec": request(FaultSpec.self), "FaultDraft": request(FaultDraft.self),
        "FaultVerb": request(FaultVerb.self), "FaultSwitch": reading(FaultSwitchState.self),
        "FaultTargetOffer": reading(InjectorTarget.self), "FaultInjector": reading(InjectorSummary.self),
        "FaultReport": reading(InjectorReport.self), "FaultOrders": reading(InjectorOrders.self),
        "TrainingJobStatus": reading(TrainingJobStatus.self),
        "TrainingProfilePoint": reading(TrainingProfilePoint.self),
        "TrainingWait": reading(TrainingWait.self), "TrainingWhy": reading(TrainingWhyResponse.self),
        "TrainingShape": reading(TrainingShape.self),
        "TrainingCalibration": reading(TrainingCalibration.self),
        "TrainingChange": reading(TrainingChange.self), "TrainingAddition": request(TrainingAddition.self),
        "TrainingOutcome": reading(TrainingPreview.Outcome.self),
        "TrainingPreview": reading(TrainingPreview.self),
        "PartStatus": reading(PartStatus.self), "PartProgress": reading(PartProgress.self),
        "ServingDeploymentSpec": spec(.servingDeployment),
        "ServingDeploymentStatus": reading(ServingDeploymentStatus.self),
        "Patch": { patch in
            var resource = Resource(
                kind: .flavor, metadata: Metadata(name: "it", uid: ID(UUID()), createdAt: APIFixture.start),
                spec: #"{"resources":{"memoryMiB":1,"milliCPU":1}}"#)
            try MergePatch.apply(patch, to: &resource)
            return patch
        },
    ]

    @Test func everyExampleIsReadAndWrittenAlike() throws {
        for (name, schema) in schemas.sorted(by: { $0.key < $1.key }) {
            guard let examples = schema["examples"]?.array else { continue }
            let reading = try #require(Self.readings[name], "nobody reads the examples of \(name)")
            for example in examples { #expect(try reading(example) == example, "\(name)") }
        }
        #expect(Self.readings.keys.filter { schemas[$0]?["examples"] == nil }.sorted() == [])
    }

    /// With the test before: the properties of a schema are the fields of its type.
    @Test func examplesShowEveryField() throws {
        for (name, schema) in schemas.sorted(by: { $0.key < $1.key }) where name != "Patch" {
            guard let examples = schema["examples"]?.array else { continue }
            let shown = Set(examples.flatMap { $0.object?.keys.map { $0 } ?? [] })
            let properties = Set(schema["properties"]?.object?.keys.map { $0 } ?? [])
            let silent = Self.leftOut[name] ?? []
            #expect(
                shown.symmetricDifference(properties).symmetricDifference(silent).sorted() == [], "\(name)")
            let required = schema["required"]?.array?.compactMap(\.string) ?? []
            #expect(required.allSatisfy { properties.contains($0) }, "\(name)")
        }
    }

    /// A bookmark has no object; the others would repeat a whole document.
    private static let leftOut: [String: Set<String>] = ["WatchEvent": ["object"]]
}
