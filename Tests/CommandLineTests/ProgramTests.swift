import APITypes
import CommandLine
import Fleet
import Foundation
import TestServer
import Testing

/// The built program as a process of its own.
struct ProgramTests {
    @Test func exitCodesAreThoseOfTheContract() async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        let file = try fixture.write("fleet.yaml", CommandFixture.fleet)
        try await fixture.serving { server in
            let plane = fixture.plane
            plane.onRequest { request in
                guard request.method == "PUT", var pool = plane.document("pools/vms") else { return }
                pool.metadata.generation += 1
                plane.put(pool, at: "pools/vms")
            }
            let expected: [(line: [String], status: Int32)] = [
                (["version"], 0), (["get", "vsm"], 1), (["diff", "-f", file], 2),
                (["wait", "vm", "web-1", "--for", "state=Failed", "--timeout", "50ms"], 3),
                (["apply", "-f", file], 4), (["host", "fence", "host-2", "--reason", "x"], 5),
            ]
            for (line, status) in expected {
                let outcome = try await Program.run(line, fixture, server)
                #expect(outcome.status == status, "\(line): \(outcome.output)\(outcome.errors)")
            }
        }
    }

    @Test func anInterruptEndsAWatchWith130() async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        try await fixture.serving { server in
            let plane = fixture.plane
            let outcome = try await Program.run(["get", "pools", "-w", "-o", "name"], fixture, server) {
                pid in
                // The watch is open once the list was answered: what it prints has been printed by then.
                plane.onRequest { request in
                    if request.query["watch"] != nil { kill(pid, SIGINT) }
                }
            }
            #expect(outcome.status == 130)
            #expect(outcome.errors == "")
        }
    }

    @Test func onlyErrorsGoToStandardError() async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        try await fixture.serving { server in
            let good = try await Program.run(["get", "hosts"], fixture, server)
            #expect(good.errors == "" && good.output.hasPrefix("NAME"))
            let bad = try await Program.run(["get", "host", "ghost"], fixture, server)
            #expect(bad.output == "" && bad.errors == "basalt: nothing is at /v1/hosts/ghost\n")
        }
    }

    @Test func simulatingTwiceGivesTheSameBytes() async throws {
        let fixture = try CommandFixture()
        var rows = "arrive_s,depart_s,vcpu,mem_gb\n"
        for row in 0..<400 {
            rows += "\(row * 30),\(row * 30 + row * 7919 % 90_000),\(row % 8 + 1),\(row % 13 + 1)\n"
        }
        let trace = try fixture.write("trace.csv", rows)
        let arguments = [
            "simulate", "vms", "--trace", trace, "--hosts", "20", "--warmup", "600", "-o", "json",
        ]
        let first = try await Program.run(arguments, fixture, nil)
        let second = try await Program.run(arguments, fixture, nil)
        #expect(first.status == 0 && first.errors == "")
        #expect(first.output == second.output)
        let report = try JSONDecoder().decode(JSONValue.self, from: Data(first.output.utf8))
        #expect(report.array?.map { $0["policy"] } == [.string("first-fit"), .string("best-fit")])
        let placed = report.array?.map { ($0["placed"]?.integer ?? 0) + ($0["failed"]?.integer ?? 0) }
        // Those that arrive in the measured window: from 600 s on, one every 30 s.
        #expect(placed == [380, 380])
    }

    @Test(arguments: [
        [
            "vms", "--policies", "nilas,lava,gated-lava,la-binary,waste", "--predictor", "oracle:1",
            "--cap", "12h", "--theta", "0.8", "--class-slack", "1.5",
        ],
        ["vms", "--policies", "nilas", "--predictor", "km", "--cap", "none"],
        ["drain", "--order", "lars,random,shortest", "--slots", "1", "--fraction", "0.5", "--sample", "600"],
    ])
    func twoProcessesPredictTheSame(command: [String]) async throws {
        let fixture = try CommandFixture()
        var rows = "arrive_s,depart_s,vcpu,mem_gb\n"
        for row in 0..<600 {
            rows += "\(row * 30),\(row * 30 + row * 7919 % 90_000),\(row % 8 + 1),\(row % 13 + 1)\n"
        }
        let trace = try fixture.write("trace.csv", rows)
        let arguments =
            ["simulate"] + command
            + ["--trace", trace, "--hosts", "20", "--warmup", "6000", "--seed", "7", "-o", "json"]
        let first = try await Program.run(arguments, fixture, nil)
        let second = try await Program.run(arguments, fixture, nil)
        #expect(first.status == 0 && first.errors == "")
        #expect(first.output == second.output)
        let results = try JSONDecoder().decode(JSONValue.self, from: Data(first.output.utf8)).array ?? []
        for result in results where command[0] == "vms" && result["policy"] != .string("waste") {
            #expect(result["classAccuracy"] != .null && result["predictionsPerPlacement"] != .null)
        }
        #expect(results.count == command[2].split(separator: ",").count)
    }

    /// A trace in which the project decides how long VMs live.
    private func labelledTrace(_ fixture: CommandFixture) throws -> String {
        var rows = "arrive_s,depart_s,vcpu,mem_gb,project,censored\n"
        for row in 0..<900 {
            let life = [120, 9000, 100_000][row % 3] + row * 7919 % 60
            rows += "\(row * 60),\(row * 60 + life),\(row % 4 + 1),4,p\(row % 3),0\n"
        }
        return try fixture.write("labelled.csv", rows)
    }

    @Test func twoProcessesTrainTheSameModelAndItPredicts() async throws {
        let fixture = try CommandFixture()
        let trace = try labelledTrace(fixture)
        func train(_ name: String) async throws -> Data {
            let outcome = try await Program.run(
                [
                    "model", "train", "--trace", trace, "--out", fixture.path(name), "--features", "project",
                    "--until", "40000", "--trees", "30", "--seed", "5",
                ], fixture, nil)
            #expect(outcome.status == 0 && outcome.errors == "", "\(outcome.errors)")
            return try Data(contentsOf: URL(filePath: fixture.path(name)))
        }
        let first = try await train("a.json")
        #expect(try await first == train("b.json"))
        let judged = try await Program.run(
            ["model", "evaluate", "--model", fixture.path("a.json"), "--trace", trace, "-o", "json"], fixture,
            nil)
        let rows = try JSONDecoder().decode(JSONValue.self, from: Data(judged.output.utf8)).array ?? []
        #expect(rows.map { $0["model"] } == [.string("gbdt"), .string("km"), .string("km-size")])
        guard case .number(let concordance)? = rows.first?["judgement"]?["cIndex"] else {
            Issue.record("no C-index in \(judged.output)")
            return
        }
        #expect(concordance > 0.8)
        for command in [["vms", "--policies", "nilas"], ["drain", "--order", "lars"]] {
            let outcome = try await Program.run(
                ["simulate"] + command
                    + [
                        "--trace", trace, "--hosts", "20", "--warmup", "40000", "-o", "json", "--predictor",
                        "gbdt:" + fixture.path("a.json"),
                    ], fixture, nil)
            #expect(outcome.status == 0 && outcome.errors == "", "\(outcome.errors)")
        }
    }

    @Test func aDamagedModelIsNamedByFileAndField() async throws {
        let fixture = try CommandFixture()
        let trace = try labelledTrace(fixture)
        let model = try fixture.write("m.json", "{\"format\":\"basalt-lifetime-model\",\"version\":9}")
        for arguments in [
            ["model", "evaluate", "--model", model, "--trace", trace],
            ["simulate", "vms", "--policies", "nilas", "--predictor", "gbdt:" + model, "--trace", trace],
        ] {
            let outcome = try await Program.run(arguments, fixture, nil)
            #expect(outcome.status == 1 && outcome.output == "")
            #expect(outcome.errors == "basalt: \(model): version: \"9\" found, version 1 expected\n")
        }
    }

    @Test func aTraceIsImportedAndDrawn() async throws {
        let fixture = try CommandFixture()
        let events =
            (0..<60).map { "\($0),\($0 % 4 + 1),4,\($0 * 60),0" }
            + (0..<50).map { "\($0),1,4,\(4000 + $0),1" }
        let input = try fixture.write(
            "events.csv", "vmid,cpu,memory,time,type\n" + events.joined(separator: "\n") + "\n")
        let imported = try await Program.run(
            [
                "trace", "import", "--format", "huawei", "--in", input, "--out", fixture.path("vms.csv"),
                "-o", "json",
            ],
            fixture, nil)
        #expect(imported.errors == "" && imported.output.contains("\"censored\" : 10"), "\(imported)")
        let drawn = try await Program.run(
            [
                "simulate", "vms", "--trace", fixture.path("vms.csv"), "--hosts", "9", "--sample", "600",
                "--stranding", "-o", "svg", fixture.path("empty.svg"),
            ], fixture, nil)
        #expect(drawn.errors == "" && drawn.output.hasPrefix("NAME"))
        let text = try String(contentsOfFile: fixture.path("empty.svg"), encoding: .utf8)
        #expect(text.hasPrefix("<svg ") && text.contains("best-fit") && text.hasSuffix("</svg>\n"))
    }

    @Test func replaysATraceAgainstAControlPlaneThatDrops() async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        let before = fixture.plane.documentCount
        let rows = (0..<30).map { "\($0),\($0 + 5),1,2" }.joined(separator: "\n")
        let trace = try fixture.write("trace.csv", "arrive_s,depart_s,vcpu,mem_gb\n\(rows)\n")
        try await fixture.serving { server in
            fixture.plane.misbehave(Array(repeating: .dropAfterwards, count: 6))
            let outcome = try await Program.run(
                [
                    "replay", "vms", "--trace", trace, "--limit", "20", "--rate", "1000", "--run", "r7", "-o",
                    "json",
                ],
                fixture, server)
            #expect(outcome.status == 0, "\(outcome.errors)")
            let summary = try JSONDecoder().decode(ReplaySummary.self, from: Data(outcome.output.utf8))
            #expect(summary.created == 20 && summary.deleted == 20 && summary.errors == 0)
            #expect(fixture.plane.documentCount == before)
        }
    }
}

/// Starts the built program.
enum Program {
    struct Outcome {
        var status: Int32
        var output: String
        var errors: String
    }

    /// - Parameter started: called with the process id once it runs.
    static func run(
        _ arguments: [String], _ fixture: CommandFixture, _ server: TestServer?,
        started: (Int32) -> Void = { _ in }
    ) async throws -> Outcome {
        try await execute(
            try executable, arguments, fixture.environment(server?.address ?? "http://127.0.0.1:1"), fixture,
            started: started)
    }

    /// What a script of bash writes; the program is on its path.
    static func shell(_ script: String, _ fixture: CommandFixture, _ server: TestServer?) async throws
        -> String
    {
        var environment = fixture.environment(server?.address ?? "http://127.0.0.1:1")
        environment["PATH"] = try executable.deletingLastPathComponent().path + ":/usr/bin:/bin"
        let outcome = try await execute(
            URL(fileURLWithPath: "/bin/bash"), ["-c", script], environment, fixture)
        #expect(outcome.errors == "")
        return outcome.output
    }

    private static func execute(
        _ executable: URL, _ arguments: [String], _ environment: [String: String], _ fixture: CommandFixture,
        started: (Int32) -> Void = { _ in }
    ) async throws -> Outcome {
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        // Files, not pipes: nobody has to read while the process runs.
        let name = UUID().uuidString
        process.standardOutput = try file(fixture.path(name + ".out"))
        process.standardError = try file(fixture.path(name + ".err"))
        let (ends, end) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { ended in
            end.yield(ended.terminationStatus)
            end.finish()
        }
        try process.run()
        started(process.processIdentifier)
        var status: Int32 = -1
        for await ended in ends { status = ended }
        return Outcome(
            status: status, output: try String(contentsOfFile: fixture.path(name + ".out"), encoding: .utf8),
            errors: try String(contentsOfFile: fixture.path(name + ".err"), encoding: .utf8))
    }

    private static func file(_ path: String) throws -> FileHandle {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        return try #require(FileHandle(forWritingAtPath: path))
    }

    /// Beside the bundle that the tests are in.
    private static var executable: URL {
        get throws {
            let folders = [Bundle.main.bundleURL, URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0])]
                .flatMap { [$0, $0.deletingLastPathComponent()] }
            let candidates = folders.map { $0.appending(path: "basalt") }
            return try #require(
                candidates.first { FileManager.default.isExecutableFile(atPath: $0.path) },
                "no program beside the tests: \(candidates.map(\.path))")
        }
    }
}
