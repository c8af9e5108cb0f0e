internal import Client
internal import Fleet
internal import Foundation
internal import NodeAgent

/// Waiting, time, chance and ids of the operating system.
enum SystemSeams {
    static let now: @Sendable () -> Timestamp = { Timestamp(seconds: Date().timeIntervalSince1970) }
    static let random: @Sendable () -> Double = { Double.random(in: 0..<1) }
    static let client = ClientSeams(
        sleep: { try await Task.sleep(for: $0) }, random: random,
        ids: TimeOrderedIDSource(now: now, entropy: { UUID() }))
    static let clock = SystemAgentClock(
        bootID: SystemAgentClock.currentBootID() ?? UUID().uuidString)
}
