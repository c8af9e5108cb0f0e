import APITypes
import CommandLine
import Fleet
import TestServer
import Testing

struct ApplyFlowTests {
    @Test func createsThenLeavesAloneThenConfigures() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write("fleet.yaml", CommandFixture.fleet)
        try await fixture.serving { server in
            let first = await fixture.run(["apply", "-f", file], server: server)
            #expect(
                first
                    == .init(
                        status: .done, output: "cell/east created\npool/vms created\nvm/web-1 created\n",
                        errors: ""))
            let second = await fixture.run(["apply", "-f", file], server: server)
            #expect(second.output == "cell/east unchanged\npool/vms unchanged\nvm/web-1 unchanged\n")
            let changed = CommandFixture.fleet.replacing("1500", with: "2000")
            let third = await fixture.run(["apply", "-f", "-"], server: server, input: changed)
            #expect(third.output == "cell/east unchanged\npool/vms configured\nvm/web-1 unchanged\n")
            #expect(fixture.plane.log("PUT") == ["PUT /v1/pools/vms"])
            #expect(fixture.plane.document("pools/vms")?.spec["cpuRatioPerMille"]?.integer == 2000)
            // Labels that a file does not mention stay.
            let bare =
                "kind: Pool\nmetadata: {name: vms}\nspec: {cell: east, admits: [vm], cpuRatioPerMille: 2000}\n"
            let fourth = await fixture.run(["apply", "-f", "-"], server: server, input: bare)
            #expect(fourth.output == "pool/vms unchanged\n")
        }
    }

    @Test func diffShowsFieldsAndExitsWithTwo() async throws {
        let fixture = try CommandFixture()
        try await fixture.serving { server in
            _ = await fixture.run(["apply", "-f", "-"], server: server, input: CommandFixture.fleet)
            let same = await fixture.run(["diff", "-f", "-"], server: server, input: CommandFixture.fleet)
            #expect(same == .init(status: .done, output: "", errors: ""))
            let changed = CommandFixture.fleet.replacing(
                "cpuRatioPerMille: 1500", with: "placement: first-fit"
            )
            .replacing("web-1", with: "web-2")
            let diff = await fixture.run(["diff", "-f", "-"], server: server, input: changed)
            #expect(diff.status == .changesPresent)
            #expect(
                diff.output == """
                    pool/vms would change
                      - spec.cpuRatioPerMille: 1500
                      + spec.placement: first-fit
                    vm/web-2 would be created
                      + spec.devices[0].count: 2
                      + spec.devices[0].model: H100
                      + spec.resources.memoryMiB: 4096
                      + spec.resources.milliCPU: 2000

                    """)
            #expect(fixture.plane.log("PUT").isEmpty)
        }
    }

    @Test func aDryRunStoresNothingAndExplainsVMs() async throws {
        let fixture = try CommandFixture()
        try await fixture.serving { server in
            let outcome = await fixture.run(
                ["apply", "--dry-run", "-f", "-"], server: server, input: CommandFixture.fleet)
            #expect(
                outcome.output == """
                    cell/east created (dry run)
                    pool/vms created (dry run)
                    vm/web-1 created (dry run)
                      1 of 3 hosts fit
                      - 1 refused: HostCordoned
                      - 1 refused: InsufficientCPU
                      1. host-1 (leftover=0.25)

                    """)
            #expect(fixture.plane.documentCount == 0)
        }
    }

    @Test func unknownFieldsAreNamedOnePerLine() async throws {
        let fixture = try CommandFixture()
        let text =
            "kind: Pool\nmetadata: {name: p}\nspec: {bogus: 1}\n---\nkind: Cell\nmetadata: {name: west}\n"
        try await fixture.serving { server in
            let outcome = await fixture.run(["apply", "-f", "-"], server: server, input: text)
            #expect(outcome.status == .failed)
            #expect(outcome.output == "cell/west created\n")
            #expect(
                outcome.errors == """
                    basalt: standard input document 1: pool/p: 2 fields are wrong
                      spec.bogus: is not known; the nearest is cell
                      spec.cell: name a cell

                    """)
        }
    }

    @Test func nothingIsAppliedWhenADocumentCannotBeRead() async throws {
        let fixture = try CommandFixture()
        let file = try fixture.write(
            "bad.yaml", "kind: Cell\nmetadata: {name: a}\n---\nkind: Cell\nmetadata: [\n")
        try await fixture.serving { server in
            let outcome = await fixture.run(["apply", "-f", file], server: server)
            #expect(outcome.status == .failed)
            #expect(outcome.errors.hasPrefix("basalt: \(file) document 2, line 6: "))
            #expect(fixture.plane.requests.isEmpty)
        }
    }

    @Test func aChangeInBetweenIsStale() async throws {
        let fixture = try CommandFixture()
        try await fixture.serving { server in
            _ = await fixture.run(["apply", "-f", "-"], server: server, input: CommandFixture.fleet)
            let plane = fixture.plane
            plane.onRequest { request in
                guard request.method == "PUT", var pool = plane.document("pools/vms") else { return }
                pool.metadata.generation += 1
                plane.put(pool, at: "pools/vms")
            }
            let changed = CommandFixture.fleet.replacing("1500", with: "2000")
            let outcome = await fixture.run(["apply", "-f", "-"], server: server, input: changed)
            #expect(outcome.status == .stale)
            #expect(outcome.errors.contains("pool/vms: \"vms\" has changed"))
        }
    }

    @Test func deletesByNameAndByFile() async throws {
        let fixture = try CommandFixture()
        try await fixture.serving { server in
            _ = await fixture.run(["apply", "-f", "-"], server: server, input: CommandFixture.fleet)
            let one = await fixture.run(["delete", "vm", "web-1", "ghost"], server: server)
            #expect(one.output == "vm/web-1 deleted\n")
            #expect(one.errors.hasPrefix("basalt: delete: vm/ghost: "))
            #expect(one.status == .failed)
            _ = await fixture.run(["apply", "-f", "-"], server: server, input: CommandFixture.fleet)
            let all = await fixture.run(["delete", "-f", "-"], server: server, input: CommandFixture.fleet)
            #expect(all.output == "vm/web-1 deleted\npool/vms deleted\ncell/east deleted\n")
            #expect(fixture.plane.documentCount == 0)
        }
    }

    @Test func deletionCanBeWaitedFor() async throws {
        let fixture = try CommandFixture()
        try await fixture.serving { server in
            _ = await fixture.run(["apply", "-f", "-"], server: server, input: CommandFixture.fleet)
            var vm = try #require(fixture.plane.document("projects/shop/vms/web-1"))
            vm.metadata.finalizers = [Finalizer.allocations]
            fixture.plane.put(vm, at: "projects/shop/vms/web-1")
            let held = await fixture.run(["delete", "vm", "web-1"], server: server)
            #expect(held.output == "vm/web-1 deleting\n")
            let state = await fixture.run(["get", "vm", "web-1"], server: server)
            #expect(state.output.contains("Deleting"))
        }
    }
}
