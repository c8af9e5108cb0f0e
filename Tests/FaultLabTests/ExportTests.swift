import FaultLab
import Fleet
import Foundation
import Testing

@Suite struct ExportTests {
    private func outcome(_ id: String) async throws -> SessionRunner.Outcome {
        let pool = try ProblemPool.seed()
        let problem = try pool.template(id).draw(
            seed: 1, on: FakeGround.surface, contexts: pool.contexts)
        return try await SessionRunner().run(problem, OracleAgent(problem), on: FakeGround(problem))
    }

    private let telemetry = SessionTelemetry(
        series: [
            MetricSeries(
                name: "up_time", component: ComponentName("agent/h-01"), start: Timestamp(seconds: 1_000_000),
                stepSeconds: 10, values: [1, 1, 0]),
            MetricSeries(
                name: "load", component: ComponentName("host/h-01"), start: Timestamp(seconds: 1_000_010),
                stepSeconds: 10, values: [0.5]),
        ],
        logs: [
            LogLine(
                at: Timestamp(seconds: 1_000_001), component: ComponentName("agent/h-01"), level: "error",
                message: "lost, \"again\"")
        ])

    @Test func `RCAEval gets one table over time`() async throws {
        let files = RCAEvalExport().files(try await outcome("AG-01").trace, telemetry)
        #expect(
            files.first?.contents == """
                time,agent-h-01_up-time,host-h-01_load
                1000000,1.0,
                1000010,1.0,0.5
                1000020,0.0,

                """)
        #expect(files.last?.path == "inject_time.txt" && files.last?.contents == "1000000\n")
    }

    @Test func `OpenRCA gets queries, records and days of telemetry`() async throws {
        let (fault, noop) = (try await outcome("AG-01"), try await outcome("NOOP-01"))
        let files = OpenRCAExport().files([(fault.trace, telemetry), (noop.trace, telemetry)])
        #expect(
            files.map(\.path) == [
                "Basalt/query.csv", "Basalt/record.csv",
                "Basalt/telemetry/1970_01_12/metric/metric_component.csv",
                "Basalt/telemetry/1970_01_12/log/log_service.csv",
                "Basalt/telemetry/1970_01_12/trace/trace_span.csv",
            ])
        #expect(files[1].contents.split(separator: "\n").count == 2)
        #expect(files[1].contents.contains("process_crash"))
        #expect(files[3].contents.contains("\"lost, \"\"again\"\"\""))
    }

    @Test func `AIOpsLab gets a file for each task`() async throws {
        let outcome = try await outcome("AG-01")
        let files = try AIOpsLabExport().files(outcome.trace, outcome.grade, id: "s1")
        #expect(files.count == 4 && files[0].path == "s1-detection_1000120.json")
        #expect(files[0].contents.contains("\"Detection Accuracy\" : \"Correct\""))
        for file in files {
            let object = try JSONSerialization.jsonObject(with: Data(file.contents.utf8)) as? [String: Any]
            #expect(
                Set(object?.keys.map(\.self) ?? [])
                    == ["agent", "end_time", "problem_id", "results", "session_id", "start_time", "trace"])
        }
    }

    @Test func `agents are ranked with their intervals`() async throws {
        let pool = try ProblemPool.seed()
        var grades: [SessionGrade] = []
        for problem in pool.drawn(.smoke, seeds: [1, 2], on: FakeGround.surface).problems {
            for agent: any ScriptedAgent in [ConstantAgent.dummy, OracleAgent(problem)] {
                grades.append(
                    try await SessionRunner().run(problem, agent, on: FakeGround(problem)).grade)
            }
        }
        let board = Leaderboard(grades)
        #expect(board.rows.map(\.card.agent) == ["oracle", "dummy"])
        #expect(board.rows[0].resolvedAlways.value == 1 && board.rows[1].resolvedAlways.value == 0)
        #expect(!board.rows[1].isTiedWithBetter)
        #expect(board.csv.split(separator: "\n").count == 3)
    }
}
