internal import AgentProtocol
internal import Fleet
internal import Foundation
public import Logging
internal import Shim
internal import Synchronization

extension ProcessSubstrate {
    /// Opens what is kept in the directory, and adopts what runs.
    /// - Throws: `JournalError`, code `locked` when another substrate has it open; what Foundation throws.
    public static func open(
        _ configuration: ProcessConfiguration, clock: any AgentClock, logger: Logger
    ) throws -> ProcessSubstrate {
        var configuration = configuration
        configuration.directory = URL(fileURLWithPath: configuration.directory).standardizedFileURL.path
        let layout = ProcessLayout(root: configuration.directory)
        try layout.makeDirectories()
        let (archive, _) = try JournalFile.open(path: layout.archive)
        try ImageStore(directory: layout.images).removeDrafts()
        let bounds = ProcessBounds.probe(instance: instance(configuration.directory))
        let substrate = ProcessSubstrate(
            configuration: configuration, clock: clock, bounds: bounds, archive: archive,
            hints: try bindHints(layout), logger: logger)
        substrate.state.withLock { $0.fence = FenceDeadline.read(layout.fence) }
        try substrate.adopt()
        return substrate
    }

    /// Names the control groups of this directory: the same after every start.
    private static func instance(_ directory: String) -> String {
        String(StableHash.of(Array(directory.utf8)), radix: 16)
    }

    private static func bindHints(_ layout: ProcessLayout) throws -> Int32 {
        let descriptor = Foundation.open(layout.root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw JournalError.system("open", layout.root) }
        defer { close(descriptor) }
        // By way of a descriptor: the path may be longer than an address can be.
        let name = layout.hints.split(separator: "/").last ?? ""
        return try ShimSocket.bind("/proc/self/fd/\(descriptor)/\(name)")
    }

    private func adopt() throws {
        for (allocation, path) in try layout.partDirectories() {
            let directory = PartDirectory(path: path)
            do {
                let manifest = try directory.readManifest()
                let part = ProcessPart(
                    key: PartKey(host: manifest.host, allocation: allocation),
                    directive: manifest.directive, state: .starting, stage: .launched)
                try adopt(part, directory)
            } catch {
                // Nothing is deleted for being strange, and one part must not hold up the others.
                logger.error(
                    "a part cannot be adopted",
                    metadata: ["allocation.id": "\(allocation)", "error": "\(error)"])
            }
        }
    }

    private func adopt(_ part: ProcessPart, _ directory: PartDirectory) throws {
        let allocation = part.key.allocation
        // In this order: a shim writes the end before it lets go.
        let isWatched = try directory.isWatched
        let progress = try directory.progress()
        state.withLock { $0.parts[allocation] = part }
        switch progress {
        case .ended(let end):
            state.withLock { $0.parts[allocation]?.state = .ended(end) }
        case .running where isWatched:
            state.withLock { $0.parts[allocation]?.state = .running }
            try archive.append(
                try JournalLines.encode([part.record(.adopt, .restart, at: clock.wallTime())]), durable: true)
        case .untouched where !isWatched:
            // The order may be outdated: the part may have been given to another host since.
            let message = "never started: the agent ended before"
            end(allocation, PartEnd(outcome: .failed, message: message), .startFailed)
        case .begun where !isWatched, .running where !isWatched: buryEarlier(part, directory)
        case .untouched, .begun, .running: break
        }
    }

    /// A part whose shim ended while no agent was there.
    private func buryEarlier(_ part: ProcessPart, _ directory: PartDirectory) {
        let allocation = part.key.allocation
        guard let record = directory.processRecord, record.bootID != clock.bootID else {
            return bury(allocation)
        }
        // Nothing outlived the boot. When it ended nobody saw: it ran at the last renewal at the latest that
        // is known.
        let fence = state.withLock { $0.fence }
        // why `try?`: without the records the time is the present one.
        let began = (try? directory.records())?.first { $0.event == .start }?.time
        let seen = fence.flatMap { $0.bootID == record.bootID ? Timestamp(microseconds: $0.writtenAt) : nil }
        let time = [began, seen].compactMap { $0 }.max()
        end(
            allocation, PartEnd(outcome: .failed, message: "the machine was started anew"), .exited,
            at: time)
    }
}
