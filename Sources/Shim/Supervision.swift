internal import CShim
internal import Glibc

/// One command from its start to the record of its end.
///
/// The part runs as long as anything that the command started does: when the command has ended, what is left
/// of its descendants is killed, as in a container whose first process ends.
struct Supervision {
    enum Timing {
        /// How often the fence deadline is looked up: shorter terms take effect within it.
        static let fenceMilliseconds: Int32 = 1000
        /// Between two rounds of killing descendants, which may have forked meanwhile.
        static let killMilliseconds: Int32 = 20
        /// Between two tries to note the end on a disk that takes nothing.
        static let recordMilliseconds: Int32 = 500
    }

    private struct Stop {
        var reason: String
        var killAt: Int64
    }

    /// A command that prepares the end of another.
    private struct Preparation {
        var process: Int32
        var until: Int64
        /// As `waitpid` gives it.
        var status: Int32?
    }

    private let order: ShimOrder
    private let journal: PartJournal
    private let signals: Int32
    private let control: Int32
    /// Read end of the command's output; negative once it is closed.
    private var output: Int32
    private let command: Int32
    private var log: OutputLog
    /// As `waitpid` gives it.
    private var commandStatus: Int32?
    private var stop: Stop?
    /// What runs before the command is asked to end.
    private var preparation: Preparation?
    /// What became of it, where that is worth a word.
    private var complaint: String?

    init(
        order: ShimOrder, journal: PartJournal, signals: Int32, control: Int32, output: Int32, command: Int32
    ) {
        self.order = order
        self.journal = journal
        self.signals = signals
        self.control = control
        self.output = output
        self.command = command
        log = OutputLog(pieceBytes: Int(order.logBytes), pieces: order.logFiles)
    }

    /// Returns when nothing runs any more and that is on disk.
    mutating func run() {
        while true {
            let isAlone = reap()
            if isAlone, commandStatus != nil { break }
            let now = ShimClock.now()
            holdFence(at: now)
            followPreparation(now)
            if commandStatus != nil || stop.map({ $0.killAt <= now }) == true { killAll() }
            wait(now)
        }
        let time = ShimClock.wallTime()
        drain()
        recordEnd(time)
    }

    // MARK: Waiting

    private mutating func wait(_ now: Int64) {
        var sources = [
            pollfd(fd: signals, events: Int16(POLLIN), revents: 0),
            pollfd(fd: control, events: Int16(POLLIN), revents: 0),
            pollfd(fd: output, events: Int16(POLLIN), revents: 0),
        ]
        poll(&sources, 3, timeout(now))
        while true {
            let signal = shim_next_signal(signals)
            if signal == 0 { break }
            // A machine that shuts down asks everybody.
            if signal != SIGCHLD { begin(Stop(reason: "directive", killAt: now + grace)) }
        }
        while let message = ShimSocket.receive(control) {
            if message == PartFiles.stopMessage { begin(Stop(reason: "directive", killAt: now + grace)) }
        }
        if sources[2].revents != 0 { readOutput() }
    }

    private var grace: Int64 { order.graceMilliseconds * 1000 }

    /// Milliseconds; negative for without end.
    private func timeout(_ now: Int64) -> Int32 {
        var timeout: Int32 = order.stopsOnPartition ? Timing.fenceMilliseconds : -1
        func shorten(_ value: Int64) {
            let milliseconds = Int32(clamping: max(0, value + 999) / 1000)
            timeout = timeout < 0 ? milliseconds : min(timeout, milliseconds)
        }
        if commandStatus != nil { shorten(Int64(Timing.killMilliseconds) * 1000) }
        if let stop {
            shorten(stop.killAt > now ? stop.killAt - now : Int64(Timing.killMilliseconds) * 1000)
        }
        if let preparation { shorten(preparation.until - now) }
        if let fence, fence.stopAt > now { shorten(fence.stopAt - now) }
        return timeout
    }

    /// Notes the command's end. Returns whether no descendant is left.
    private mutating func reap() -> Bool {
        while true {
            var status: Int32 = 0
            let child = waitpid(-1, &status, WNOHANG)
            if child == command { commandStatus = status }
            if child == preparation?.process { preparation?.status = status }
            if child < 0, errno != EINTR { return true }
            if child == 0 { return false }
        }
    }

    // MARK: Output

    /// Returns whether something was there.
    @discardableResult
    private mutating func readOutput() -> Bool {
        guard output >= 0 else { return false }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(output, &buffer, buffer.count)
        if count > 0 {
            log.append(buffer[..<count])
            return true
        }
        if count == 0 {
            close(output)
            output = -1
        }
        return false
    }

    /// All writers are gone, so this comes to an end.
    private mutating func drain() { while readOutput() {} }

    // MARK: Stopping

    /// The deadline as last read, on this boot's clock.
    private var fence: FenceDeadline?

    /// The file is read when the deadline that is known has passed, and once a second.
    private mutating func holdFence(at now: Int64) {
        guard order.stopsOnPartition else { return }
        // A file that cannot be read extends nothing.
        if let read = FenceDeadline.read(order.fence), read.bootID == order.bootID { fence = read }
        guard let fence, fence.stopAt <= now else { return }
        begin(Stop(reason: "fenced", killAt: fence.killAt))
    }

    /// The first reason stays; the time to kill only comes nearer.
    private mutating func begin(_ next: Stop) {
        guard let known = stop else {
            stop = next
            if next.reason == "directive", prepare() { return }
            kill(-command, order.stopSignal)
            return
        }
        stop?.killAt = min(known.killAt, next.killAt)
        // The deadline of a host leaves no time for anything else.
        if next.reason == "fenced", let preparation { endPreparation(preparation, "was cut short") }
    }

    /// Starts what is to run before the command is asked to end. Returns whether it runs.
    private mutating func prepare() -> Bool {
        guard !order.stopCommand.isEmpty, commandStatus == nil else { return false }
        var order = order
        order.command = order.stopCommand
        order.environment.append("BASALT_PID=\(command)")
        let output = open("/dev/null", O_WRONLY | O_CLOEXEC)
        defer { if output >= 0 { close(output) } }
        do throws(LaunchFailure) {
            let process = try order.launch(output: output)
            let until = ShimClock.now() + order.stopCommandMilliseconds * 1000
            preparation = Preparation(process: process, until: until)
            let killAt = until + grace
            stop?.killAt = killAt
            return true
        } catch {
            complaint = "the checkpoint command did not start: \(error.message)"
            return false
        }
    }

    /// Asks the command to end when what comes before it is over, or takes too long.
    private mutating func followPreparation(_ now: Int64) {
        guard let preparation else { return }
        if let status = preparation.status {
            let failed = status == 0 ? nil : "failed with \(Self.words(status))"
            endPreparation(preparation, failed)
        } else if preparation.until <= now {
            endPreparation(preparation, "took too long")
        }
    }

    private mutating func endPreparation(_ ended: Preparation, _ trouble: String?) {
        if ended.status == nil { kill(-ended.process, SIGKILL) }
        preparation = nil
        complaint = trouble.map { "the checkpoint command \($0)" }
        kill(-command, order.stopSignal)
        let killAt = min(stop?.killAt ?? .max, ShimClock.now() + grace)
        stop?.killAt = killAt
    }

    private static func words(_ status: Int32) -> String {
        let signal = status & 0x7F
        return signal == 0 ? "code \((status >> 8) & 0xFF)" : SignalName.of(signal)
    }

    private func killAll() {
        if commandStatus == nil { kill(-command, SIGKILL) }
        // Orphans come to this process, with those below them: round by round all are reached.
        for child in Self.children() { kill(child, SIGKILL) }
    }

    private static func children() -> [Int32] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var found: [Int32] = []
        let parent = getpid()
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let id = Int32(name), ProcessIdentity.parent(of: id) == parent { found.append(id) }
        }
        return found
    }

    // MARK: The end

    private var end: PartJournal.End {
        let status = commandStatus ?? 0
        let signal = status & 0x7F
        let code = signal == 0 ? (status >> 8) & 0xFF : 128 + signal
        let how = signal == 0 ? nil : "killed by \(SignalName.of(signal))"
        switch stop?.reason {
        case "fenced":
            return .init(
                isAsked: true, exitCode: code,
                message: "the fence deadline passed without a renewal of the lease")
        case .some:
            let message = [how ?? "ended when asked to", complaint].compactMap { $0 }.joined(separator: "; ")
            return .init(isAsked: true, exitCode: code, message: message)
        case nil: return .init(isAsked: false, exitCode: code, message: how ?? "ended by itself")
        }
    }

    /// Tries until the end is on disk: as long as this process lives, nobody takes the part for gone.
    private func recordEnd(_ time: String) {
        while true {
            do throws(ShimError) {
                try journal.recordStop(end, reason: stop?.reason ?? "exited", time: time)
                return order.hint()
            } catch {
                order.hint(problem: "ended, but that cannot be noted: \(error)")
            }
            poll(nil, 0, Timing.recordMilliseconds)
        }
    }
}

extension ShimOrder {
    /// Tells the agent that something changed; it may be away, and looks by itself from time to time.
    func hint(problem: String = "") {
        // why `try?`: a hint that is lost costs a second.
        try? ShimSocket.send("\(allocation) \(problem)", to: hints)
    }
}
