import APITypes
import CommandLine
import Foundation
import Testing

struct TrainingCommandTests {
    /// A small cluster's worth of jobs on two models.
    private static let steps = """
        model,exec_plan,placement,iter_time_s
        small,ga,1,1.0
        small,ga,2,0.55
        small,ga,4,0.3
        large,181,8,4.0
        large,182,88,1.1

        """

    private static let jobs = """
        name,submission_time,duration,application,num_gpus,num_cpus,exec_plan,steps,is_sla
        a,0,500,small,2,16,ga,1000,1
        b,10,900,small,4,32,ga,3000,0
        c,20,9000,large,8,64,181,2000,0
        d,30,1000,large,16,128,182,900,0
        e,9000,10,small,1,8,ga,10,1

        """

    private static let golden = """
        model,plan,gpus,tp,pp,dp,cpu_threads,fwd_ms_input,measured_iter_ms
        bert,DP,8,1,1,8,1,38.58024691358025,157
        bert,GC,8,1,1,8,1,38.58024691358025,180
        llama7B,DP+TP+PP,16,4,2,2,,534,1648

        """

    private func run(
        _ arguments: [String]
    ) async throws -> (output: String, errors: String) {
        let fixture = try CommandFixture()
        let texts = ["JOBS": Self.jobs, "STEPS": Self.steps, "GOLDEN": Self.golden]
        var paths: [String: String] = [:]
        for (name, text) in texts { paths[name] = try fixture.write(name.lowercased() + ".csv", text) }
        let outcome = await fixture.run(arguments.map { paths[$0] ?? $0 }, server: nil)
        return (outcome.output, outcome.errors)
    }

    private let simulate = [
        "simulate", "training", "--jobs", "JOBS", "--measured", "STEPS", "--nodes", "2",
    ]

    @Test func schedulersAreComparedInEveryFormat() async throws {
        let arguments = simulate + ["--policies", "fifo-backfill,easy,rubick"]
        let table = try await run(arguments)
        #expect(table.errors == "" && table.output.hasPrefix("NAME"))
        #expect(table.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
        let json = try await run(arguments + ["-o", "json"]).output
        let results = try #require(try JSONDecoder().decode(JSONValue.self, from: Data(json.utf8)).array)
        #expect(results.map { $0["policy"] } == ["fifo-backfill", "easy", "rubick"].map { .string($0) })
        let keys = [
            "meanJct", "p99Jct", "makespan", "gpuUtilPct", "reconfigurationsPerJob", "guaranteeViolations",
            "meanJctGuaranteed", "meanJctBestEffort", "roundP99Ms",
        ]
        for result in results { #expect(keys.allSatisfy { result[$0] != nil }) }
        #expect(results.allSatisfy { $0["roundP99Ms"] == .null && $0["unfinished"]?.integer == 0 })
        #expect(try await run(arguments + ["-o", "name"]).output == "fifo-backfill\neasy\nrubick\n")
        let drawing = try await run(simulate + ["--policies", "rubick", "-o", "svg"]).output
        #expect(drawing.hasPrefix("<svg") && drawing.hasSuffix("</svg>\n"))
    }

    @Test func theBestPlanOfEveryCountIsShown() async throws {
        let arguments = ["plan", "training", "--model", "large", "--gpus", "64", "--measured", "STEPS"]
        #expect(
            try await run(arguments).output == """
                GPUS  PLACEMENT  PLAN  STEP-S  STEPS/S     SLOPE  THREADS  WORTH
                   8  8          181   4.0000   0.2500  8.24e-02        1  yes
                  16  8+8        182   1.1000   0.9091  0.00e+00        1  yes

                """)
        let predicted = try await run(["plan", "training", "--model", "llama7", "--gpus", "16", "-o", "json"])
        let rows = try #require(
            try JSONDecoder().decode(JSONValue.self, from: Data(predicted.output.utf8)).array)
        #expect(rows.first?["plan"] == .string("zero-offload") && rows.last?["gpus"]?.integer == 16)
        #expect(try await run(arguments + ["-o", "svg"]).output.contains("<polyline"))
    }

    @Test func stepsArePredictedBesideMeasuredOnes() async throws {
        let csv = try await run(["model", "predict", "training", "--input", "GOLDEN", "-o", "csv"])
        #expect(
            csv.output == """
                model,plan,gpus,predicted_ms,measured_ms,abs_err_pct
                bert,DP,8,162.128391,157.0,3.266
                bert,GC,8,192.992588,180.0,7.218
                llama7B,DP+TP+PP,16,1803.787757,1648.0,9.453

                """)
        #expect(csv.errors == "")
    }

    @Test func profilesAreFitted() async throws {
        let fixture = try CommandFixture()
        try fixture.write(
            "bert.config.csv",
            """
            nodes,gpus,num_cpu_threads,zero_type
            1,8,1,0
            1,4,1,0
            1,2,1,0
            1,8,4,1
            1,4,4,1
            1,2,4,1
            1,1,4,1
            """)
        try fixture.write(
            "bert.data.csv",
            """
            forward_time,Tcc,Topt,iter_time,strategy
            40,83,25,157,1100
            65,130,24,225,1100
            116,219,25,365,1100
            38,123,118,284,1111
            63,158,148,376,1111
            117,256,198,580,1111
            227,467,274,975,1111
            """)
        let golden = try fixture.write("golden.txt", Self.golden)
        let arguments = [
            "model", "fit", "training", "--profile", fixture.folder.path, "--test", golden, "-o", "json",
        ]
        let outcome = await fixture.run(arguments, server: nil)
        #expect(outcome.errors == "")
        let answer = try JSONDecoder().decode(JSONValue.self, from: Data(outcome.output.utf8))
        let model = try #require(answer["models"]?.array?.first)
        #expect(model["model"] == .string("bert") && model["fit"]?["points"]?.integer == 7)
        #expect(model["fit"]?["uncalibrated"] == .array([.string("stages")]))
        #expect(answer["errors"]?.array?.count == 2)
        #expect(await fixture.run(arguments, server: nil) == outcome)
    }

    @Test(arguments: [
        (
            ["simulate", "training", "--jobs", "JOBS", "--measured", "STEPS", "--policies", "rubik"],
            "basalt: --policies: \"rubik\" given, fifo, fifo-backfill, easy, conservative, sjf, tiresias, "
                + "synergy, sia, gavel, antman, rubick-n, rubick-e, rubick-r, rubick expected; the nearest is rubick"
        ),
        (
            ["simulate", "training", "--jobs", "JOBS", "--measured", "STEPS", "-o", "svg"],
            "basalt: -o svg draws one policy: give --policies rubick"
        ),
        (
            ["simulate", "training", "--jobs", "STEPS", "--measured", "STEPS"],
            "basalt: STEPS, line 1, column name: \"model,exec_plan,placement,iter_time_s\" found, "
                + "a header that names name expected"
        ),
        (
            ["simulate", "training", "--jobs", "JOBS", "--measured", "STEPS", "--gate", "1"],
            "basalt: --gate: \"1.0\" given, 0.0 to 0.9999 expected; the nearest is 0.9999"
        ),
        (["plan", "training", "--model", "lama7"], "basalt: no model \"lama7\"; the nearest is \"llama7\""),
        (
            ["plan", "training", "--model", "vit", "--gpus", "0"],
            "basalt: --gpus: \"0\" given, 1 to 4096 expected; the nearest is 1"
        ),
        (["model", "predict", "training", "--input", "/nowhere/x"], "basalt: no file \"/nowhere/x\""),
    ])
    func aMistakeGetsOneClearLine(arguments: [String], line: String) async throws {
        let outcome = try await run(arguments)
        #expect(outcome.output == "")
        let name = outcome.errors.firstMatch(of: /\/\S*\/(?<file>[a-z]+)\.csv/).map { String($0.output.0) }
        let shown = name.map { outcome.errors.replacing($0, with: "STEPS") } ?? outcome.errors
        #expect(shown == line + "\n")
    }

    @Test func twoProcessesGiveTheSameBytes() async throws {
        let fixture = try CommandFixture()
        let jobs = try fixture.write("jobs.csv", Self.jobs)
        let steps = try fixture.write("steps.csv", Self.steps)
        for format in [["-o", "json"], ["-o", "svg", "--policies", "rubick"]] {
            let arguments =
                ["simulate", "training", "--jobs", jobs, "--measured", steps, "--guaranteed-share", "0.5"]
                + format
            let first = try await Program.run(arguments, fixture, nil)
            let second = try await Program.run(arguments, fixture, nil)
            #expect(first.status == 0 && first.errors == "")
            #expect(first.output == second.output && !first.output.isEmpty)
        }
    }
}
