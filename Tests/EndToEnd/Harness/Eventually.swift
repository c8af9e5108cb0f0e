import Foundation
import Testing

/// What an awaited condition ran into when its time was over.
struct TimedOut: Error, CustomStringConvertible {
    let description: String
}

/// A bound for waits that end much sooner, however busy the machine is.
let patience = Duration.seconds(120)

/// How often a condition is looked at.
private let lookEvery = Duration.milliseconds(20)

/// Asks again until the probe gives a value. An error of the probe counts as "not yet"; the last one is told
/// when the time is over.
func eventually<Value>(
    _ what: String, within limit: Duration = patience, _ probe: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    var last: (any Error)?
    while true {
        do {
            if let value = try await probe() { return value }
            last = nil
        } catch {
            last = error
        }
        guard ContinuousClock.now < deadline else {
            let cause = last.map { ": \($0)" } ?? ""
            throw TimedOut(description: "not within \(limit): \(what)\(cause)")
        }
        try await Task.sleep(for: lookEvery)
    }
}

/// Asks again until a condition holds.
func eventually(
    _ what: String, within limit: Duration = patience, _ condition: () async throws -> Bool
) async throws {
    let _: Bool = try await eventually(what, within: limit) { try await condition() ? true : nil }
}

/// Asserts that a condition holds for a while, looking often.
func holds(_ what: Comment, for span: Duration, _ condition: () async throws -> Bool) async throws {
    let deadline = ContinuousClock.now + span
    repeat {
        try #require(try await condition(), what)
        try await Task.sleep(for: lookEvery)
    } while ContinuousClock.now < deadline
}
