internal import ArgumentParser
internal import FakeEngine
internal import FaultSeam
internal import Foundation
internal import Hummingbird
internal import Logging
internal import ServingPlanning

/// An engine without a model, for trying serving out: real HTTP, the times of a plan's group.
@main
struct BasaltFakeEngine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "basalt-fake-engine",
        abstract:
            "Serve OpenAI's API as an engine would, with the times of the cost model and made-up words.",
        discussion: "Example: basalt-fake-engine --port 8000 --model llama-3-8b --plan plan.json --group g1")

    @Option(help: "Address to listen on.") var host = "127.0.0.1"
    @Option(help: "Port to listen on; 0 takes a free one.") var port = 8000
    @Option(help: "Name of the model that is served.") var model = "fake"
    @Option(help: "Phases that are served; POST /role changes them while it runs.") var role = RoleOption.both
    @Option(help: "Serving plan, as `basalt plan serving` writes it.") var plan: String?
    @Option(help: "Group of the plan whose times are taken.") var group: String?
    @Option(help: "Milliseconds of a prompt, beside its tokens; without a plan.") var prefillMs = 5.0
    @Option(help: "Milliseconds of a token of a prompt; without a plan.") var prefillTokenMs = 0.02
    @Option(help: "Milliseconds of a step, beside its sequences; without a plan.") var stepMs = 5.0
    @Option(help: "Milliseconds of a sequence in a step; without a plan.") var stepSequenceMs = 0.1
    @Option(help: "Times as fast as that.") var speed = 1.0
    @Option(help: "Sequences at once; with a plan those of the group.") var slots: Int?
    @Option(help: "Tokens of one piece of a streamed answer.") var chunkTokens = 1
    @Option(help: "Fault tests: do to this engine what the files in this directory say.")
    var faultSeam: String?

    func validate() throws {
        guard (0...65_535).contains(port) else {
            throw ValidationError("--port is \(port), outside 0 to 65535")
        }
        guard (plan == nil) == (group == nil) else {
            throw ValidationError("give --plan and --group together, or neither")
        }
        guard speed > 0, slots ?? 1 > 0, chunkTokens > 0 else {
            throw ValidationError("--speed, --slots and --chunk-tokens are above 0")
        }
    }

    func run() async throws {
        var engine = EngineConfiguration()
        engine.host = host
        engine.port = port
        engine.model = model
        engine.role = EngineRole(rawValue: role.rawValue) ?? .both
        engine.chunk = chunkTokens
        engine.times = EngineTimes(
            prefill: prefillMs / 1000, perPromptToken: prefillTokenMs / 1000, step: stepMs / 1000,
            perSequence: stepSequenceMs / 1000)
        if let plan, let group {
            let found = try ServingPlan(json: Data(contentsOf: URL(filePath: plan)), name: plan)
            engine.times = EngineTimes(
                try found.layoutModel(of: group), requestSeconds: found.inputs.settings.requestSeconds)
            engine.slots = max(1, found.groups.first { $0.name == group }?.batch ?? 1)
        }
        engine.slots = slots ?? engine.slots
        engine.times = engine.times.faster(by: speed)
        var logger = Logger(label: "basalt-fake-engine")
        logger.logLevel = .notice
        let log = logger
        if let faultSeam {
            log.warning("\(FaultSeam.warning)", metadata: ["faultSeam": "\(faultSeam)"])
            engine.seam = try FaultSeam(faultSeam)
        }
        let address = host
        try await FakeEngine(engine, now: { Int(Date().timeIntervalSince1970) })
            .application(
                logger: log,
                onRunning: { log.notice("serving", metadata: ["address": "\(address):\($0)"]) }
            )
            .runService()
    }
}

enum RoleOption: String, ExpressibleByArgument, CaseIterable { case prefill, decode, both }
