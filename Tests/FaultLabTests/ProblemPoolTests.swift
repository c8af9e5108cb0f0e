import FaultLab
import Testing

@Suite struct ProblemPoolTests {
    private let surface = FakeGround.surface

    @Test func `suites hold what they promise`() throws {
        let pool = try ProblemPool.seed()
        #expect(pool.problems(of: .full).count >= 74)
        #expect(pool.problems(of: .lite).count >= 25)
        #expect(pool.problems(of: .smoke).count >= 8)
        let lite = Set(pool.problems(of: .lite).map(\.id))
        #expect(lite.isSuperset(of: pool.problems(of: .smoke).map(\.id)))
        #expect(Set(pool.problems.map(\.id)).count == pool.problems.count)
    }

    @Test func `a problem that cannot be injected says why`() throws {
        for template in try ProblemPool.seed().problems {
            if template.isNoop {
                #expect(template.faults.isEmpty && template.truth.components.isEmpty)
            } else {
                #expect(template.faults.isEmpty == (template.lacks != nil), "\(template.id)")
                #expect(!template.truth.components.isEmpty && !template.truth.systemLevels.isEmpty)
                #expect(!template.oracle.isEmpty && !template.truth.faultTypes.isEmpty)
            }
            let none = ProblemSurface(choices: [:], kinds: [])
            guard !template.faults.isEmpty else { continue }
            #expect(template.refusal(on: none)?.code == .notInjectable, "\(template.id)")
            let empty = ProblemSurface(choices: [:], kinds: Set(FaultKind.allCases))
            #expect(template.refusal(on: empty)?.code == .noTarget, "\(template.id)")
        }
    }

    @Test func `every problem that can be injected is drawn with its oracle`() throws {
        let (problems, refused) = try ProblemPool.seed().drawn(.full, seeds: [1, 2, 3], on: surface)
        #expect(refused.allSatisfy { $0.code == .notInjectable })
        #expect(problems.count >= 200)
        for problem in problems where problem.truth.hasFault {
            #expect(!problem.faults.isEmpty && !problem.oracle.isEmpty)
            for call in problem.oracle {
                let action = try AgentAction(call, stage: .mitigation, mode: .lenient)
                guard case .write(let write) = action else {
                    Issue.record("\(problem.name): \(call.text) changes nothing")
                    continue
                }
                let broken = problem.rejects.filter { $0.isBroken(by: [write], problem.truth) }
                #expect(broken.isEmpty, "\(problem.name): \(call.text): \(broken.map(\.because))")
            }
        }
    }

    @Test func `a paired no-op differs in its faults alone`() throws {
        let pool = try ProblemPool.seed()
        for template in pool.problems(of: .lite) where !template.isNoop {
            let with = try template.draw(seed: 5, on: surface, contexts: pool.contexts)
            let without = try template.draw(
                seed: 5, on: surface, contexts: pool.contexts, withoutFaults: true)
            #expect(with.bindings == without.bindings && with.context == without.context)
            #expect(without.faults.isEmpty && without.truth == .nothing && without.oracle.isEmpty)
            #expect(
                Brief(with).text.replacing(with.alias, with: "")
                    == Brief(without).text.replacing(without.alias, with: ""))
        }
    }

    @Test func `equal seeds draw equal problems and others other targets`() throws {
        let pool = try ProblemPool.seed()
        let template = try pool.template("ag-01")
        let draw = { try template.draw(seed: $0, on: surface, contexts: pool.contexts) }
        #expect(try draw(1) == draw(1))
        let targets = Set(try (1...20).map { try draw(UInt64($0)).faults[0].target })
        #expect(targets.count > 3)
        #expect(throws: ProblemRefusal.self) { try pool.template("AG-1O") }
    }

    @Test func `what agents are told says nothing of what is wrong`() throws {
        let pool = try ProblemPool.seed()
        let (problems, _) = pool.drawn(.full, seeds: [1], on: surface)
        for problem in problems {
            let brief = Brief(problem).text
            #expect(!brief.contains(problem.title) && !brief.contains(problem.template))
            #expect(!problem.alias.contains(problem.template.lowercased()))
            if problem.truth.hasFault { #expect(!brief.contains(problem.truth.mechanism)) }
        }
    }
}
