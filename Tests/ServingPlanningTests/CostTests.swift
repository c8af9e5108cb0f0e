import Testing

@testable import ServingPlanning

/// LLaMA-30B in 16 bits, with the constants of the golden values.
struct CostTests {
    private func block(_ type: String, _ tensor: Int, _ link: Link = Fixture.pcie) throws -> BlockCosts {
        let catalogue = try ServingCatalogue.seed()
        return try #require(
            BlockCosts(
                try catalogue.gpu(type), tensor: tensor, intra: link, model: try catalogue.model("LLaMA-30B"),
                precision: .init(), settings: Fixture.goldenSettings))
    }

    private static let rows: [(type: String, tensor: Int, prefillMs: Double, decodeMs: Double)] = [
        ("A40", 4, 4.576807, 0.838349), ("A40", 8, 3.553630, 0.464538),
        ("RTX-3090Ti", 4, 6.899531, 0.603945), ("A100-80-SXM", 4, 1.488954, 0.293279),
    ]

    @Test(arguments: rows.indices)
    func layersCostWhatTheGoldenValuesSay(index: Int) throws {
        let row = Self.rows[index]
        let link = row.type.hasPrefix("A100") ? Fixture.nvlink : Fixture.pcie
        let block = try block(row.type, row.tensor, link)
        #expect(isNear(1000 * block.prefill(tokens: 1024, squares: 1024 * 1024), row.prefillMs, within: 5e-7))
        #expect(isNear(1000 * block.decode(sequences: 16, context: 16 * 1200), row.decodeMs, within: 5e-7))
    }

    private func model(_ nodes: [(String, Int)], _ stages: [Stage]) throws -> LayoutModel {
        let catalogue = try ServingCatalogue.seed()
        var cluster = Fixture.cluster(nodes.map { (type: $0.0, count: $0.1) })
        for index in cluster.nodes.indices { cluster.nodes[index].intra = Fixture.pcie }
        let hardware = try ServingHardware(
            cluster: cluster, model: try catalogue.model("LLaMA-30B"), settings: Fixture.goldenSettings,
            catalogue: catalogue)
        return try #require(LayoutModel(Layout(stages: stages), on: hardware))
    }

    @Test func aPipelineTakesItsStagesAndHops() throws {
        let model = try model(
            [("A40", 8)], [.init(node: 0, tensor: 4, layers: 30), .init(node: 0, tensor: 4, layers: 30)])
        #expect(isNear(model.prefill(tokens: 1024, squares: 1024 * 1024).latency, 0.275248, within: 5e-7))
    }

    @Test func whatWeightsLeaveIsRoomForKeysAndValues() throws {
        let model = try model([("RTX-3090Ti", 4)], [.init(node: 0, tensor: 4, layers: 60)])
        #expect(model.kvTokens == 16_195_691_520 / 1_597_440)
    }

    @Test func theModelHasThePublishedNumbers() throws {
        let catalogue = try ServingCatalogue.seed()
        let llama = try catalogue.model("LLaMA-30B")
        #expect(llama.layerParameters == 535_035_904)
        #expect(llama.kvElements * Double(llama.layers) * 2 == 1_597_440)
        let known = [
            ("Llama-3.1-8B", 8.03, 8.03), ("Llama-3.1-70B", 70.55, 70.55), ("Llama-3.1-405B", 405.85, 405.85),
            ("Mixtral-8x7B", 46.70, 12.88), ("Qwen3-235B-A22B", 235.09, 22.19),
        ]
        for (name, total, active) in known {
            let model = try catalogue.model(name)
            let read = Double(model.layers) * model.activeLayerParameters + 2 * model.headParameters
            #expect(isNear(model.parameters / 1e9, total, within: 0.006), "\(name)")
            #expect(isNear(read / 1e9, active, within: 0.006), "\(name)")
        }
        #expect(try catalogue.model("Llama-3.1-70B").kvElements * 80 * 2 == 327_680)
        let deepSeek = try catalogue.model("DeepSeek-V3/R1")
        #expect(isNear(deepSeek.parameters / 1e9, 671, within: 0.01))
    }

    @Test func keysAndValuesTravelAsTheArithmeticSays() throws {
        let catalogue = try ServingCatalogue.seed()
        for (gbit, bits, seconds) in [(40.0, 16, 0.469), (40, 4, 0.1173), (5, 16, 3.755), (5, 4, 0.9387)] {
            var settings = Fixture.goldenSettings
            settings.quantisationSeconds = 0
            let cluster = Fixture.cluster([("A40", 4), ("A40", 4)], gbit: gbit)
            let hardware = try ServingHardware(
                cluster: cluster, model: try catalogue.model("LLaMA-30B"),
                precision: .init(kvTransferBits: bits), settings: settings, catalogue: catalogue)
            let path = KVPath(
                from: Layout(stages: [.init(node: 0, tensor: 4, layers: 60)]),
                to: Layout(stages: [.init(node: 1, tensor: 4, layers: 60)]), on: hardware)
            // Scales and zero points of groups of 64 add an eighth of the four bits.
            let scales = bits == 4 ? 1.125 : 1
            #expect(isNear(path.seconds(prompt: 1469), seconds * scales, within: 0.001 * seconds + 2e-4))
        }
    }

    @Test func aStraddlingGroupIsAsSlowAsItsSlowestLink() throws {
        let catalogue = try ServingCatalogue.seed()
        var cluster = Fixture.cluster([("A40", 4), ("A40", 4), ("A40", 4)], gbit: 40)
        cluster.links[2][1] = Link(latency: 0, bandwidth: 1e8)
        let hardware = try ServingHardware(
            cluster: cluster, model: try catalogue.model("LLaMA-30B"), catalogue: catalogue)
        let target = Layout(stages: [.init(node: 1, tensor: 4, layers: 60)])
        let near = KVPath(
            from: Layout(stages: [.init(node: 0, tensor: 4, layers: 60)]), to: target, on: hardware)
        let straddling = KVPath(
            from: Layout(
                stages: [.init(node: 0, tensor: 4, layers: 30), .init(node: 2, tensor: 4, layers: 30)]),
            to: target, on: hardware)
        #expect(straddling.seconds(prompt: 1000) > 20 * near.seconds(prompt: 1000))
    }

    @Test func fewerBitsAreNeverSlower() throws {
        let catalogue = try ServingCatalogue.seed()
        let cluster = Fixture.cluster([("A100-80-SXM", 8)])
        let layout = Layout(stages: [.init(node: 0, tensor: 1, layers: 32)])
        let paths = try [16, 8, 4].map { bits in
            KVPath(
                from: layout, to: layout,
                on: try ServingHardware(
                    cluster: cluster, model: try catalogue.model("Llama-3.1-8B"),
                    precision: .init(kvTransferBits: bits), catalogue: catalogue))
        }
        for prompt in [1.0, 100, 10_000] {
            #expect(paths[0].seconds(prompt: prompt) >= paths[1].seconds(prompt: prompt))
            #expect(paths[1].seconds(prompt: prompt) >= paths[2].seconds(prompt: prompt))
        }
    }

    @Test func fitsOfDistServeAreReproduced() {
        let fit = FittedLatency(
            prefill: [18.1025, 0.101912, 7.1223e-6], decode: [19.9347, 6.2694e-4, 0.038507],
            largeDecode: [7.1662, 5.7980e-4, 0.158311])
        #expect(isNear(fit.prefillMs(tokens: 512, squares: 512 * 512), 73.149, within: 5e-4))
        #expect(isNear(fit.decodeMs(sequences: 32, context: 19_200), 33.204, within: 5e-4))
        #expect(fit.decodeMs(sequences: 95, context: 0) < fit.decodeMs(sequences: 94, context: 0))
    }

    @Test func missingKernelsMakeNoBlock() throws {
        let catalogue = try ServingCatalogue.seed()
        let model = try catalogue.model("Llama-3.1-8B")
        for (type, precision) in [
            ("A40", ServingPrecision(weights: .fp8)), ("H100-SXM", ServingPrecision(weights: .fp4)),
            ("T4", ServingPrecision(kvCacheBits: 8)),
        ] {
            #expect(
                BlockCosts(
                    try catalogue.gpu(type), tensor: 1, intra: Fixture.pcie, model: model,
                    precision: precision, settings: .init()) == nil)
        }
    }
}
