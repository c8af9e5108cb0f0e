internal import ArgumentParser
internal import Client
internal import Fleet
internal import Foundation
internal import Replay

struct DemoCommand: BasaltCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Runs a whole simulated fleet on this machine, and breaks it half-way.",
        discussion: """
            A private Postgres, two controllers and four agents run as processes. A real VM trace is replayed \
            through the REST API; half-way one controller and one agent are killed. The end is a check of the \
            invariants and a summary; then everything stays up until Ctrl-C.
            """)

    @Option(help: "Trace to replay; the sample that comes with the source when absent.") var trace: String?
    @Option(help: "Hosts of the fleet.") var hosts = 300
    @Option(help: "Seconds that the arrivals of the trace are replayed in.") var seconds = 90.0
    @Option(help: "Directory of data and logs; a new one when absent.") var directory: String?
    @Flag(help: "End by itself; the exit status tells whether every check and count was right.") var once =
        false
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (40...10_000).contains(hosts) else {
            throw ValidationError("--hosts must be between 40 and 10000")
        }
        guard (5...3600).contains(seconds) else {
            throw ValidationError("--seconds must be between 5 and 3600")
        }
    }

    func run(in surroundings: Surroundings) async throws -> ExitStatus {
        let programs = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        let id = surroundings.seams.ids.next().uuidString.lowercased().suffix(8)
        let place =
            directory ?? FileManager.default.temporaryDirectory.appending(path: "basalt-demo-\(id)").path
        guard !FileManager.default.fileExists(atPath: place + "/data") else {
            throw CommandFailure("\(place) holds an earlier demonstration; name another directory")
        }
        let demo = Demo(
            options: .init(hosts: hosts, seconds: seconds, directory: place, programs: programs.path),
            trace: try VMTraceReader().read(.file(path: try trace ?? Self.sample(near: programs))),
            fleet: DemoFleet(hosts: hosts), surroundings: surroundings)
        let stays = !once
        let summary = try await demo.run { summary, addresses in
            output.show(try summary.presentation, surroundings)
            guard stays else { return }
            surroundings.console.writeError(
                """
                demo: the control plane stays up until Ctrl-C. From another shell:
                  export BASALT_SERVER=\(addresses.joined(separator: ",")) \\
                    BASALT_TOKEN_FILE=\(place)/data/admin.token BASALT_CA=\(place)/data/tls/ca.pem
                  basalt top

                """)
            do {
                while true { try await surroundings.seams.sleep(.seconds(3600)) }
            } catch is CancellationError {
                // Ctrl-C is the normal end.
            }
        }
        if summary.failures.isEmpty, directory == nil {
            try FileManager.default.removeItem(atPath: place)
        }
        return summary.failures.isEmpty ? .done : .failed
    }

    /// The sample in the source tree that the program was built in, or beside an installed one.
    private static func sample(near programs: URL) throws -> String {
        var places = [programs.appending(path: "../share/basalt/azure-v1-sample.csv").path]
        var directory = programs
        while directory.path != "/" {
            places.append(directory.appending(path: "Benchmarks/traces/azure-v1-sample.csv").path)
            directory.deleteLastPathComponent()
        }
        guard let found = places.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw CommandFailure("the sample trace was not found; name one with --trace")
        }
        return found
    }
}
