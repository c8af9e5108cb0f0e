import CommandLine
import Foundation
import TestServer
import Testing

struct ContextTests {
    private let bare = ["BASALT_SERVER": "", "BASALT_TOKEN_FILE": "", "BASALT_PROJECT": ""]

    @Test func loginRemembersAndCommandsFollow() async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        try await fixture.serving { server in
            let login = await fixture.run(
                [
                    "login", "--server", server.address, "--token-file", fixture.path("token"), "--name",
                    "lab", "-p", "shop",
                ],
                server: nil, variables: bare)
            #expect(login == .init(status: .done, output: "context/lab is current\n", errors: ""))
            let file = try FileManager.default.attributesOfItem(atPath: fixture.path("config.yaml"))
            #expect((file[.posixPermissions] as? NSNumber)?.intValue == 0o600)
            let text = try String(contentsOfFile: fixture.path("config.yaml"), encoding: .utf8)
            #expect(!text.contains("secret"))
            let vms = await fixture.run(["get", "vms", "-o", "name"], server: nil, variables: bare)
            #expect(vms.output.hasSuffix("vm/web-1\n"))
        }
    }

    @Test func loginThatDoesNotWorkIsNotRemembered() async throws {
        let fixture = try CommandFixture()
        let login = await fixture.run(
            ["login", "--server", "http://127.0.0.1:1", "--token-file", fixture.path("token")], server: nil,
            variables: bare)
        #expect(login.status == .failed)
        #expect(!FileManager.default.fileExists(atPath: fixture.path("config.yaml")))
    }

    @Test func contextsAreListedAndSwitched() async throws {
        let fixture = try CommandFixture()
        try fixture.write(
            "config.yaml",
            """
            current: b
            contexts:
              - {name: b, server: "https://b:7443", project: shop}
              - {name: a, server: "https://a:7443"}
            """)
        let list = await fixture.run(["context", "list"], server: nil)
        #expect(
            list.output == """
                NAME  CURRENT  SERVER          PROJECT
                a     -        https://a:7443  -
                b     yes      https://b:7443  shop

                """)
        #expect(await fixture.run(["context", "use", "a"], server: nil).status == .done)
        let shown = await fixture.run(["context", "show", "-o", "name"], server: nil)
        #expect(shown.output == "context/a\n")
        let wrong = await fixture.run(["context", "use", "c"], server: nil)
        #expect(wrong.errors == "basalt: no context \"c\"; the nearest is \"a\"\n")
    }

    @Test func unknownKeysAreRefused() async throws {
        let fixture = try CommandFixture()
        try fixture.write("config.yaml", "curent: a\n")
        let outcome = await fixture.run(["context", "list"], server: nil)
        #expect(
            outcome.errors
                == "basalt: \(fixture.path("config.yaml")): no key \"curent\"; the nearest is \"current\"\n")
    }

    @Test func withoutAServerItSaysHowToNameOne() async throws {
        let fixture = try CommandFixture()
        let outcome = await fixture.run(["top"], server: nil, variables: bare)
        #expect(outcome.errors == "basalt: no server is known; use basalt login, --server or BASALT_SERVER\n")
    }
}
