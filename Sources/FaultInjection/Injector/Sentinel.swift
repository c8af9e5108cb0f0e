internal import Foundation
internal import NodeAgent

/// Keeps the leases of one machine's injections, in a process of its own: an injector that is killed takes
/// nothing with it.
public struct Sentinel: Sendable {
    private let injector: Injector
    private let directory: String

    private static let lookEvery = Duration.milliseconds(200)

    public init(_ injector: Injector, directory: String) {
        self.injector = injector
        self.directory = directory
    }

    static func presence(in directory: String) -> Presence { Presence(directory + "/sentinel.lock") }
    static func injectorPresence(in directory: String) -> Presence { Presence(directory + "/injector.lock") }

    /// Works until neither an injector nor an injection is there; at once done when another one works.
    public func run() async throws {
        guard let held = try Self.presence(in: directory).hold() else { return }
        defer { withExtendedLifetime(held) {} }
        while true {
            _ = await injector.sweep(everything: false)
            let isIdle = try injector.folder.ids().isEmpty
            if isIdle, !Self.injectorPresence(in: directory).isHeld { return }
            injector.spawner.reap()
            try await injector.clock.sleep(until: injector.clock.now().advanced(by: Self.lookEvery))
        }
    }

    /// Returns when a sentinel works.
    /// - Throws: `InjectionError` when none comes up: nothing may be injected then.
    static func ensure(_ injector: Injector, directory: String, command: [String]) async throws {
        guard !presence(in: directory).isHeld else { return }
        try injector.spawner.start(command, log: directory + "/sentinel.log")
        let deadline = injector.clock.now().advanced(by: .seconds(20))
        while !presence(in: directory).isHeld {
            guard injector.clock.now() < deadline else {
                throw InjectionError("no sentinel keeps the leases")
            }
            try await injector.clock.sleep(until: injector.clock.now().advanced(by: .milliseconds(20)))
        }
    }
}
