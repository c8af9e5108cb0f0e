import Foundation
import ServingPlanning
import Testing

@testable import Replay

/// Measurements and requests of language models, where they are: the folder named by `BASALT_SERVING`, or
/// `shared/data/serving` beside the package.
enum ServingData {
    static let folder: String? = {
        let named = ProcessInfo.processInfo.environment["BASALT_SERVING"]
        let beside = PackageRoot.url.deletingLastPathComponent().appending(path: "shared/data/serving").path
        return [named, beside].compactMap { $0 }.first { FileManager.default.fileExists(atPath: $0) }
    }()

    static func source(_ name: String) throws -> TraceSource {
        TraceSource.file(path: try #require(folder) + "/" + name)
    }
}

@Suite(.enabled(if: ServingData.folder != nil, "no serving data: set BASALT_SERVING to its folder"))
struct ServingDataTests {
    @Test func theCostModelIsNearMeasurements() throws {
        let points = try SiliconReader().read(
            try ServingData.source("aiconfigurator/silicon_sample.csv.gz"))
        let rows = try SiliconExperiment(catalogue: try ServingCatalogue.seed()).judge(points)
        let all = try #require(rows.first)
        #expect(all.name == "all" && all.points == 351)
        #expect(all.mapePct <= 16 && abs(all.biasPct) <= 5, "\(all)")
        #expect(try #require(all.spearman) >= 0.95, "\(all)")
    }

    @Test func requestsOfAzureAreRead() throws {
        let code = try ServingRequestReader().read(
            try ServingData.source("azure2023/AzureLLMInferenceTrace_code.csv.gz"))
        #expect(code.sizes.count == 8819)
        #expect(abs(try #require(code.rate) - 2.567) < 0.001)
    }

    /// Counts that Mélange's integer program gives for AIBrix's profiles and the requests of Azure.
    @Test(arguments: [(5.0, 3), (20, 9), (80, 36)])
    func mixesAreThoseOfTheReference(rate: Double, count: Int) throws {
        let profiles = try ["a100", "a40"].map { name in
            let path = "aibrix_melange/simulator-llama2-7b-\(name).json"
            let file = URL(fileURLWithPath: try #require(ServingData.folder)).appending(path: path)
            return try ThroughputProfile(json: try Data(contentsOf: file))
        }
        let requests = try ServingRequestReader().read(
            try ServingData.source("azure2023/AzureLLMInferenceTrace_conv.csv.gz"))
        let problem = try MixProblem(profiles: profiles, rate: rate, requests: requests.sizes, slices: 4)
        let mix = try GPUMixPlanner().plan(problem)
        #expect(mix.gpus.map(\.count) == [0, count] && mix.isCheapest, "\(mix)")
        #expect(throws: ServingError.self) {
            try GPUMixPlanner().plan(
                try MixProblem(
                    profiles: [profiles[0]], rate: rate, requests: requests.sizes, slices: 4))
        }
    }
}

struct ServingRequestReaderTests {
    private func read(_ text: String) throws -> ServingRequests {
        try ServingRequestReader().read(.bytes(Array(text.utf8), name: "r.csv"))
    }

    @Test func timesAreReadInBothForms() throws {
        let dated = try read(
            """
            TIMESTAMP,ContextTokens,GeneratedTokens
            2024-02-29 23:59:59.5000000,10,5
            2024-03-01 00:00:01.5,20,0
            """)
        #expect(dated.timed?.map(\.arrival) == [0, 2])
        #expect(dated.sizes.last == RequestSize(prompt: 20, output: 1) && dated.rate == 0.5)
        let plain = try read("ContextTokens,GeneratedTokens\n7,8\n")
        #expect(plain.timed == nil && plain.rate == nil)
    }

    @Test(arguments: [
        "", "ContextTokens\n1\n", "ContextTokens,GeneratedTokens\n", "ContextTokens,GeneratedTokens\n0,1\n",
        "ContextTokens,GeneratedTokens\n1.5,1\n", "TIMESTAMP,ContextTokens,GeneratedTokens\nnoon,1,1\n",
    ])
    func aBadFileIsRefused(text: String) {
        #expect(throws: TraceError.self) { try read(text) }
    }

    @Test func ranksCorrelateWhateverTheScale() {
        #expect(RankCorrelation.of([1, 2, 3, 9], [1, 4, 9, 1000]) == 1)
        #expect(RankCorrelation.of([1, 2, 3], [3, 2, 1]) == -1)
        #expect(RankCorrelation.of([1, 1], [1, 2]) == 0)
    }
}
