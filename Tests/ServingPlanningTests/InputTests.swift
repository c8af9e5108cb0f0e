import Foundation
import Testing

@testable import ServingPlanning

struct InputTests {
    @Test func everyNumberOfTheCatalogueHasASource() throws {
        let catalogue = try ServingCatalogue.seed()
        #expect(catalogue.gpus.count == 33 && catalogue.models.count == 29)
        #expect(Set(catalogue.gpus.map(\.name)).count == 33)
        for gpu in catalogue.gpus {
            #expect(!gpu.specificationSource.isEmpty && !gpu.calibrationSource.isEmpty, "\(gpu.name)")
            #expect(["high", "medium", "low"].contains { gpu.confidence.hasPrefix($0) }, "\(gpu.name)")
            #expect(gpu.prices.allSatisfy { !$0.source.isEmpty && $0.usdPerHour > 0 }, "\(gpu.name)")
            #expect(gpu.usualPrice != nil, "\(gpu.name)")
        }
        for model in catalogue.models {
            try model.validate()
            #expect(model.source?.isEmpty == false, "\(model.name)")
        }
    }

    @Test func aConfigOfHuggingFaceIsRead() throws {
        let text = """
            {"model_type": "qwen3_moe", "num_hidden_layers": 48, "hidden_size": 2048, "num_attention_heads": 32,
             "num_key_value_heads": 4, "head_dim": 128, "intermediate_size": 6144, "moe_intermediate_size": 768,
             "num_experts": 128, "num_experts_per_tok": 8, "vocab_size": 151936, "tie_word_embeddings": false,
             "max_position_embeddings": 40960}
            """
        let shape = try ModelShape(config: Data(text.utf8), name: "mine")
        let known = try ServingCatalogue.seed().model("Qwen3-30B-A3B")
        #expect(shape.parameters == known.parameters && shape.kvElements == known.kvElements)
        #expect(shape.activeLayerParameters == known.activeLayerParameters)
    }

    @Test(arguments: [
        ("{}", "config.json:  has no \"num_hidden_layers\""), ("[", "config.json: no JSON"),
        (
            #"{"num_hidden_layers": 0, "hidden_size": 8, "num_attention_heads": 2, "vocab_size": 9}"#,
            "config.json: layers is 0, 1 to 1000 expected"
        ),
    ])
    func aBadConfigIsRefused(text: String, message: String) {
        #expect(throws: ServingError(.model, message)) {
            try ModelShape(config: Data(text.utf8), name: "config.json")
        }
    }

    @Test func aClusterIsReadAndWritten() throws {
        let text = """
            {"cluster": [{"node": "a", "type": "A40", "count": 4, "price": 1.6, "intra": [20, 22]},
             {"node": "b", "type": "L4", "count": 1}],
             "links": [[[0, 0], [100, 5]], [[200, 0.625], [0, 0]]], "model": "ignored"}
            """
        let cluster = try ServingCluster(json: Data(text.utf8))
        #expect(cluster.nodes[0].intra == Link(latency: 20e-6, bandwidth: 22e9))
        #expect(cluster.links[1][0].bandwidth == 0.625e9 && cluster.gpuCount == 5)
        #expect(try ServingCluster(json: try JSONEncoder().encode(cluster)) == cluster)
    }

    @Test(arguments: [
        (#"{"cluster": [], "links": []}"#, "no nodes"), (#"{"links": []}"#, "has no \"cluster\""),
        (#"{"cluster": [{"node": "a", "type": "L4", "count": 0}], "links": [[[1, 1]]]}"#, "0 GPUs"),
        (#"{"cluster": [{"node": "a", "type": "L4", "count": 1}], "links": []}"#, "1 rows of 1 links"),
        (
            #"{"cluster": [{"node": "a", "type": "L4", "count": 1}, {"node": "a", "type": "L4", "count": 1}], "#
                + #""links": []}"#, "name of a node of its own"
        ),
        (
            #"{"cluster": [{"node": "a", "type": "L4", "count": 1}, {"node": "b", "type": "L4", "count": 1}], "#
                + #""links": [[[0, 0], [0, 0]], [[1, 1], [0, 0]]]}"#, "from a to b"
        ),
    ])
    func aBadClusterIsRefused(text: String, part: String) {
        let error = #expect(throws: ServingError.self) { try ServingCluster(json: Data(text.utf8)) }
        #expect(error?.code == .cluster && error?.message.contains(part) == true, "\(error?.message ?? "")")
    }

    @Test func manyRequestsAreThinnedWithTheirTails() throws {
        let requests = (0..<20_000).map { RequestSize(prompt: 1 + $0 % 997, output: 1 + $0 / 20) }
        let workload = try ServingWorkload(rate: 1, requests: requests)
        #expect(workload.samples.count == ServingWorkload.sampleLimit)
        let mean = Double(requests.reduce(0) { $0 + $1.output }) / 20_000
        #expect(abs(workload.meanOutput / mean - 1) < 0.02)
        #expect(throws: ServingError.self) { try ServingWorkload(rate: 0, requests: requests) }
        #expect(throws: ServingError.self) { try ServingWorkload(rate: 1, requests: []) }
    }
}
