import Foundation
import Testing

/// Runs one parser over damaged inputs: a fixed number of a fixed seed, or as long as `BASALT_FUZZ_SECONDS`
/// says, shared by the campaigns, from a seed of the time.
struct Campaign {
    /// Campaigns that share the time.
    static let count = 11
    /// A few seconds for all campaigns in a debug build.
    private static let cases = 1500
    /// What takes longer hangs, as far as anybody who waits can tell.
    private static let longestCase = Duration.seconds(5)

    let name: String

    init(_ name: String) { self.name = name }

    /// - Parameter body: gets numbered mutators; says what is wrong, or nil.
    func run(_ body: (inout Mutator) throws -> String?) throws {
        let seconds = ProcessInfo.processInfo.environment["BASALT_FUZZ_SECONDS"].flatMap(Int.init)
        let base = seconds == nil ? 1 : UInt64(Date().timeIntervalSince1970)
        let clock = ContinuousClock()
        let end = seconds.map { clock.now + .seconds($0) / Self.count }
        var number: UInt64 = 0
        while end.map({ clock.now < $0 }) ?? (number < Self.cases) {
            number += 1
            let seed = base &* 1_000_003 &+ number
            var mutator = Mutator(seed: seed)
            let began = clock.now
            do {
                if let defect = try body(&mutator) { Issue.record("\(name) seed \(seed): \(defect)") }
            } catch {
                Issue.record("\(name) seed \(seed): an error of no known type: \(error)")
            }
            #expect(clock.now - began < Self.longestCase, "\(name) seed \(seed) hangs")
        }
        if seconds != nil { print("\(name): \(number) cases") }
    }
}
