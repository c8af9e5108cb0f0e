import Fleet
import Foundation
import Testing
import VMPlacement

@Suite struct BoostedModelTests {
    private let features = VMFeatures(
        resources: Resources(milliCPU: 4000, memoryMiB: 8192), project: "shop", attributes: ["gpu": "2"])

    /// Up to 2 vCPU 100 s, else 1000 s; one power of ten more from about an hour of uptime on.
    private func model(calibration: Calibration = .none) throws -> BoostedLifetimeModel {
        let encoder = FeatureEncoder([
            ModelFeature(name: "uptime", kind: .number), ModelFeature(name: "vcpu", kind: .number),
            ModelFeature(name: "gpu", kind: .number),
            ModelFeature(name: "project", kind: .category(values: ["shop": 3.5], otherwise: 2.25)),
        ])
        var trees = TreeEnsemble(base: 0.5, featureCount: 4)
        try trees.append([.init(feature: 1, left: 1, value: 2), .leaf(1.5), .leaf(2.5)])
        try trees.append([
            .init(feature: 0, left: 1, value: 8), .leaf(0), .init(feature: 2, left: 3, value: 4), .leaf(1),
            .leaf(7),
        ])
        return BoostedLifetimeModel(encoder: encoder, trees: trees, calibration: calibration)
    }

    private func file() throws -> LifetimeModelFile {
        LifetimeModelFile(
            try model(calibration: #require(Calibration(predicted: [1, 2, 3], actual: [1.5, 2, 4]))),
            training: .init(
                from: 0, until: 100, vms: 5, censored: 1, examples: 30, seed: 7, dataHash: "00ff"),
            metrics: .init(trees: 2, trainingError: 0.5, validationError: 0.75), capSeconds: 604_800)
    }

    @Test func treesAreWalkedToTheirLeaves() throws {
        let model = try model()
        #expect(abs(model.expectedRemaining(uptime: 0, of: features) - 1000) < 0.01)
        #expect(abs(model.expectedRemaining(uptime: 10_000, of: features) - 10_000) < 0.1)
        var small = features
        small.resources.milliCPU = 2000
        #expect(abs(model.expectedRemaining(uptime: 0, of: small) - 100) < 0.001)
        // A text that is no number counts as missing, which goes left.
        small.attributes["gpu"] = "many"
        #expect(abs(model.expectedRemaining(uptime: 10_000, of: small) - 1000) < 0.01)
    }

    @Test func whatIsKnownBecomesNumbers() throws {
        let vector = try model().encoder.vector(features, uptime: exp(1) - 1)
        #expect(vector == [1, 4, 2, 3.5])
        var other = features
        other.project = "unseen"
        other.attributes = [:]
        let blind = try model().encoder.vector(other, uptime: -5)
        #expect(blind[0] == 0 && blind[2].isNaN && blind[3] == 2.25)
    }

    @Test(arguments: [(0.0, 0.5), (1, 1.5), (1.5, 1.75), (2.5, 3), (3, 4), (5, 6)])
    func calibrationIsLinearBetweenKnots(predicted: Double, expected: Double) throws {
        let calibration = try #require(Calibration(predicted: [1, 2, 3], actual: [1.5, 2, 4]))
        var trees = TreeEnsemble(base: Float(predicted), featureCount: 1)
        try trees.append([.leaf(0)])
        let model = BoostedLifetimeModel(
            encoder: FeatureEncoder([ModelFeature(name: "uptime", kind: .number)]), trees: trees,
            calibration: calibration)
        #expect(abs(log10(model.expectedRemaining(uptime: 0, of: features)) - expected) < 1e-6)
    }

    @Test(arguments: [([1, 2], [1]), ([2, 1], [1, 2]), ([1, 2], [2, 1]), ([1, 1], [1, 1])])
    func knotsOutOfOrderAreNoCalibration(predicted: [Float], actual: [Float]) {
        #expect(Calibration(predicted: predicted, actual: actual) == nil)
    }

    @Test(
        arguments: [
            ([], TreeEnsemble.Defect.noNodes),
            ([.init(feature: 2, left: 1, value: 0), .leaf(0), .leaf(0)], .feature(node: 0)),
            ([.init(feature: -1, left: 0, value: 0)], .feature(node: 0)),
            ([.init(feature: 0, left: 1, value: 0), .leaf(0)], .child(node: 0)),
            ([.init(feature: 0, left: -1, value: 0), .leaf(0)], .child(node: 0)),
            (
                [.init(feature: 0, left: 1, value: 0), .init(feature: 0, left: 1, value: 0), .leaf(0)],
                .child(node: 1)
            ),
            ([.leaf(.nan)], .value(node: 0)),
        ] as [([TreeEnsemble.Node], TreeEnsemble.Defect)])
    func nodesThatAreNoTreeAreRefused(nodes: [TreeEnsemble.Node], defect: TreeEnsemble.Defect) {
        var trees = TreeEnsemble(base: 0, featureCount: 2)
        #expect(throws: defect) { try trees.append(nodes) }
        #expect(trees.count == 0)
    }

    @Test func aFileIsReadAsItWasWritten() throws {
        let data = try file().data()
        let read = try LifetimeModelFile(data)
        #expect(try read == file() && read.data() == data)
        let (first, second) = try (file().model, read.model)
        for uptime in [0.0, 60, 3600, 1e6] {
            #expect(
                first.expectedRemaining(uptime: uptime, of: features)
                    == second.expectedRemaining(uptime: uptime, of: features))
        }
    }

    @Test(arguments: [
        ("\"version\":1", "\"version\":2", "version: \"2\" found, version 1 expected"),
        (
            "\"format\":\"basalt-lifetime-model\"", "\"format\":\"other\"",
            "format: \"other\" found, basalt-lifetime-model expected"
        ),
        ("\"capSeconds\":604800,", "", "capSeconds: a value expected"),
        ("\"seed\":7", "\"seed\":\"x\"", "training.seed: "), ("\"base\":0.5", "\"base\":0.25", "checksum: "),
        ("2.25", "2.5", "checksum: "), ("\"lefts\":[1,", "\"lefts\":[0,", "checksum: "),
        ("{", "[", "the file: "),
    ])
    func aDamagedFileIsRefusedByTheNameOfTheField(text: String, damaged: String, message: String) throws {
        let whole = String(decoding: try file().data(), as: UTF8.self)
        let range = try #require(whole.range(of: text))
        let data = Data(whole.replacingCharacters(in: range, with: damaged).utf8)
        let error = #expect(throws: LifetimeModelError.self) { try LifetimeModelFile(data) }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }

    @Test func everyPrefixOfAFileIsRefused() throws {
        let data = try file().data()
        for count in stride(from: 0, to: data.count - 2, by: 7) {
            #expect(throws: LifetimeModelError.self) { try LifetimeModelFile(data.prefix(count)) }
        }
    }
}
