internal import ArgumentParser
internal import Foundation
internal import Logging
internal import NodeAgent

/// Flags of where the agent learns how devices are.
struct DeviceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The kernel's log, or a file that stands for it; {host} is the host's name. /dev/kmsg when absent.",
            valueName: "file"))
    var kernelLog: String?
    @Option(
        help: ArgumentHelp(
            "JSON file of devices' counters in place of NVIDIA's library; {host} is the host's name.",
            valueName: "file"))
    var deviceCounters: String?
    @Option(help: ArgumentHelp("Time between two looks at devices.", valueName: "seconds"))
    var deviceSeconds = 5.0

    func validate() throws {
        guard deviceSeconds >= 0.1, deviceSeconds <= 3600 else {
            let nearest = min(max(deviceSeconds.isFinite ? deviceSeconds : 5, 0.1), 3600)
            throw ValidationError(
                "--device-seconds is \(deviceSeconds), outside 0.1 to 3600; the nearest is \(nearest)")
        }
    }

    /// - Parameters:
    ///   - isReal: the hosts are this machine: its own log and library are asked when no file is named.
    ///   - nvmlLibrary: the usual one when nil.
    func watch(
        _ inventory: any InventorySource, isReal: Bool, nvmlLibrary: String?, stateDirectory: String,
        clock: any AgentClock, logger: Logger
    ) throws -> DeviceHealthWatch? {
        guard isReal || kernelLog != nil || deviceCounters != nil else { return nil }
        let directory = stateDirectory + "/device-health"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let kernel: (any KernelLog)? = isReal && KernelMessages.isReadable ? KernelMessages() : nil
        let (logPath, counterPath) = (kernelLog, deviceCounters)
        if isReal, logPath == nil, kernel == nil {
            logger.warning("/dev/kmsg cannot be read: XIDs are not seen")
        }
        return DeviceHealthWatch(
            inventory: inventory,
            sources: { host in
                func path(_ pattern: String) -> String {
                    pattern.replacingOccurrences(of: "{host}", with: host)
                }
                return DeviceHealthWatch.Sources(
                    log: logPath.map { KernelLogFile(path: path($0)) } ?? kernel,
                    counters: counterPath.map { DeviceCounterFile(path: path($0)) }
                        ?? (isReal ? NVMLCounters(library: nvmlLibrary) : nil),
                    memory: .file("\(directory)/\(host).json"))
            },
            interval: .seconds(deviceSeconds), clock: clock, logger: logger)
    }
}
