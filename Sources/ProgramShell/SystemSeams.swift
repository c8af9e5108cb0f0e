public import Fleet
internal import Foundation

/// Waiting, time, chance and ids of the operating system: what a program hands to everything in it that is made
/// to run on other sources as well.
public enum SystemSeams {
    /// Throws `CancellationError` when the task is cancelled meanwhile.
    public static let sleep: @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) }
    /// The wall clock.
    public static let now: @Sendable () -> Timestamp = {
        Timestamp(seconds: Date().timeIntervalSince1970)
    }
    /// Uniform in 0..<1.
    public static let random: @Sendable () -> Double = { Double.random(in: 0..<1) }
    /// Ids that rise with time.
    public static let ids = TimeOrderedIDSource(now: now, entropy: { UUID() })
}
