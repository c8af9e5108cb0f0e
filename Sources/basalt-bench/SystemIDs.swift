import Fleet
import Foundation

/// Ids and time of the operating system, as the daemon takes them.
enum SystemIDs {
    static let now: @Sendable () -> Timestamp = { Timestamp(seconds: Date().timeIntervalSince1970) }
    static let source = TimeOrderedIDSource(now: now, entropy: { UUID() })
}
