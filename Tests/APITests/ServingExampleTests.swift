import APITypes
import Fleet
import Foundation
import Testing
import Yams

@testable import API

/// Every deployment of `Policies/serving` is one that the server takes.
@Suite struct ServingExampleTests {
    @Test(arguments: ["vllm", "sglang", "llama.cpp"])
    func `an example is a deployment`(_ name: String) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(
            contentsOf: root.appending(path: "Policies/serving/\(name).yaml"), encoding: .utf8)
        let loaded = try #require(try Yams.load(yaml: text))
        let json = try JSONSerialization.data(withJSONObject: loaded)
        let draft = try DraftReader.read(json, kind: .servingDeployment, project: "web")
        let spec = try JSONDecoder().decode(ServingDeploymentSpec.self, from: Data(draft.spec.utf8))
        #expect(spec.defects().isEmpty)
        #expect(spec.run != nil)
    }
}
