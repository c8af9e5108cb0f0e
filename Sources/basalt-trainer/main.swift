internal import Foundation

// Trains nothing, and does all else that a rank does: takes its plan from the environment, keeps the time of
// its steps, puts its state on disk, goes on from there, and says how far it is.
do {
    let settings = try TrainerSettings(
        environment: ProcessInfo.processInfo.environment, arguments: CommandLine.arguments.dropFirst())
    var rank = try TrainerRank(settings, signals: StopSignals())
    exit(try rank.run())
} catch {
    FileHandle.standardError.write(Data("basalt-trainer: \(error)\n".utf8))
    exit(TrainerExit.refused)
}
