public import FaultLab
internal import Foundation
internal import Synchronization

/// What a program asks whether it shall do something wrong: the faults in a directory that it was told to
/// watch. Without `--fault-seam DIR` a program has none.
public final class FaultSeam: Sendable {
    /// Between two looks at the directory, microseconds: a call costs nothing in between.
    private static let lookEvery: Int64 = 20_000

    public let folder: SeamFolder
    private let bootID: String?
    private let now: @Sendable () -> Int64
    private let held: Int32
    private let seen = Mutex<(at: Int64, faults: [SeamFault])?>(nil)

    /// Watches a directory, which is made when absent, until it is let go of.
    ///
    /// - Parameters:
    ///   - bootID: of this boot; nil where the system names none, and every fault counts.
    ///   - now: microseconds of the clock that counts from the boot.
    /// - Throws: `FaultSeamError`, or that the directory cannot be made.
    public init(
        _ directory: String, bootID: String? = FaultSeam.currentBootID,
        now: @escaping @Sendable () -> Int64 = FaultSeam.uptime
    ) throws {
        folder = SeamFolder(directory)
        self.bootID = bootID
        self.now = now
        held = try folder.watch()
    }

    deinit { close(held) }

    /// What is said once, and loudly, by a program that has a seam.
    public static let warning =
        "this program does faults to itself on the word of the files in its fault seam: for tests alone"

    /// In force now.
    public func faults(_ kind: FaultKind) -> [SeamFault] {
        let now = now()
        let all = seen.withLock { seen -> [SeamFault] in
            if let seen, now >= seen.at, now - seen.at < Self.lookEvery { return seen.faults }
            let faults = folder.faults()
            seen = (now, faults)
            return faults
        }
        return all.filter { fault in
            fault.kind == kind && fault.deadline > now && (bootID == nil || fault.bootID == bootID)
        }
    }

    /// The first of a kind that is in force.
    public func fault(_ kind: FaultKind) -> SeamFault? { faults(kind).first }

    // MARK: The system's clock

    /// Microseconds from the boot, sleep included.
    public static let uptime: @Sendable () -> Int64 = {
        var time = timespec()
        #if os(Linux)
            let status = clock_gettime(CLOCK_BOOTTIME, &time)
        #else
            let status = clock_gettime(CLOCK_MONOTONIC, &time)
        #endif
        precondition(status == 0, "the clock cannot be read: errno \(errno)")
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    /// The kernel's id of this boot.
    public static var currentBootID: String? {
        guard let data = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") else {
            return nil
        }
        let text = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        return text.isEmpty ? nil : text
    }
}
