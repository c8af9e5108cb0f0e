import Fleet
import Store

/// One call with all its arguments, ready to run on any store under test.
struct Operation: Sendable {
    /// What is called with what, for whoever reads a failed history.
    var title: String
    /// - Returns: the answer in a form that equal stores give alike.
    var run: @Sendable (any StoreHarness) async throws -> String

    init(_ title: String, _ run: @escaping @Sendable (any StoreHarness) async throws -> String) {
        self.title = title
        self.run = run
    }

    /// The answer, or the error without what implementations may word differently.
    func outcome(on harness: any StoreHarness) async -> String {
        do {
            return try await run(harness)
        } catch let error as StoreError {
            return "throws " + Self.text(of: error)
        } catch {
            return "throws \(error)"
        }
    }

    private static func text(of error: StoreError) -> String {
        switch error {
        case .inUse(let kind, let name, _): "inUse \(kind) \(name)"
        case .unauthorized: "unauthorized"
        case .corrupt: "corrupt"
        default: "\(error)"
        }
    }
}
