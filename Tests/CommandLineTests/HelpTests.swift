import APITypes
import ArgumentParser
import Fleet
import Foundation
import Testing

@testable import CommandLine

struct HelpTests {
    @Test func everyCommandHasExamplesAndEachParses() throws {
        let leaves = CommandTree.leaves
        #expect(leaves.count > 30)
        for path in [[]] + leaves {
            let examples = CommandExamples.of(path)
            #expect(!examples.isEmpty, "no example of \(path)")
            for example in examples {
                let words = example.split(separator: " ").map { String($0).replacing("'", with: "") }
                #expect(
                    words.first == "basalt" && Array(words.dropFirst().prefix(path.count)) == path,
                    "\(example)")
                let arguments = Array(words.dropFirst().prefix { $0 != ">" })
                #expect(CommandTree.misspelling(in: arguments) == nil, "\(example)")
                #expect(throws: Never.self, "\(example)") { try Basalt.parseAsRoot(arguments) }
            }
        }
    }

    @Test func helpEndsWithTheExamples() async throws {
        let fixture = try CommandFixture()
        for path in [[]] + CommandTree.leaves {
            let help = await fixture.run(path + ["--help"], server: nil)
            #expect(help.status == .done && help.output.hasSuffix(CommandExamples.section(path)), "\(path)")
            let other = await fixture.run(["help"] + path, server: nil)
            #expect(other.output.hasSuffix(CommandExamples.section(path)), "help \(path)")
        }
    }

    /// Every field that a spec encodes is explained, and no other.
    @Test(arguments: Kind.allCases.filter(\.isDocument))
    func theGuideKnowsEveryField(kind: Kind) throws {
        let devices = [DeviceRequest(model: "H100", count: 1)]
        let resources = Resources(milliCPU: 1, memoryMiB: 1)
        let vm = VMSpec(
            cell: "c", pool: "p", flavor: "f", resources: resources, devices: devices, class: .spot,
            hostSelector: ["a": "b"], antiAffinity: AntiAffinity(group: "g"), lifetimeHintSeconds: 1,
            onPartition: .keep)
        let run = RunSpec(command: ["c"], env: ["A": "b"], workingDirectory: "w")
        let image = ImageSpec(source: "/i", sha256: "s")
        let spec: any Encodable =
            switch kind {
            case .cell: CellSpec(description: "d", policies: ScopePolicies(oversubscription: "o"))
            case .pool:
                PoolSpec(
                    cell: "c", admits: [.vm], placement: .bestFit,
                    policies: PoolPolicies(placement: "p", oversubscription: "o"),
                    shadow: .lava, cpuRatioPerMille: 1000)
            case .policy:
                PolicySpec(
                    type: .placement, description: "d",
                    placement: PlacementRules(
                        score: .lava, predictor: .gbdt, model: "m",
                        retraining: RetrainingRules(
                            everyHours: 1, keep: 1, labels: ["a"], vms: 500, promotes: true)),
                    oversubscription: Self.rules)
            case .model: ModelDraftSpec(description: "d", file: "f")
            case .host:
                HostSpec(
                    cell: "c", pool: "p", cordoned: true, draining: true, cordonReason: "r",
                    policies: ScopePolicies(oversubscription: "o"))
            case .flavor: FlavorSpec(resources: resources, devices: devices)
            case .project: ProjectSpec(quota: Quota(milliCPU: 1, memoryMiB: 1, devices: 1))
            case .vmGroup:
                VMGroupSpec(
                    replicas: 1, placement: .all, antiAffinity: .host,
                    template: VMTemplate(labels: ["a": "b"], spec: vm))
            case .trainingJob:
                TrainingJobSpec(
                    cell: "c", pool: "p", model: .vit,
                    profile: [
                        TrainingProfilePoint(placement: [1], plan: "ga", secondsPerStep: 1, cpusPerDevice: 1)
                    ],
                    globalBatch: 1, steps: 1, devices: 1, hosts: 1, plan: "ga", deviceModel: "m",
                    memoryMiBPerDevice: 1, class: .guaranteed, processes: .perHost, run: run, image: image,
                    checkpoint: CheckpointSpec(directory: "/d", signal: .term, graceSeconds: 1),
                    onPartition: .stop, maxFailures: 1)
            case .servingDeployment:
                ServingDeploymentSpec(cell: "c", pool: "p", model: "m", run: run, image: image)
            default: vm
            }
        let maps: Set = [
            "spec.run.env", "spec.hostSelector", "spec.template.labels", "spec.template.spec.hostSelector",
        ]
        func paths(_ value: Any, _ path: String) -> [String] {
            if let items = value as? [Any] { return items.first.map { paths($0, path) } ?? [path] }
            guard let members = value as? [String: Any], !maps.contains(path) else { return [path] }
            return [path] + members.flatMap { paths($0.value, "\(path).\($0.key)") }
        }
        let json = try JSONSerialization.jsonObject(with: JSONEncoder().encode(spec))
        let explained = FieldGuide.entries(kind).map(\.path).filter { $0.hasPrefix("spec") }
        #expect(Set(explained) == Set(paths(json, "spec")))
        #expect(explained.count == Set(explained).count)
    }

    private static let rules = OversubscriptionRules(
        mode: .managed, algorithm: .protoRate, parameters: .init(prototypes: 1, ridge: 1), ratioPerMille: 1,
        ratioMinPerMille: 1, ratioMaxPerMille: 1, riskTarget: 1, windowSeconds: 1, maxStepUpPerMille: 1,
        maxStepDownPerMille: 1, maxUtilizationPerMille: 1, review: .never,
        expiresAt: Timestamp(microseconds: 0), reason: "r")
}
