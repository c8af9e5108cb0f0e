import Fleet
import Foundation
import Store
import Testing

@testable import Control

/// Which policy a cell's pools go by.
@Suite struct CellPolicyTests {
    private static func resource(_ name: String, _ spec: String, generation: Int = 1) -> Resource {
        Resource(
            kind: .policy,
            metadata: Metadata(
                name: name, uid: ID(UUID()), generation: generation, createdAt: Timestamp(seconds: 0)),
            spec: spec)
    }

    @Test func aPoolGoesByItsDocumentElseByTheBuiltInPolicyThatItNames() {
        var model = CellModel(name: "a")
        model.policies["dense"] = PolicyRecord(
            Self.resource("dense", #"{"placement":{"score":"waste"},"type":"placement"}"#, generation: 3))
        for (name, placement, policy) in [
            ("plain", nil, nil), ("built-in", PoolSpec.Placement.firstFit, nil), ("document", nil, "dense"),
            // Its document is on its way.
            ("early", nil, "none"),
        ] {
            model.put(
                pool: name,
                PoolSpec(
                    cell: "a", admits: [.vm], placement: placement,
                    policies: policy.map { PoolPolicies(placement: $0) }))
        }
        let (policies, documents) = model.placementPolicies()
        #expect(policies == ["built-in": .firstFit, "document": .waste, "early": .bestFit])
        #expect(documents == ["document": PolicyVersion(name: "dense", version: 3)])
        #expect(model.placementPolicy(ofPool: "plain") == .bestFit)
        #expect(model.placementPolicy(ofPool: nil) == .bestFit)
    }

    /// A newer program may have written it for an engine that this one does not have.
    @Test func aPolicyOfAnotherTypeIsLeftAlone() {
        #expect(PolicyRecord(Self.resource("x", #"{"type":"healing","healing":{}}"#)) == nil)
    }
}
