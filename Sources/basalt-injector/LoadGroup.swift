internal import ArgumentParser
internal import FaultInjection
internal import Foundation

/// What a fault runs beside its target; ends by itself.
struct LoadGroup: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Do harm for some time. Started by injectors.", shouldDisplay: false,
        subcommands: [Burn.self, CrashParts.self, HoldLock.self, HoldConnections.self])

    struct Burn: ParsableCommand {
        @Option var seconds: Double

        func run() { Loads.burn(seconds: seconds) }
    }

    struct CrashParts: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "crash-parts")
        @Option var agentState: [String]
        @Option var workload: String?
        @Option var every: Double
        @Option var seconds: Double

        func run() async throws {
            try await Loads.crashParts(
                agentStates: agentState, workload: workload, every: max(0.1, every), seconds: seconds)
        }
    }

    struct DatabaseOptions: ParsableArguments {
        @Option var dataDirectory: String
        @Option var connection: String?
        @Option var application: String
        @Option var seconds: Double

        var database: TargetFile.Database {
            TargetFile.Database(dataDirectory: dataDirectory, connection: connection)
        }
    }

    struct HoldLock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "hold-lock")
        @OptionGroup var options: DatabaseOptions
        @Option var table: String

        func run() async throws {
            try await Loads.holdLock(
                options.database, table: table, application: options.application, seconds: options.seconds)
        }
    }

    struct HoldConnections: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "hold-connections")
        @OptionGroup var options: DatabaseOptions

        func run() async throws {
            try await Loads.holdConnections(
                options.database, application: options.application, seconds: options.seconds)
        }
    }
}

/// The one place that writes to the terminal.
enum Console {
    static func write(_ text: String) { FileHandle.standardOutput.write(Data((text + "\n").utf8)) }
}
