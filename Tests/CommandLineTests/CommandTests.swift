import APITypes
import CommandLine
import Fleet
import Foundation
import TestServer
import Testing

struct CommandTests {
    @Test(arguments: [
        (["gte", "vms"], "basalt: no command \"gte\"; the nearest is \"get\""),
        (["host", "cordn", "a"], "basalt: no host command \"cordn\"; the nearest is \"cordon\""),
        (["get", "vsm"], "basalt: no kind \"vsm\"; the nearest is \"vms\""),
        (["apply", "-f", "/nowhere/x.yaml"], "basalt: no file \"/nowhere/x.yaml\""),
        (["apply"], "basalt: which documents? give -f FILE"),
        (["delete", "vm"], "basalt: delete what? give KIND NAME or -f FILE"),
        (["get", "vms", "--watc"], "basalt: Unknown option '--watc'. Did you mean '--watch'?"),
        (
            ["wait", "vm", "a", "--for", "state=Runing"],
            "basalt: no state \"Runing\"; the nearest is \"Running\""
        ),
        (["completion", "bsh"], "basalt: no shell \"bsh\"; the nearest is \"bash\""),
        (["host", "drain", "a"], "basalt: Missing expected argument '--reason <reason>'"),
        (
            ["simulate", "vms", "--trace", "-", "--policies", "bestfit"],
            "basalt: --policies: \"bestfit\" given, first-fit or best-fit or waste or "
                + "la-binary or la-binary-repredict or nilas-one-shot or nilas or lava-one-shot or lava or "
                + "gated-lava or tight-lava expected; the nearest is best-fit"
        ),
        (
            ["simulate", "vms", "--trace", "-", "--policies", "lava"],
            "basalt: --predictor: \"\" given, a predictor of lifetimes for lava expected; the nearest is "
                + "oracle:0.5"
        ),
        (
            ["simulate", "vms", "--trace", "-", "--cap", "7"],
            "basalt: --cap: \"7\" given, a whole number with the unit s, m, h or d up to ten years, or none "
                + "expected; the nearest is 7d"
        ),
        (
            ["simulate", "drain", "--trace", "-", "--order", "larss"],
            "basalt: --order: \"larss\" given, lars or creation or random or biggest or shortest or oracle "
                + "expected; the nearest is lars"
        ),
        (["simulate", "vms", "--trace", "-", "-o", "svg"], "basalt: draw to which file? give -o svg FILE"),
        (
            ["simulate", "vms", "--trace", "-", "empty.svg"],
            "basalt: \"empty.svg\" is one word too many; -o svg FILE draws to a file"
        ),
        (
            ["trace", "import", "--format", "azurev2", "--in", "-", "--out", "x"],
            "basalt: --format: \"azurev2\" given, azure-packing-2020 or azure-v1 or azure-v2 or huawei or openb or "
                + "dlrm expected; the nearest is azure-v2"
        ),
        (["token", "create", "t", "--role", "admn"], "basalt: no role \"admn\"; the nearest is \"admin\""),
        (["vm", "create", "a", "--cpu", "2"], "basalt: --cpu needs --memory"),
        (
            ["vmgroup", "create", "a", "--replicas", "2", "--flavor", "f", "--placement", "al"],
            "basalt: no placement \"al\"; the nearest is \"all\""
        ),
        (
            ["vmgroup", "create", "a", "--replicas", "900", "--flavor", "f"],
            "basalt: spec.replicas: 900 is outside 1 to 256"
        ),
        (
            ["vmgroup", "scale", "a", "--replicas", "0"], "basalt: --replicas 0 is outside 1 to 256"
        ),
        (["why", "vmgruop", "a"], "basalt: no kind with a why \"vmgruop\"; the nearest is \"vmgroup\""),
        (["get", "plans"], "basalt: plans are read one by one: basalt get plan ID"),
        (
            ["get", "cells", "-w", "east"],
            "basalt: -w watches a list of documents; for events use basalt events -w"
        ),
    ])
    func aMistakeGetsOneClearLine(arguments: [String], line: String) async throws {
        let fixture = try CommandFixture()
        let outcome = await fixture.run(arguments, server: nil)
        #expect(outcome == .init(status: .failed, output: "", errors: line + "\n"))
    }

    @Test func aNearFileIsNamed() async throws {
        let fixture = try CommandFixture()
        try fixture.write("fleet.yaml", "")
        let outcome = await fixture.run(["apply", "-f", fixture.path("flet.yaml")], server: nil)
        #expect(outcome.errors.hasSuffix("; the nearest is \"fleet.yaml\"\n"))
    }

    @Test func helpAndCompletionGoToStandardOutput() async throws {
        let fixture = try CommandFixture()
        for arguments in [["--help"], ["help", "get"], [], ["host"], ["completion", "zsh"]] {
            let outcome = await fixture.run(arguments, server: nil)
            #expect(outcome.status == .done && outcome.errors.isEmpty && outcome.output.count > 100)
        }
    }

    @Test func fencingNeedsToBeConfirmed() async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        try await fixture.serving { server in
            let fence = ["host", "fence", "host-2", "--reason", "burnt"]
            let refused = await fixture.run(fence, server: server, answer: "y")
            #expect(refused.status == .refused)
            #expect(fixture.plane.requests.isEmpty)
            let done = await fixture.run(fence + ["--confirm"], server: server)
            #expect(done == .init(status: .done, output: "host/host-2 fenced\n", errors: ""))
        }
    }

    @Test func drainingAsksAndFollows() async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        let drain = ["host", "drain", "host-2", "--reason", "fan", "--wait"]
        try await fixture.serving { server in
            #expect(await fixture.run(drain, server: server).status == .refused)
            #expect(await fixture.run(drain, server: server, answer: "n").status == .refused)
            #expect(fixture.plane.requests.isEmpty)
            let done = await fixture.run(drain, server: server, answer: "y")
            #expect(done.status == .done)
            #expect(done.output.contains("succeeded   4/4"))
            #expect(done.errors.hasPrefix("Stop or move every workload of host host-2? [y/N] "))
        }
    }

    @Test func violationsArePrintedAndFail() async throws {
        let fixture = try CommandFixture()
        fixture.plane.add(
            InvariantViolation(invariant: 1, subject: "device/GPU-1", message: "2 allocations hold it"))
        try await fixture.serving { server in
            let outcome = await fixture.run(["operator", "check"], server: server)
            #expect(outcome.status == .failed)
            #expect(outcome.output.contains("device/GPU-1          1  2 allocations hold it"))
            #expect(
                await fixture.run(["operator", "check", "-o", "name"], server: server).output
                    == "device/GPU-1\n")
        }
    }

    @Test func waitingEndsWithTheState() async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        try await fixture.serving { server in
            let running = await fixture.run(
                ["wait", "vm", "web-1", "--for", "state=Running"], server: server, isPatient: true)
            #expect(running == .init(status: .done, output: "vm/web-1 state=Running\n", errors: ""))
            let ready = await fixture.run(
                ["wait", "vm", "web-1", "--for", "condition=Scheduled"], server: server, isPatient: true)
            #expect(ready.status == .done)
            let late = await fixture.run(["wait", "vm", "web-1", "--for", "state=Failed"], server: server)
            #expect(late.status == .timedOut)
            #expect(late.errors == "basalt: vm/web-1 did not get there within 30s\n")
            let gone = await fixture.run(
                ["wait", "vm", "never", "--for", "deleted"], server: server, isPatient: true)
            #expect(gone.status == .done)
        }
    }

    @Test func createsAVMFromFlags() async throws {
        let fixture = try CommandFixture()
        try await fixture.serving { server in
            let outcome = await fixture.run(
                [
                    "vm", "create", "web-9", "--cpu", "2", "--memory", "4GiB", "--gpu", "H100=2", "--class",
                    "spot", "--on-partition", "stop", "--lifetime", "36h", "--label", "a=b", "-o", "name",
                ], server: server)
            #expect(outcome == .init(status: .done, output: "vm/web-9\n", errors: ""))
        }
        let spec = fixture.plane.document("projects/shop/vms/web-9")?.spec
        #expect(
            spec
                == .object([
                    "resources": .object(["milliCPU": .integer(2000), "memoryMiB": .integer(4096)]),
                    "devices": .array([.object(["model": .string("H100"), "count": .integer(2)])]),
                    "class": .string("spot"), "onPartition": .string("stop"),
                    "lifetimeHintSeconds": .integer(129_600),
                ]))
    }

    @Test func createsAVMGroupFromFlags() async throws {
        let fixture = try CommandFixture()
        try await fixture.serving { server in
            let outcome = await fixture.run(
                [
                    "vmgroup", "create", "ring", "--replicas", "8", "--placement", "all", "--apart", "rack",
                    "--flavor", "small", "--label", "tier=ring", "-o", "name",
                ], server: server)
            #expect(outcome == .init(status: .done, output: "vmgroup/ring\n", errors: ""))
        }
        let spec = try #require(fixture.plane.document("projects/shop/vmgroups/ring")?.spec)
        let expected = VMGroupSpec(
            replicas: 8, placement: .all, antiAffinity: .rack,
            template: VMTemplate(labels: ["tier": "ring"], spec: VMSpec(flavor: "small")))
        #expect(
            try JSONDecoder().decode(VMGroupSpec.self, from: JSONEncoder().encode(spec)) == expected)
    }

    @Test func aSecretCanGoToAFileOnly() async throws {
        let fixture = try CommandFixture()
        try await fixture.serving { server in
            let shown = await fixture.run(["token", "create", "ci"], server: server)
            #expect(shown.output.contains("swordfish"))
            let path = fixture.path("ci.token")
            let hidden = await fixture.run(["token", "create", "ci", "--secret-file", path], server: server)
            #expect(!hidden.output.contains("swordfish"))
            #expect(try String(contentsOfFile: path, encoding: .utf8) == "swordfish\n")
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        }
    }

    @Test func aWrongTokenIsSaid() async throws {
        let fixture = try CommandFixture()
        try fixture.write("token", "wrong")
        try await fixture.serving { server in
            let outcome = await fixture.run(["get", "hosts"], server: server)
            #expect(outcome == .init(status: .failed, output: "", errors: "basalt: the token is not known\n"))
        }
    }
}
