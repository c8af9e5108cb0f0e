/// What a workload runs where its host runs processes.
public struct RunSpec: Sendable, Hashable, Codable {
    /// The program and its arguments. A name is looked up in `PATH`; a relative path begins at the image.
    public var command: [String]
    public var env: [String: String]?
    /// Relative to the image, or absolute; the image, or else a directory of the part's own, when absent.
    public var workingDirectory: String?

    public init(command: [String], env: [String: String]? = nil, workingDirectory: String? = nil) {
        self.command = command
        self.env = env
        self.workingDirectory = workingDirectory
    }
}

/// Files that a workload needs on its host.
public struct ImageSpec: Sendable, Hashable, Codable {
    /// A directory or a tarball on the host, as an absolute path or a `file://` URL.
    public var source: String
    /// Of the tarball, 64 hex digits; required for one.
    public var sha256: String?

    public init(source: String, sha256: String? = nil) {
        self.source = source
        self.sha256 = sha256
    }

    /// The source as a path.
    public var path: String {
        source.hasPrefix("file://") ? String(source.dropFirst("file://".count)) : source
    }
}

/// What one part of a workload runs: the same for VMs, training jobs and serving deployments.
public struct PartTask: Sendable, Hashable, Codable {
    /// Without it the part idles until it is stopped.
    public var run: RunSpec?
    public var image: ImageSpec?
    /// How it is asked to end; SIGTERM and the host's own grace when absent.
    public var stop: StopRequest?

    public init(run: RunSpec? = nil, image: ImageSpec? = nil, stop: StopRequest? = nil) {
        self.run = run
        self.image = image
        self.stop = stop
    }
}

/// Signals that ask a program to end.
public enum StopSignal: String, Sendable, Hashable, ClosedWord {
    case term = "TERM"
    case interrupt = "INT"
    case user1 = "USR1"
    case user2 = "USR2"
}

/// How a part is asked to end.
public struct StopRequest: Sendable, Hashable, Codable {
    public var signal: StopSignal
    /// Between the signal and SIGKILL.
    public var graceSeconds: Int
    /// Runs on its host before the signal is sent, with the part's environment and `BASALT_PID`; nothing when
    /// absent.
    public var command: [String]?
    /// Seconds that it may take.
    public var commandSeconds: Int?

    public init(
        signal: StopSignal = .term, graceSeconds: Int, command: [String]? = nil, commandSeconds: Int? = nil
    ) {
        self.signal = signal
        self.graceSeconds = graceSeconds
        self.command = command
        self.commandSeconds = commandSeconds
    }
}

public enum RunLimit {
    /// Words of a command, and variables of an environment.
    public static let entries = 1024
    /// Bytes of all of them: every agent keeps them in its ledger, and Linux takes 128 KiB per word.
    public static let bytes = 65_536
}

extension RunSpec {
    func defects(at field: String) -> [FieldDefect] {
        var found: [FieldDefect] = []
        if (command.first ?? "").isEmpty {
            found.append(
                .init(field: "\(field).command", code: .required, message: "name the program to run"))
        }
        for (name, value) in (env ?? [:]).sorted(by: { $0.key < $1.key })
        where name.isEmpty || name.contains("=") || name.contains("\0") || value.contains("\0") {
            found.append(
                .init(
                    field: "\(field).env", code: .invalid,
                    message: "\"\(name)\" is no variable: names are not empty, without = and NUL"))
        }
        if command.contains(where: { $0.contains("\0") }) || workingDirectory?.contains("\0") == true {
            found.append(.init(field: "\(field).command", code: .invalid, message: "a NUL ends no word"))
        }
        if workingDirectory?.isEmpty == true {
            found.append(
                .init(field: "\(field).workingDirectory", code: .invalid, message: "the path is empty"))
        }
        let variables = (env ?? [:]).flatMap { [$0.key, $0.value] }
        let bytes = (command + variables).reduce(0) { $0 + $1.utf8.count }
        if command.count > RunLimit.entries || variables.count > 2 * RunLimit.entries
            || bytes > RunLimit.bytes
        {
            found.append(
                .init(
                    field: field, code: .outOfRange,
                    message: "above \(RunLimit.entries) words or variables, or \(RunLimit.bytes) bytes"))
        }
        return found
    }
}

extension ImageSpec {
    func defects(at field: String) -> [FieldDefect] {
        var found: [FieldDefect] = []
        if !path.hasPrefix("/") || path.contains("\0") {
            found.append(
                .init(
                    field: "\(field).source", code: .invalid,
                    message: "\"\(source)\" is neither an absolute path nor a file:// URL"))
        }
        if let sha256, sha256.utf8.count != 64 || !sha256.allSatisfy(\.isHexDigit) {
            found.append(.init(field: "\(field).sha256", code: .invalid, message: "write 64 hex digits"))
        }
        return found
    }
}
