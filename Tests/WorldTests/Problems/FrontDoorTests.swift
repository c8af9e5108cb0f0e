import FaultLab
import Fleet
import Store
import Testing

@testable import World

/// The API of a world, through which agents write.
@Suite struct FrontDoorTests {
    @Test func `what an agent writes is authorised, validated and audited`() async throws {
        _ = try await World.run(ProblemFleet.configuration(seed: 1)) { world in
            do {
                try await world.sleep(for: .seconds(60))
                let door = FrontDoor(world)
                let host = "hosts/a-01"
                #expect(try await door.send("POST", host + "/cordon", #"{"reason": "x"}"#).status == 401)
                try await door.open()
                #expect(try await door.send("POST", host + "/cordon", #"{"reason": "x"}"#).status == 200)
                // An operator makes no tokens, unknown hosts are not there, and labels have a form.
                #expect(
                    try await door.send("POST", "tokens", #"{"name": "y", "role": "admin"}"#).status == 403)
                #expect(try await door.send("POST", "hosts/none/cordon", #"{"reason": "x"}"#).status == 404)
                let label = try await door.patch(host, ["metadata": ["labels": ["a\nb": "c"]]])
                #expect(label.status == 422 && label.observation("").status == .blocked)
                let ratio = try await door.patch("pools/pool-a", ["spec": ["cpuRatioPerMille": -5]])
                #expect(ratio.status == 422)
                let found = try await world.store.hosts(.all).filter(\.cordoned).map(\.name)
                #expect(found == ["a-01"])
                let actor = "user/\(FrontDoor.caller)"
                let told = try await world.store.audit(AuditQuery(actor: actor))
                #expect(told.contains { $0.verb == "cordon" })
                let refused = try await world.store.audit(AuditQuery(actor: actor, refused: true))
                #expect(!refused.isEmpty)
            } catch {
                Issue.record("\(error)")
            }
        }
    }

    @Test func `the door is shut while the database is away`() async throws {
        _ = try await World.run(ProblemFleet.configuration(seed: 1)) { world in
            do {
                try await world.sleep(for: .seconds(60))
                let door = FrontDoor(world)
                try await door.open()
                let outage = Fault(
                    id: 1, kind: .storeOutage, target: FaultTarget(.store, "primary"), start: .zero,
                    lease: .seconds(600))
                #expect(world.inject(outage))
                let answer = try await door.send("POST", "hosts/a-01/cordon", #"{"reason": "x"}"#)
                #expect(answer.status == 503 && answer.observation("").status == .error)
                world.revert(outage)
                let again = try await door.send("POST", "hosts/a-01/cordon", #"{"reason": "x"}"#)
                #expect(again.status == 200)
            } catch {
                Issue.record("\(error)")
            }
        }
    }
}
