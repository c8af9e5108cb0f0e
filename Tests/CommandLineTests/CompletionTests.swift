import CommandLine
import Fleet
import Foundation
import TestServer
import Testing

struct CompletionTests {
    private static func complete(_ fixture: CommandFixture, _ server: TestServer?, _ words: [String]) async
        -> [String]
    {
        // Sleeps last, so that names have time to come.
        let outcome = await fixture.run(["complete", "--"] + words, server: server, isPatient: true)
        #expect(outcome.status == .done && outcome.errors == "", "\(words)")
        return outcome.output.split(separator: "\n").map(String.init)
    }

    @Test func commandsFlagsKindsAndValues() async throws {
        let fixture = try CommandFixture()
        func complete(_ words: String...) async -> [String] { await Self.complete(fixture, nil, words) }
        #expect(await complete("ge") == ["get"])
        #expect(await complete("").contains("describe"))
        #expect(await complete("").contains("complete") == false)
        #expect(
            await complete("host", "").sorted() == [
                "breaker", "cordon", "drain", "fence", "impact", "preempt", "repair", "repaired", "uncordon",
                "undrain",
            ])
        #expect(await complete("host", "unc") == ["uncordon"])
        #expect(await complete("vmgroup", "").sorted() == ["create", "scale"])
        #expect(await complete("vmgroup", "create", "--placement", "") == ["all", "any"])
        #expect(await complete("why", "") == ["vm", "vmgroup", "trainingjob"])
        #expect(await complete("get", "ho") == ["hosts"])
        #expect(await complete("get", "vms", "--wa") == ["--watch"])
        #expect(await complete("get", "-o", "") == ["table", "wide", "json", "yaml", "name"])
        #expect(await complete("get", "--output", "js") == ["json"])
        #expect(await complete("describe", "alloc") == [])
        #expect(await complete("apply", "-f", "fl") == [":files"])
        #expect(await complete("top", "h") == ["hosts"])
        #expect(await complete("completion", "") == ["bash", "zsh", "fish"])
        #expect(await complete("explain", "p") == ["pools", "policies", "projects"])
        #expect(await complete("nothing", "x") == [])
        // A server that is not there gives no candidates and no error.
        #expect(await complete("get", "vms", "") == [])
    }

    @Test func namesComeFromTheControlPlane() async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        try await fixture.serving { server in
            func complete(_ words: String...) async -> [String] {
                await Self.complete(fixture, server, words)
            }
            #expect(await complete("get", "vm", "web") == ["web-1"])
            #expect(await complete("get", "vm", "-p", "lab", "") == ["batch-7"])
            #expect(await complete("delete", "vm", "web-1", "a-").count == 1)
            #expect(await complete("host", "drain", "") == ["host-1", "host-2"])
            #expect(await complete("get", "vms", "-p", "") == ["shop"])
            #expect(await complete("vmgroup", "scale", "-p", "shop", "") == ["ring"])
            #expect(await complete("get", "vms", "web-1", "x") == [])
        }
    }

    @Test func theBashScriptCompletes() async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        try await fixture.serving { server in
            let script = await fixture.run(["completion", "bash"], server: nil).output
            let path = try fixture.write("basalt.bash", script)
            let text = """
                source \(path); COMP_WORDS=(basalt describe host ''); COMP_CWORD=3; _basalt
                printf '%s\\n' "${COMPREPLY[@]}"
                """
            #expect(try await Program.shell(text, fixture, server) == "host-1\nhost-2\n")
        }
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func scriptsAreValidWhereTheShellIsInstalled(shell: String) async throws {
        let fixture = try CommandFixture()
        let script = try fixture.write("s", await fixture.run(["completion", shell], server: nil).output)
        guard FileManager.default.isExecutableFile(atPath: "/usr/bin/\(shell)") else { return }
        #expect(try await Program.shell("\(shell) -n \(script) 2>&1", fixture, nil) == "")
    }
}
