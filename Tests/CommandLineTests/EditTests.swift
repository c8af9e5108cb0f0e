import APITypes
import CommandLine
import Fleet
import Foundation
import TestServer
import Testing

/// Labels, contexts and what else changes little things.
struct EditTests {
    @Test func labelsAreSetAndRemovedAndOnlyOverwrittenWhenAsked() async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        func labels() -> [String: String]? {
            fixture.plane.document("projects/shop/vms/web-1")?.metadata.labels
        }
        try await fixture.serving { server in
            let set = await fixture.run(
                ["label", "vm", "web-1", "rack=r7", "owner-", "-o", "name"], server: server)
            #expect(set == .init(status: .done, output: "vm/web-1\n", errors: ""))
            #expect(labels() == ["tier": "web", "rack": "r7"])

            let refused = await fixture.run(["label", "vm", "web-1", "tier=db"], server: server)
            #expect(refused.status == .refused)
            #expect(refused.errors == "basalt: tier is \"web\"; add --overwrite to change it\n")
            #expect(labels()?["tier"] == "web")

            let forced = await fixture.run(
                ["label", "vm", "web-1", "tier=db", "--overwrite"], server: server)
            #expect(forced.status == .done && labels()?["tier"] == "db")

            // What is so already is not sent.
            let before = fixture.plane.requests.count
            let same = await fixture.run(["label", "vm", "web-1", "tier=db", "none-"], server: server)
            #expect(same.status == .done)
            #expect(fixture.plane.requests.dropFirst(before).allSatisfy { $0.method == "GET" })

            _ = await fixture.run(["annotate", "pool", "vms", "why=a=b", "empty="], server: server)
            #expect(
                fixture.plane.document("pools/vms")?.metadata.annotations == ["why": "a=b", "empty": ""])
        }
    }

    @Test(arguments: [
        (
            ["label", "vm", "a", "tier"],
            "basalt: \"tier\" is no change; write KEY=VALUE to set and KEY- to remove"
        ),
        (
            ["label", "vm", "a", "=x"],
            "basalt: \"=x\" is no change; write KEY=VALUE to set and KEY- to remove"
        ),
        (["label", "vm", "a", "t=1", "t-"], "basalt: \"t\" is given twice"),
        (["annotate", "vmm", "a", "t=1"], "basalt: no kind \"vmm\"; the nearest is \"vms\""),
        (["top", "hots"], "basalt: no subject \"hots\"; the nearest is \"hosts\""),
        (
            ["explain", "vm.spec.resorces"],
            "basalt: no field \"spec.resorces\"; the nearest is \"spec.resources\""
        ),
        (["explain", "plan"], "basalt: no kind \"plan\"; choose one of cells, pools, hosts"),
        (["wait", "vm", "a", "--for", "jsonpath=status..x"], "basalt: \"status..x\" is no path"),
        (["context", "set", "new"], "basalt: context \"new\" is new: give --server"),
        (["context", "set", "new", "--server", "http://far"], "basalt: \"http://far\" would send the token"),
        (["context", "delete", "none"], "basalt: no context \"none\"; make one with basalt login"),
    ])
    func aMistakeGetsOneClearLine(arguments: [String], line: String) async throws {
        let fixture = try CommandFixture()
        let outcome = await fixture.run(arguments, server: nil)
        #expect(outcome.status == .failed && outcome.output == "")
        #expect(outcome.errors.hasPrefix(line), "\(outcome.errors)")
        #expect(outcome.errors.filter(\.isNewline).count == 1)
    }

    @Test func contextsAreMadeChangedAndForgotten() async throws {
        let fixture = try CommandFixture()
        func run(_ line: String) async -> CommandFixture.Outcome {
            await fixture.run(line.split(separator: " ").map(String.init), server: nil)
        }
        #expect(await run("context set a --server https://a:7443 -p shop").output == "context/a created\n")
        #expect(await run("context set b --server https://b:7443 --ca /ca.pem").status == .done)
        #expect(
            await fixture.run(["context", "set", "a", "--project", ""], server: nil).output
                == "context/a configured\n")
        let shown = await run("context show -o json").output
        #expect(shown.contains("\"server\" : \"https://a:7443\"") && !shown.contains("project"), "\(shown)")
        let file = try FileManager.default.attributesOfItem(atPath: fixture.path("config.yaml"))
        #expect((file[.posixPermissions] as? NSNumber)?.intValue == 0o600)
        #expect(await run("context delete a").output == "context/a deleted\n")
        #expect(await run("context list -o name").output == "context/b\n")
        #expect(await run("context show").status == .failed)
    }

    @Test func outcomesComeInEveryFormat() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write("fleet.yaml", CommandFixture.fleet)
        try await fixture.serving { server in
            func run(_ line: String...) async -> CommandFixture.Outcome {
                await fixture.run(line + ["-f", file], server: server)
            }
            let diff = await run("diff", "-o", "json")
            #expect(
                diff.status == .changesPresent && diff.output.contains("\"outcome\" : \"would be created\""))
            #expect(await run("apply", "-o", "name").output == "cell/east\npool/vms\nvm/web-1\n")
            let yaml = await run("apply", "-o", "yaml").output
            #expect(yaml.hasPrefix("items:\n- name: cell/east\n  outcome: unchanged\n"), "\(yaml)")
            #expect(await run("diff", "-o", "name") == .init(status: .done, output: "", errors: ""))
            #expect(await run("delete", "-o", "name").output == "vm/web-1\npool/vms\ncell/east\n")
        }
    }

    @Test func waitingForAField() async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        try await fixture.serving { server in
            func wait(_ wanted: String, isPatient: Bool = true) async -> Int32 {
                await fixture.run(
                    ["wait", "vm", "web-1", "--for", wanted], server: server, isPatient: isPatient
                ).status.rawValue
            }
            #expect(await wait("jsonpath=.status.host=host-1") == 0)
            #expect(await wait("jsonpath={.status.conditions[0].type}=Scheduled") == 0)
            #expect(await wait("jsonpath=.metadata.generation=1") == 0)
            #expect(await wait("jsonpath=.metadata.name") == 0)
            #expect(await wait("jsonpath=.status.host=host-2", isPatient: false) == 3)
            #expect(await wait("jsonpath=.status.conditions[9].type", isPatient: false) == 3)
        }
    }
}
