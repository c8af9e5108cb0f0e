import Fleet
import Store
import Testing

@Suite("Waiting in the store in memory")
struct WaitingTests {
    @Test("a wait ends when the virtual clock reaches its timeout")
    func timeout() async throws {
        let harness = MemoryHarness()
        let waited = try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                let seen = try await harness.store.waitForChange(after: 0, timeout: .seconds(5))
                return try await harness.store.waitForChange(after: seen, timeout: .seconds(5)) == seen
            }
            // The wait may begin after any of the steps, so the clock goes on until it ends.
            group.addTask {
                while !Task.isCancelled {
                    harness.advance(by: .seconds(1))
                    await Task.yield()
                }
                return false
            }
            defer { group.cancelAll() }
            return try await group.next()
        }
        #expect(waited == true)
    }

    @Test("a cancelled wait ends")
    func cancellation() async throws {
        let harness = MemoryHarness()
        await withTaskGroup(of: Void.self) { group in
            // why `try?`: being cancelled is what it is for.
            group.addTask { _ = try? await harness.store.waitForChange(after: .max, timeout: .seconds(5)) }
            group.cancelAll()
            await group.waitForAll()
        }
    }
}
