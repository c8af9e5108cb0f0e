internal import CShim
internal import Glibc

/// The program `basalt-shim`.
///
/// `basalt-shim run DIR`, with the part's locked and empty journal as descriptor 3, runs the order in `DIR`
/// and returns when nothing of it runs any more. `basalt-shim idle` waits for a signal.
public enum ShimProgram {
    /// Exit statuses after `sysexits.h`. In all but `done` nothing ran and nothing runs.
    package enum Status: Int32 {
        case done = 0
        case usage = 64
        /// The order cannot be read, or another start of the part is on record.
        case refused = 65
        case system = 71
        /// The start cannot be noted, so it did not happen.
        case unrecorded = 73
    }

    public static func run(_ arguments: [String]) -> Int32 {
        switch (arguments.first, arguments.count) {
        case ("idle", 1):
            while true { pause() }
        case ("run", 2): return begin(in: arguments[1]).rawValue
        default:
            complain("usage: basalt-shim run DIR | basalt-shim idle")
            return Status.usage.rawValue
        }
    }

    private static func begin(in directory: String) -> Status {
        guard chdir(directory) == 0 else {
            complain("chdir \(directory): \(String(cString: strerror(errno)))")
            return .system
        }
        do throws(ShimError) {
            return try begin()
        } catch {
            complain("\(error)")
            return error.operation.contains(PartFiles.journal) ? .unrecorded : .system
        }
    }

    private static func begin() throws(ShimError) -> Status {
        // Neither the agent's end nor a signal to its group or terminal reaches a shim.
        setsid()
        shim_close_from(UInt32(PartFiles.journalDescriptor) + 1)
        guard fcntl(PartFiles.journalDescriptor, F_SETFD, FD_CLOEXEC) == 0 else {
            throw .last("\(PartFiles.journal) is not inherited")
        }
        guard let order = ShimOrder(try Files.read(PartFiles.order)), !order.command.isEmpty else {
            complain("the order makes no sense")
            return .refused
        }
        let journal = PartJournal(order: order, descriptor: PartFiles.journalDescriptor)
        guard try journal.isEmpty() else {
            complain("the part was started before")
            return .refused
        }
        guard shim_become_subreaper() == 0 else { throw .last("prctl") }
        signal(SIGPIPE, SIG_IGN)
        // A file that grows past its limit is an error to handle, no reason to die.
        signal(SIGXFSZ, SIG_IGN)
        let signals = shim_signal_descriptor()
        guard signals >= 0 else { throw .last("signalfd") }
        let control = try ShimSocket.bind(PartFiles.control)
        guard let (command, output) = try start(order, journal) else { return .done }
        var supervision = Supervision(
            order: order, journal: journal, signals: signals, control: control, output: output,
            command: command)
        supervision.run()
        return .done
    }

    /// Starts the command, or notes why it cannot.
    private static func start(
        _ order: ShimOrder, _ journal: PartJournal
    ) throws(ShimError) -> (command: Int32, output: Int32)? {
        func fail(_ message: String, exitCode: Int32? = nil) throws(ShimError) {
            try journal.recordStop(
                .init(isAsked: false, exitCode: exitCode, message: message), reason: "startFailed",
                time: ShimClock.wallTime())
            order.hint()
        }
        if order.stopsOnPartition {
            let fence = FenceDeadline.read(order.fence)
            guard let fence, fence.bootID == order.bootID, fence.stopAt > ShimClock.now() else {
                try fail("the fence deadline has passed")
                return nil
            }
        }
        try journal.recordStart()
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0, ends.allSatisfy({ fcntl($0, F_SETFD, FD_CLOEXEC) == 0 }),
            fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0
        else {
            try fail("\(ShimError.last("pipe"))")
            return nil
        }
        defer { close(ends[1]) }
        let command: Int32
        do throws(LaunchFailure) {
            command = try order.launch(output: ends[1])
        } catch {
            try fail(error.message, exitCode: error.exitCode)
            return nil
        }
        do throws(ShimError) {
            try record(command, order)
        } catch {
            // What cannot be named cannot be adopted.
            kill(-command, SIGKILL)
            var status: Int32 = 0
            waitpid(command, &status, 0)
            try fail("the process cannot be noted: \(error)")
            return nil
        }
        order.hint()
        return (command, ends[0])
    }

    private static func record(_ command: Int32, _ order: ShimOrder) throws(ShimError) {
        guard let shim = ProcessIdentity(of: getpid()) else { throw .last("read /proc/self/stat") }
        // A command that has ended by now leaves a zombie, which has no identity: 0 never matches.
        let identity =
            ProcessIdentity(of: command) ?? ProcessIdentity(processID: command, startTicks: 0)
        let record = ProcessRecord(bootID: order.bootID, shim: shim, command: identity)
        try Files.replace(PartFiles.process, with: Array(record.text.utf8))
    }

    private static func complain(_ message: String) {
        let line = Array("basalt-shim: \(message)\n".utf8)
        // why no check: there is nobody else to tell.
        _ = write(2, line, line.count)
    }
}
