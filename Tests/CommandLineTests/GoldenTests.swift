import APITypes
import CommandLine
import Fleet
import Foundation
import TestServer
import Testing

/// Output of commands, byte for byte. `BASALT_UPDATE_GOLDENS=1` writes the files anew, for review.
struct GoldenTests {
    private func check(_ output: String, _ name: String, file: String = #filePath) throws {
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent().appending(path: "Goldens")
        let golden = folder.appending(path: name)
        if ProcessInfo.processInfo.environment["BASALT_UPDATE_GOLDENS"] == "1" {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try output.write(to: golden, atomically: true, encoding: .utf8)
        }
        #expect(output == (try String(contentsOf: golden, encoding: .utf8)), "\(name)")
        if !name.contains("wide"), name.hasSuffix(".txt") {
            let longest = output.split(separator: "\n").map { visible($0).count }.max() ?? 0
            #expect(longest <= 100, "\(name) is \(longest) columns wide")
        }
    }

    @Test(arguments: [
        "get vms -A", "get vms -A -o wide", "get vm web-1 -o json", "get vm web-1 -o yaml", "get vms -o name",
        "get hosts", "get hosts -o wide", "get pools", "get projects", "get flavors", "describe vm web-1",
        "events", "events -o wide", "cluster", "top", "why vm web-1", "operator check", "get operations",
        "model list", "model list -o wide", "model get general-1 -o yaml",
        "policy list", "policy get dense -o yaml", "policy get dense --version 1",
        "policy set dense --score waste --dry-run", "policy history dense", "policy history dense -o wide",
        "policy rollback dense --to 1", "policy rollback dense --to 1 --dry-run", "explain policy.placement",
        "audit", "audit -o wide", "token list", "token create ci --dry-run", "token revoke ci",
        "token revoke ci --dry-run -o json",
        "explain vm", "explain pool.placement", "explain cell -o json",
        "label vm web-1 rack=r7 -o yaml",
        "host cordon host-1 --reason disk", "host cordon host-1 --reason disk --dry-run",
        "host undrain host-1 --reason mended", "host breaker list",
        "host drain host-2 --reason disk --dry-run", "plan defrag --pool vms",
        "host breaker reset east --zone zone-1 --reason off --yes", "get vmgroups", "describe vmgroup ring",
        "why vmgroup ring", "explain vmgroup.placement", "vmgroup scale ring --replicas 4",
        "vmgroup create web --replicas 2 --cpu 2 --memory 4GiB -o yaml",
    ])
    func commands(line: String) async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        try await fixture.serving { server in
            let outcome = await fixture.run(line.split(separator: " ").map(String.init), server: server)
            #expect(outcome.errors == "")
            let name = line.replacing(" ", with: "_").replacing("/", with: "_")
            try check(outcome.output, name + ".txt")
        }
    }

    @Test(arguments: ["top hosts", "top hosts -o json", "top vms", "top vms -o wide", "top hosts --limit 1"])
    func fullness(line: String) async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        var host = try #require(fixture.plane.document("hosts/host-2"))
        host.metadata.uid = Sample.id(66)
        fixture.plane.put(host, at: "hosts/host-2")
        for allocation in Sample.allocations(on: [Sample.id(6), Sample.id(66)]) {
            fixture.plane.add(allocation)
        }
        try await fixture.serving { server in
            let outcome = await fixture.run(line.split(separator: " ").map(String.init), server: server)
            #expect(outcome.errors == "")
            try check(outcome.output, line.replacing(" ", with: "_") + ".txt")
            let narrow = await fixture.run(
                line.split(separator: " ").map(String.init), server: server, width: 80)
            let longest = narrow.output.split(separator: "\n").map { visible($0).count }.max() ?? 0
            #expect(longest <= 80 || line.contains("-o"))
        }
    }

    /// A wider terminal gets no wider tables: lines of a hundred columns are read at one look.
    @Test func tablesEndAtAHundredColumns() async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        try await fixture.serving { server in
            for line in [["get", "vms", "-A"], ["get", "hosts"], ["events"], ["top"]] {
                let wide = await fixture.run(line, server: server, width: 120)
                #expect(wide == (await fixture.run(line, server: server, width: 100)))
            }
        }
    }

    @Test(arguments: [80, 100])
    func tablesFitTheTerminal(width: Int) async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        try await fixture.serving { server in
            for line in ["get vms -A", "get hosts", "events", "top"] {
                let outcome = await fixture.run(
                    line.split(separator: " ").map(String.init), server: server, width: width)
                let name = line.replacing(" ", with: "_") + "_\(width).txt"
                try check(outcome.output, name)
                let longest = outcome.output.split(separator: "\n").map { visible($0).count }.max() ?? 0
                #expect(longest <= width, "\(name) is \(longest) columns wide")
            }
        }
    }

    /// Without colours.
    private func visible(_ line: Substring) -> Substring {
        line.replacing(/\u{1B}\[[0-9;]*m/, with: "")
    }

    @Test func colourIsForTerminalsThatWantIt() async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        try await fixture.serving { server in
            let coloured = await fixture.run(["get", "hosts"], server: server, width: 100)
            #expect(coloured.output.contains("\u{1B}[32mReady\u{1B}[0m"))
            let plain = await fixture.run(
                ["get", "hosts"], server: server, width: 100, variables: ["NO_COLOR": "1"])
            #expect(!plain.output.contains("\u{1B}"))
        }
    }

    @Test func escapeSequencesOfOthersDoNotReachTheTerminal() async throws {
        let fixture = try CommandFixture()
        fixture.plane.add(Sample.event(1, "web-1", .noHostFits, "\u{1B}]0;owned\u{07}\nline"))
        try await fixture.serving { server in
            let outcome = await fixture.run(["events"], server: server)
            #expect(outcome.output.contains("?]0;owned??line"))
        }
    }
}
