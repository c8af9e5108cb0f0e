internal import AgentProtocol
internal import Fleet
internal import Foundation
internal import Shim

/// Makes what a shim is told from what the controllers said.
struct PartOrder {
    let configuration: ProcessConfiguration
    let bounds: ProcessBounds
    let bootID: String

    /// - Parameters:
    ///   - image: where the files of the part's image are.
    ///   - groups: control groups to join.
    func make(_ start: PartStart, path: String, image: String?, groups: [String]) throws -> ShimOrder {
        let directive = start.directive
        let work = "\(path)/\(PartFiles.work)"
        let run = directive.task?.run
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let base = image ?? work
        let directory = run?.workingDirectory.map { $0.hasPrefix("/") ? $0 : "\(base)/\($0)" } ?? base
        return ShimOrder(
            host: start.key.host, allocation: "\(start.key.allocation)",
            workload: "\(directive.workload.uid)", part: directive.workload.part,
            directive: String(decoding: try encoder.encode(directive), as: UTF8.self),
            command: run.map { Self.command($0, image: image) } ?? [configuration.shim, "idle"],
            environment: environment(directive, work: work, image: image), directory: directory,
            stopsOnPartition: directive.onPartition == .stop,
            stopSignal: directive.task?.stop?.signal.number ?? SIGTERM,
            graceMilliseconds: graceMilliseconds(directive),
            stopCommand: directive.task?.stop?.command.map {
                Self.command(RunSpec(command: $0), image: image)
            } ?? [],
            stopCommandMilliseconds: Int64(directive.task?.stop?.commandSeconds ?? 0) * 1000, groups: groups,
            addressSpace: bounds.method == .limits ? UInt64(directive.resources.memoryMiB) << 20 : 0,
            niceness: bounds.method == .limits ? ProcessBounds.Setting.niceness : 0,
            fence: ProcessLayout.fenceFromPart, hints: ProcessLayout.hintsFromPart, bootID: bootID,
            logBytes: Int64(configuration.logBytes), logFiles: configuration.logFiles)
    }

    private func graceMilliseconds(_ directive: PartDirective) -> Int64 {
        directive.task?.stop.map { Int64($0.graceSeconds) * 1000 } ?? configuration.grace.microseconds / 1000
    }

    /// A relative path begins at the image, wherever the command runs.
    private static func command(_ run: RunSpec, image: String?) -> [String] {
        guard let program = run.command.first, let image, program.contains("/"), !program.hasPrefix("/")
        else { return run.command }
        return ["\(image)/\(program)"] + run.command.dropFirst()
    }

    private func environment(_ directive: PartDirective, work: String, image: String?) -> [String] {
        let workload = directive.workload
        var variables = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": work,
            "BASALT_WORK_DIR": work, "BASALT_KIND": workload.kind.rawValue,
            "BASALT_PROJECT": workload.project, "BASALT_NAME": workload.name, "BASALT_PART": workload.part,
            "BASALT_DEVICES": directive.devices.joined(separator: ","),
            "BASALT_PROGRESS_FILE": "\(work)/\(PartProgressFile.name)",
        ]
        variables["BASALT_IMAGE_DIR"] = image
        variables.merge(directive.task?.run?.env ?? [:]) { $1 }
        // By this one leftovers are found: nobody may set it otherwise.
        variables[LeftoverProcesses.variable] = "\(directive.allocation)"
        return variables.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
    }
}

extension StopSignal {
    fileprivate var number: Int32 {
        switch self {
        case .term: SIGTERM
        case .interrupt: SIGINT
        case .user1: SIGUSR1
        case .user2: SIGUSR2
        }
    }
}
