internal import ArgumentParser
internal import Foundation
internal import NodeAgent

/// Flags of an agent that runs parts as processes of its machine.
struct ProcessOptions: ParsableArguments {
    enum Substrate: String, ExpressibleByArgument, CaseIterable {
        case observe, process
    }

    @Option(
        help: ArgumentHelp(
            "observe shows this machine and runs nothing; process runs workloads as its processes.",
            valueName: "observe|process"))
    var substrate = Substrate.observe
    @Option(
        help: ArgumentHelp(
            "Path of basalt-shim; beside basalt-agent when absent.", valueName: "file"))
    var shim: String?
    @Option(
        help: ArgumentHelp(
            "Between SIGTERM and SIGKILL of a workload that is to stop.", valueName: "seconds"))
    var graceSeconds = 10
    @Option(help: ArgumentHelp("Size of one piece of a workload's output.", valueName: "MiB"))
    var logMebibytes = 16
    @Option(help: ArgumentHelp("Pieces of a workload's output that are kept.", valueName: "count"))
    var logFiles = 4
    @Option(help: ArgumentHelp("Starts under way at once.", valueName: "count"))
    var parallelStarts = 8

    @Flag(
        help: """
            Guard the cores of this machine: while they do not suffice the host takes no more VMs. Without it \
            use is only measured.
            """)
    var guardCores = false

    @Option(
        help: ArgumentHelp(
            "NVIDIA's management library; the loader's libnvidia-ml.so.1 when absent.", valueName: "file"))
    var nvmlLibrary: String?

    func inventory(
        name: String?, stateDirectory: String, substrate: String = SubstrateName.observe,
        labels: [String: String] = [:]
    ) -> MachineInventory {
        MachineInventory(
            name: name, substrate: substrate, labels: labels, nvmlLibrary: nvmlLibrary,
            deviceFile: stateDirectory + "/devices.json")
    }

    func validate() throws {
        let rules = [
            ("--grace-seconds", graceSeconds, 0...3600), ("--log-mebibytes", logMebibytes, 1...65_536),
            ("--log-files", logFiles, 1...1000), ("--parallel-starts", parallelStarts, 1...256),
        ]
        for (flag, value, range) in rules where !range.contains(value) {
            let nearest = min(max(value, range.lowerBound), range.upperBound)
            throw ValidationError(
                "\(flag) is \(value), outside \(range.lowerBound) to \(range.upperBound); "
                    + "the nearest is \(nearest)")
        }
    }

    /// - Parameters:
    ///   - directory: of the substrate.
    ///   - host: name of this machine.
    func configuration(directory: String, host: String) throws -> ProcessConfiguration {
        let program = shim ?? Self.neighbour
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw ValidationError("no program at \(program): give --shim FILE")
        }
        return ProcessConfiguration(
            directory: directory, host: host, shim: program, grace: .seconds(graceSeconds),
            logBytes: logMebibytes << 20, logFiles: logFiles, parallelStarts: parallelStarts)
    }

    private static var neighbour: String {
        // why `try?`: without /proc the name that the program was called by is all there is.
        let own =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: own).deletingLastPathComponent().appending(path: "basalt-shim").path
    }
}
