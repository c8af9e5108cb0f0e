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
        let run = RunSpec(command: ["c"], env: ["A": "b"], workingDirectory: "w")
        let image = ImageSpec(source: "/i", sha256: "s")
        let vm = VMSpec(
            cell: "c", pool: "p", flavor: "f", resources: resources, devices: devices, class: .spot,
            hostSelector: ["a": "b"], antiAffinity: AntiAffinity(group: "g"), lifetimeHintSeconds: 1,
            onPartition: .keep, run: run, image: image)
        let spec: any Encodable =
            switch kind {
            case .cell: CellSpec(description: "d", policies: ScopePolicies(oversubscription: "o"))
            case .pool:
                PoolSpec(
                    cell: "c", admits: [.vm], placement: .bestFit,
                    policies: PoolPolicies(placement: "p", oversubscription: "o"),
                    shadow: .lava, cpuRatioPerMille: 1000, maintenance: Self.maintenance,
                    disruptionBudgets: [
                        DisruptionBudget(project: "p", selector: ["a": "b"], maxDisrupted: 1)
                    ],
                    migrations: MigrationRules(
                        order: .longestFirst, slotsPerHost: 1, slotsPerPool: 1, minutesPerMove: 1,
                        resortMinutes: 1, coolDownHours: 1),
                    defragmentation: DefragmentationRules(
                        mode: .off, targetEmptyPerMille: 1, marginPerMille: 1, afterMinutes: 1,
                        maxDrainingPerMille: 1),
                    training: TrainingRules(
                        policy: .rubick, gatePerMille: 1, restartSeconds: 1, agingSeconds: 1))
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
                    drain: DrainSpec(
                        due: Self.time, deadline: Self.time, atDeadline: .stop, maxParallel: 1, force: true,
                        purpose: .maintenance),
                    maintenance: Self.maintenance,
                    policies: ScopePolicies(oversubscription: "o"),
                    repair: HostRepair(
                        state: .open, reason: "r", since: Self.time, evidence: ["e"], cordonedBefore: "c"))
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
                    checkpoint: CheckpointSpec(
                        directory: "/d", signal: .term, graceSeconds: 1, command: ["save"], commandSeconds: 1),
                    onPartition: .stop, maxFailures: 1)
            case .servingDeployment:
                ServingDeploymentSpec(
                    cell: "c", pool: "p", model: "m",
                    shape: ServingModelShape(
                        layers: 1, hidden: 1, heads: 1, kvHeads: 1, feedForward: 1, vocabulary: 1),
                    levels: ServingLevels(
                        ttftMilliseconds: 1, tpotMilliseconds: 1, e2eMilliseconds: 1, targetPerMille: 1),
                    demand: ServingDemand(requestsPerMinute: 1, promptTokens: 1, outputTokens: 1),
                    budgetCentsPerHour: 1, kvBits: 4, maxStages: 1, phases: [.both], drainSeconds: 1,
                    resourcesPerDevice: resources, port: 8000, run: run, image: image)
            default: vm
            }
        Self.requireEveryMember(of: spec, except: ["group"])
        let maps = ["hostSelector", "template.labels", "run.env", "disruptionBudgets.selector"].flatMap {
            ["spec.\($0)", "spec.template.spec.\($0)"]
        }
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

    /// A sample that leaves a member out would not show that it is unexplained.
    private static func requireEveryMember(of value: Any, except unwritten: Set<String>) {
        for member in Mirror(reflecting: value).children where !unwritten.contains(member.label ?? "") {
            let mirror = Mirror(reflecting: member.value)
            if mirror.displayStyle == .optional, mirror.children.isEmpty {
                Issue.record("the sample has no \(member.label ?? "member") in \(type(of: value))")
            }
            requireEveryMember(of: member.value, except: unwritten)
        }
    }

    private static let time = Timestamp(microseconds: 0)
    private static let maintenance = MaintenanceSpec(
        windows: [MaintenanceWindow(days: [.mon], start: "02:30", durationMinutes: 1)], due: time)
    private static let rules = OversubscriptionRules(
        mode: .managed, algorithm: .protoRate, parameters: .init(prototypes: 1, ridge: 1), ratioPerMille: 1,
        ratioMinPerMille: 1, ratioMaxPerMille: 1, riskTarget: 1, windowSeconds: 1, maxStepUpPerMille: 1,
        maxStepDownPerMille: 1, maxUtilizationPerMille: 1, review: .never,
        expiresAt: time, reason: "r")
}
