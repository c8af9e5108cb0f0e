import Fleet
import Testing

@Suite struct CommandTemplateTests {
    @Test(arguments: [
        ("--port={port}", "--port=8000"), ("{model}/{group}", "m/g1"), ("{{port}", "{port}"),
        (#"{"json": {"a": 1}}"#, #"{"json": {"a": 1}}"#), ("{", "{"), ("{}", "{}"), ("a}b", "a}b"),
        ("{port", "{port"), ("", ""),
    ])
    func `placeholders are filled in and the rest stays`(_ text: String, _ expected: String) {
        #expect(CommandTemplate.filled(text, [.port: "8000", .model: "m", .group: "g1"]) == expected)
    }

    @Test func `a placeholder that does not exist is named with the nearest`() {
        let run = RunSpec(command: ["engine", "{prot}"], env: ["SIZE": "{tensr}"])
        let defects = CommandTemplate.defects(of: run, at: "spec.run")
        #expect(defects.map(\.field) == ["spec.run.command", "spec.run.env.SIZE"])
        #expect(defects.map(\.message).allSatisfy { $0.contains("did you mean") })
        #expect(defects[0].message.contains("{port}") && defects[1].message.contains("{tensor}"))
    }

    @Test func `bounds of a deployment are told field by field`() {
        var spec = ServingDeploymentSpec(cell: "a", model: "m", kvBits: 5, maxStages: 9, port: 80)
        spec.levels = ServingLevels(ttftMilliseconds: 0, tpotMilliseconds: 1, e2eMilliseconds: 1)
        spec.demand = ServingDemand(requestsPerMinute: 0, promptTokens: 1, outputTokens: 1)
        spec.shape = ServingModelShape(layers: 1, hidden: 10, heads: 3, feedForward: 1, vocabulary: 1)
        #expect(
            spec.defects().map(\.field) == [
                "spec.kvBits", "spec.maxStages", "spec.port", "spec.shape.heads",
                "spec.levels.ttftMilliseconds", "spec.demand.requestsPerMinute",
            ])
        #expect(ServingDeploymentSpec(cell: "a", model: "m").defects().isEmpty)
        #expect(ServingDeploymentSpec(model: "m", phases: [.prefill, .decode]).defects().isEmpty)
        for phases in [[], [.prefill], [.both, .both]] as [[ServingRoutes.Role]] {
            let fields = ServingDeploymentSpec(model: "m", phases: phases).defects().map(\.field)
            #expect(fields == ["spec.phases"])
        }
        // A cell that was chosen is in the status; a named one stays.
        let named = ServingDeploymentSpec(cell: "a", model: "m")
        #expect(named.immutableDefects(since: named).isEmpty)
        #expect(
            named.immutableDefects(since: ServingDeploymentSpec(model: "m")).map(\.field) == ["spec.cell"])
    }
}
