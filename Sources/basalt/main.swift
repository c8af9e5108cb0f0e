import Client
import CommandLine
import Foundation
import ProgramShell
import UnixSignals

/// What a process of a shell has: its streams, its clocks, its signals.
func surroundings() -> Surroundings {
    let start = ContinuousClock.now
    return Surroundings(
        environment: ProcessInfo.processInfo.environment, console: console(),
        readInput: {
            String(decoding: try FileHandle.standardInput.readToEnd() ?? Data(), as: UTF8.self)
        },
        readLine: { isatty(STDIN_FILENO) == 1 ? readLine() : nil }, now: SystemSeams.now,
        uptime: { ContinuousClock.now - start },
        seams: ClientSeams(
            sleep: SystemSeams.sleep, random: SystemSeams.random, ids: SystemSeams.ids))
}

func console() -> Console {
    var size = winsize()
    let isSized = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return Console(
        write: { write($0, to: .standardOutput) }, writeError: { write($0, to: .standardError) },
        outputIsTerminal: isatty(STDOUT_FILENO) == 1, errorIsTerminal: isatty(STDERR_FILENO) == 1,
        width: isSized ? Int(size.ws_col) : nil)
}

/// A reader that went away, as in `basalt get vms | head -1`, ends the program quietly.
@Sendable func write(_ text: String, to handle: FileHandle) {
    do { try handle.write(contentsOf: Data(text.utf8)) } catch { exit(ExitStatus.failed.rawValue) }
}

/// Time that a command has to wind down after the first signal.
let grace = Duration.seconds(15)

/// Runs the command; an interrupt cancels it.
func cancellable(
    _ runner: CommandRunner, _ arguments: [String], _ interrupts: AsyncStream<Void>
) async -> ExitStatus {
    await withTaskGroup(of: ExitStatus?.self) { group in
        group.addTask { await runner.run(arguments) }
        group.addTask {
            for await _ in interrupts { break }
            return nil
        }
        guard let first = await group.next() else { return .failed }
        group.cancelAll()
        if let ended = first { return ended }
        // The command says itself how it ended, when it winds down in time.
        return await group.next().flatMap { $0 } ?? .interrupted
    }
}

/// Ends the program when the command has not wound down within the grace after a signal.
func endAfterGrace(_ signalled: AsyncStream<Void>) async {
    for await _ in signalled { break }
    // why: cancelled means that the command has ended
    try? await Task.sleep(for: grace)
    if !Task.isCancelled { exit(ExitStatus.interrupted.rawValue) }
}

/// Runs the command until it ends. The first signal cancels it; a second, or the end of the grace, ends the
/// program wherever it is.
func run(_ runner: CommandRunner, _ arguments: [String]) async -> ExitStatus {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    let (interrupts, interrupt) = AsyncStream.makeStream(of: Void.self)
    let (signalled, signal) = AsyncStream.makeStream(of: Void.self)
    return await withTaskGroup(of: ExitStatus?.self) { group in
        group.addTask { await cancellable(runner, arguments, interrupts) }
        group.addTask {
            var isFirst = true
            for await _ in signals {
                guard isFirst else { exit(ExitStatus.interrupted.rawValue) }
                isFirst = false
                interrupt.yield()
                signal.yield()
            }
            return nil
        }
        group.addTask {
            await endAfterGrace(signalled)
            return nil
        }
        let first = await group.next().flatMap { $0 }
        group.cancelAll()
        return first ?? .failed
    }
}

let status = await run(CommandRunner(surroundings()), Array(ProcessInfo.processInfo.arguments.dropFirst()))
exit(status.rawValue)
