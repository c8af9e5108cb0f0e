import APITypes
import Fleet
import Foundation
import TestServer
import Testing

@testable import CommandLine

/// Policies from the command line.
struct PolicyTests {
    @Test func aDifferenceIsShownAndEndsWithTwo() async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        try await fixture.serving { server in
            let newest = await fixture.run(["policy", "diff", "dense"], server: server)
            #expect(newest.status == .changesPresent)
            #expect(
                newest.output == """
                    --- policy/dense version 1 (2026-01-01T00:01:00Z, user/ada)
                    +++ policy/dense version 2 (2026-01-01T00:02:00Z, user/ada)
                    @@ -1,4 +1,4 @@
                     description: "Fills hosts"
                     placement:
                    -  score: first-fit
                    +  score: best-fit
                     type: placement

                    """)
            let back = await fixture.run(
                ["policy", "diff", "dense", "--from", "2", "--to", "1"], server: server)
            #expect(back.status == .changesPresent && back.output.contains("+  score: first-fit"))
            let first = await fixture.run(["policy", "diff", "dense", "--to", "1"], server: server)
            #expect(first.status == .changesPresent && first.output.hasPrefix("--- nothing\n"))
            #expect(first.output.contains("@@ -0,0 +1,4 @@\n+description"))
            let same = await fixture.run(
                ["policy", "diff", "dense", "--from", "2", "--to", "2"], server: server)
            #expect(same == .init(status: .done, output: "", errors: ""))
            let missing = await fixture.run(["policy", "diff", "dense", "--from", "7"], server: server)
            #expect(missing.status == .failed && missing.errors.filter(\.isNewline).count == 1)
        }
    }

    @Test func settingMakesOneVersionAndKeepsTheDescription() async throws {
        let fixture = try CommandFixture()
        Sample.fill(fixture.plane)
        try await fixture.serving { server in
            let set = await fixture.run(["policy", "set", "dense", "--score", "waste"], server: server)
            #expect(set == .init(status: .done, output: "policy/dense configured\n", errors: ""))
            let spec = fixture.plane.document("policies/dense")?.spec
            #expect(spec?["description"]?.string == "Fills hosts")
            #expect(spec?["placement"]?["score"]?.string == "waste")
            let same = await fixture.run(["policy", "set", "dense", "--score", "waste"], server: server)
            #expect(same.output == "policy/dense unchanged\n")
            let made = await fixture.run(["policy", "set", "new", "--score", "first-fit"], server: server)
            #expect(made.output == "policy/new created\n")
            let gone = await fixture.run(["policy", "delete", "new"], server: server)
            #expect(gone.output == "policy/new deleted\n")
            #expect(fixture.plane.document("policies/new") == nil)
        }
    }

    @Test(arguments: [
        ("wast", "basalt: no score \"wast\"; the nearest is \"waste\"\n"),
        ("lva", "basalt: no score \"lva\"; the nearest is \"lava\"\n"),
    ])
    func aScoreThatPoolsDoNotHaveIsRefused(_ score: String, _ line: String) async throws {
        let fixture = try CommandFixture()
        try await fixture.serving { server in
            let outcome = await fixture.run(["policy", "set", "x", "--score", score], server: server)
            #expect(outcome.status == .failed && outcome.errors.hasPrefix(line), "\(outcome.errors)")
            #expect(fixture.plane.log("POST").isEmpty)
        }
    }

    @Test func hunksHoldThreeLinesAroundChangesAndJoinWhenTheyTouch() {
        let old = (1...20).map(String.init)
        var new = old
        new[1] = "two"
        new[8] = "nine"
        new.remove(at: 18)
        let difference = UnifiedDifference(
            from: old.joined(separator: "\n") + "\n", to: new.joined(separator: "\n") + "\n")
        let text = difference.text(from: "a", to: "b")
        #expect(text.filter { $0.hasPrefix("@@") } == ["@@ -1,12 +1,12 @@", "@@ -16,5 +16,4 @@"])
        #expect(text.filter { $0.hasPrefix("-") } == ["--- a", "-2", "-9", "-19"])
        #expect(UnifiedDifference(from: "a\n", to: "a\n").text(from: "a", to: "b").isEmpty)
        #expect(UnifiedDifference(from: "", to: "").isEmpty)
    }
}
