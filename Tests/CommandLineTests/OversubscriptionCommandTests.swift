import APITypes
import CommandLine
import Foundation
import Testing

struct OversubscriptionCommandTests {
    private static let header = "vm,cores,cap_mhz,t0_unix,step_s,values_cpu_pct_x100"

    /// Ten days of hours of eight VMs that are busy at other times.
    private func usage() -> String {
        let lines = (0..<8).map { vm in
            let values = (0..<240).map { hour in
                String(hour % 24 / 3 == vm ? 6000 + hour * (vm + 3) % 1000 : 500 + hour * (vm + 7) % 300)
            }
            return "\(vm),2,2600,0,3600,\(values.joined(separator: ","))"
        }
        return ([Self.header] + lines).joined(separator: "\n") + "\n"
    }

    private func run(_ arguments: [String]) async throws -> (output: String, errors: String) {
        let fixture = try CommandFixture()
        let file = try fixture.write("use.csv", usage())
        let outcome = await fixture.run(arguments.map { $0 == "USE" ? file : $0 }, server: nil)
        return (outcome.output, outcome.errors)
    }

    private let packing = [
        "simulate", "oversubscription", "--usage", "USE", "--host-cores", "4", "--history", "5d", "--test",
        "5d",
        "--policies", "static:1,static:4,max,window:8x3h:max", "--shuffles", "3",
    ]

    @Test func packingIsShownInEveryFormat() async throws {
        let table = try await run(packing)
        #expect(table.errors == "" && table.output.hasPrefix("NAME"))
        #expect(
            table.output.split(separator: "\n").map { $0.prefix { $0 != " " } }.dropFirst()
                == ["static:1", "static:4", "max", "window:8x3h:max"])
        #expect(table.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
        let json = try await run(packing + ["-o", "json"]).output
        let results = try #require(try JSONDecoder().decode(JSONValue.self, from: Data(json.utf8)).array)
        #expect(results.map { $0["hosts"]?["min"]?.integer } == [4, 1, 3, 1])
        #expect(
            results.allSatisfy {
                $0["hotHostSampleRate"]?["max"] != nil && $0["unmetCoreFraction"]?["sd"] != nil
            })
        let svg = try await run(packing + ["-o", "svg"]).output
        #expect(svg.hasPrefix("<svg") && svg.contains(">window:8x3h:max</text>"))
        #expect(
            try await run(packing + ["-o", "name"]).output == "static:1\nstatic:4\nmax\nwindow:8x3h:max\n")
    }

    @Test func ratesAreShown() async throws {
        let rates = [
            "simulate", "rates", "--usage", "USE", "--groups", "4", "--policies",
            "oracle,recent:7d,pinball:0.9,proto-rate:0.05", "-o", "json",
        ]
        let first = try await run(rates)
        let results = try #require(
            try JSONDecoder().decode(JSONValue.self, from: Data(first.output.utf8)).array)
        #expect(results.count == 4 && results[0]["risk"]?.integer == 0)
        #expect(try await run(rates).output == first.output)
    }

    @Test func powerIsShownInEveryFormat() async throws {
        let power = ["simulate", "power", "--days", "1", "--added", "0,30"]
        let table = try await run(power)
        #expect(table.errors == "" && table.output.split(separator: "\n").count == 3)
        #expect(table.output.split(separator: "\n").allSatisfy { $0.count <= 100 })
        let json = try await run(power + ["-o", "json"]).output
        let results = try #require(try JSONDecoder().decode(JSONValue.self, from: Data(json.utf8)).array)
        #expect(results.map { $0["servers"]?.integer } == [40, 52])
        #expect(results.map { $0["brakes"]?.integer } == [0, 0])
        #expect(try await run(power + ["-o", "svg"]).output.hasPrefix("<svg"))
        #expect(try await run(power + ["-o", "name"]).output == "+0%\n+30%\n")
    }

    @Test func predictorsAreShown() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write("host.csv", "t,vm,usage_cores,limit_cores\n0,1,0.5,2\n1,1,1.5,2\n")
        let arguments = [
            "simulate", "predictors", "--input", file, "--predictors", "limit,max", "--min-samples", "1",
        ]
        let csv = await fixture.run(arguments + ["-o", "csv"], server: nil)
        #expect(
            csv.output == """
                t,n_vms,total_usage,limit,limit,max_w1,oracle_h288
                0,1,0.5,2.0,2.0,0.5,1.5
                1,1,1.5,2.0,2.0,1.5,

                """)
        let table = await fixture.run(arguments, server: nil)
        #expect(
            table.output == """
                NAME    VIOLATIONS  SEVERITY   SAVED
                limit       0.0000    0.0000  0.0000
                max_w1      1.0000    0.6667  0.7500

                """)
    }

    @Test func predictorsAreJudgedOnManyHosts() async throws {
        let table = try await run([
            "simulate", "predictors", "--usage", "USE", "--groups", "2", "--horizon", "24", "--steps-per-day",
            "24",
            "--predictors", "limit,max,vm:p50:24", "--warm-up-steps", "48",
        ])
        #expect(table.errors == "")
        let lines = table.output.split(separator: "\n").map { $0.split(separator: " ") }
        #expect(lines.map(\.first) == ["NAME", "limit", "max_w24", "pervm_p50_h24_w24"])
        #expect(lines[1].dropFirst() == ["0.0000", "0.0000", "0.0000"])
        // Sums of peaks are never below the peak of sums, medians always are.
        #expect(lines[2][1] == "0.0000" && lines[3][1] == "1.0000")
    }

    @Test(arguments: [
        (
            ["oversubscription", "--usage", "USE", "--policies", "statc:2"],
            "basalt: --policies: \"statc:2\" given, static:RATIO, pNN, max, window:COUNTxHOURSh:pNN, "
                + "window:COUNTxHOURSh:max, aligned:MARGIN, chance:RISK, cantelli:RISK, hoeffding:RISK, "
                + "n-sigma:COUNT, proto-rate:RISK expected; the nearest is static:RATIO"
        ),
        (
            ["oversubscription", "--usage", "USE", "--history", "9d", "--test", "2d"],
            "basalt: --history: \"777600\" given, with the test at most 864000 s, the length of the trace expected; "
                + "the nearest is 691200"
        ),
        (
            ["oversubscription", "--usage", "USE", "-o", "svgg"],
            "basalt: The value 'svgg' is invalid for '-o <output>': no format \"svgg\"; the nearest is \"svg\""
        ),
        (
            ["rates", "--usage", "USE", "--groups", "9"],
            "basalt: --groups: \"9\" given, at most the VMs of the trace, 8 expected; the nearest is 8"
        ),
        (
            ["power", "--added", "10,many"],
            "basalt: --added: \"many\" given, numbers separated by commas expected; the nearest is 0,10,20,30"
        ),
        (
            ["power", "--t1", "0.95"],
            "basalt: --t1: \"0.95\" given, 0.05 to 0.89 expected; the nearest is 0.89"
        ),
        (["predictors"], "basalt: one host or many? give --input FILE or --usage FILE"),
        (["predictors", "--usage", "USE", "-o", "csv"], "basalt: -o csv shows one host: give --input"),
        (["predictors", "--input", "/nowhere/x"], "basalt: no file \"/nowhere/x\""),
    ])
    func aMistakeGetsOneClearLine(arguments: [String], line: String) async throws {
        #expect(try await run(["simulate"] + arguments) == ("", line + "\n"))
    }
}
