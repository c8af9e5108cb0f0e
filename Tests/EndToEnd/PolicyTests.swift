import APITypes
import Client
import Fleet
import Testing

extension EndToEndTests {
    /// Policies that change under a running fleet.
    @Suite struct PolicyTests {
        @Test func plansNameTheVersionThatTheyWentBy() async throws {
            try await Deployment.run { basalt in
                try await basalt.startController("a")
                try await basalt.makeFleet()
                try await basalt.startAgent("sim", hosts: 3)
                try await basalt.hostsReady(3)
                let (client, policies) = (try basalt.client(), Collection(.policy))

                let made = try await basalt.basalt(["policy", "set", "dense", "--score", "first-fit"])
                try #require(made.status == 0, "\(made.output)")
                try await Self.attach("dense", basalt)
                try await Self.placed("one", by: "first-fit", version: 1, basalt)

                let first = try await client.get("dense", in: policies)
                let set = try await basalt.basalt(["policy", "set", "dense", "--score", "best-fit"])
                try #require(set.status == 0, "\(set.output)")
                try await Self.placed("two", by: "best-fit", version: 2, basalt)
                let diff = try await basalt.basalt(["policy", "diff", "dense"])
                try #require(diff.status == 2 && diff.output.contains("+  score: best-fit"), "\(diff)")

                try await Self.refusesWhatIsStaleOrWrong(first, basalt)
                try await Self.oneOfTwoRollbacksWins(basalt)
                let history = try await client.history(of: "dense", in: policies)
                try #require(history.map(\.version) == [3, 2, 1])
                try #require(history[0].spec == history[2].spec && history[0].verb == "rollback")
                try await Self.placed("three", by: "first-fit", version: 3, basalt)

                let kept = try await basalt.basalt(["policy", "delete", "dense"])
                try #require(kept.status == 5 && kept.output.contains("Pool vms"), "\(kept)")
                try await basalt.verify(live: 3, starts: 3)
            }
        }

        /// Lets the pool of the fleet go by a policy.
        private static func attach(_ policy: String, _ basalt: Deployment) async throws {
            let client = try basalt.client()
            let pool = try await client.get("vms", in: Collection(.pool))
            let patch = JSONValue.object([
                "spec": .object(["policies": .object(["placement": .string(policy)])])
            ])
            _ = try await client.patch("vms", in: Collection(.pool), with: patch, match: .version(of: pool))
        }

        /// Creates a VM of the pool; its plan and its event name score and version.
        private static func placed(
            _ name: String, by score: String, version: Int, _ basalt: Deployment
        ) async throws {
            try await basalt.createVM(name, Deployment.spec { $0.pool = "vms" })
            try await basalt.vm(name, is: .running)
            let allocation = try #require(try await basalt.liveAllocations()[name]?.first)
            let plan = try await basalt.client().plan(try #require(allocation.plan))
            let expected = PlanReport.PoolPolicy(
                pool: "vms", policy: PolicyVersion(name: "dense", version: version))
            try #require(plan.report.policies == [expected], "\(plan.report)")
            guard case .allocate(let directive)? = plan.groups.first?.directives.first else {
                throw TimedOut(description: "the plan allocates nothing")
            }
            try #require(
                directive.message.hasSuffix("by \(score) (policy dense version \(version))"),
                "\(directive.message)")
        }

        private static func refusesWhatIsStaleOrWrong(
            _ stale: WireDocument, _ basalt: Deployment
        ) async throws {
            let (client, policies) = (try basalt.client(), Collection(.policy))
            await #expect("a stale tag") {
                try await client.rollback("dense", in: policies, to: 1, match: .version(of: stale))
            } throws: { ($0 as? ClientError)?.isProblem(.preconditionFailed) == true }
            let wrong = WireDraft(
                kind: Kind.policy.rawValue, metadata: .init(name: "dense"),
                spec: .object([
                    "type": .string("placement"),
                    "placement": .object(["score": .string("best-fti")]),
                ]))
            await #expect("a wrong word") {
                let current = try await client.get("dense", in: policies)
                _ = try await client.replace(wrong, in: policies, match: .version(of: current))
            } throws: { error in
                let problem = (error as? ClientError)?.problem
                let cause = problem?.causes.first
                return problem?.status == 422 && cause?.field == "spec.placement.score"
                    && cause?.message == "\"best-fti\" is not known; the nearest is \"best-fit\""
            }
        }

        /// Two at once with one tag: one writes, the other is told that it is stale.
        private static func oneOfTwoRollbacksWins(_ basalt: Deployment) async throws {
            let (client, policies) = (try basalt.client(), Collection(.policy))
            let current = try await client.get("dense", in: policies)
            let outcomes = await withTaskGroup(of: Bool?.self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        do {
                            let next = try await client.rollback(
                                "dense", in: policies, to: 1, match: .version(of: current))
                            return next.metadata.generation == 3
                        } catch let error as ClientError where error.isProblem(.preconditionFailed) {
                            return false
                        } catch {
                            return nil
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            try #require(outcomes.count == 2 && outcomes.contains(true) && outcomes.contains(false))
        }
    }
}
