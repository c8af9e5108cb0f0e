public import FaultLab
internal import Foundation

/// What an injector may hit, and how it reaches that: the file that an operator writes for it.
public struct TargetFile: Sendable, Hashable, Codable {
    /// A program that can be found, ended and started again by its command line.
    public struct Program: Sendable, Hashable, Codable {
        /// Path and arguments, exactly as the running process has them.
        public var command: [String]
        /// Where its output goes when it is started again; appended to.
        public var log: String?
        public var environment: [String: String]?

        public init(command: [String], log: String? = nil, environment: [String: String]? = nil) {
            self.command = command
            self.log = log
            self.environment = environment
        }
    }

    /// A connection that goes by way of a fault proxy.
    public struct Proxy: Sendable, Hashable, Codable {
        /// Base of its REST interface, such as `http://127.0.0.1:8474`.
        public var api: String
        public var names: [String]

        public init(api: String, names: [String]) {
            self.api = api
            self.names = names
        }
    }

    /// A PostgreSQL server beside the injector.
    public struct Database: Sendable, Hashable, Codable {
        public var dataDirectory: String
        /// Reaches it as a superuser; nil uses the socket of a private server.
        public var connection: String?
        /// The role that the controllers have.
        public var role: String?

        public init(dataDirectory: String, connection: String? = nil, role: String? = nil) {
            self.dataDirectory = dataDirectory
            self.connection = connection
            self.role = role
        }
    }

    /// A network interface of this machine, for an injector that may change it.
    public struct Interface: Sendable, Hashable, Codable {
        public var device: String
        /// As `ip netns` names it; nil for the injector's own.
        public var namespace: String?

        public init(device: String, namespace: String? = nil) {
            self.device = device
            self.namespace = namespace
        }
    }

    public struct Entry: Sendable, Hashable, Codable {
        public var target: FaultTarget
        public var hosts: [String]?
        public var labels: [String: String]?
        public var program: Program?
        /// State directories of the agents that run parts as processes here.
        public var agentStates: [String]?
        public var proxy: Proxy?
        public var database: Database?
        /// Directories that programs of the target were told to watch by `--fault-seam`.
        public var seams: [String]?
        /// Directory of a control group that holds the program; it is frozen where a signal would be seen.
        public var controlGroup: String?
        /// Hit by `tc`, in place of a proxy.
        public var interface: Interface?

        public init(
            target: FaultTarget, hosts: [String]? = nil, labels: [String: String]? = nil,
            program: Program? = nil, agentStates: [String]? = nil, proxy: Proxy? = nil,
            database: Database? = nil, seams: [String]? = nil, controlGroup: String? = nil,
            interface: Interface? = nil
        ) {
            self.target = target
            self.hosts = hosts
            self.labels = labels
            self.program = program
            self.agentStates = agentStates
            self.proxy = proxy
            self.database = database
            self.seams = seams
            self.controlGroup = controlGroup
            self.interface = interface
        }
    }

    public var targets: [Entry]

    public init(targets: [Entry]) { self.targets = targets }

    /// - Throws: `InjectionError` of a file that is missing, damaged or names a target twice.
    public static func read(_ path: String) throws -> TargetFile {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw InjectionError("\(path) cannot be read")
        }
        let file: TargetFile
        do {
            file = try JSONDecoder().decode(TargetFile.self, from: data)
        } catch {
            throw InjectionError("\(path): \(error)")
        }
        var seen: Set<FaultTarget> = []
        for entry in file.targets where !seen.insert(entry.target).inserted {
            throw InjectionError("\(path) names \(entry.target) twice")
        }
        return file
    }

    func entry(_ target: FaultTarget) -> Entry? { targets.first { $0.target == target } }

    /// As the control plane is told.
    public var offered: [InjectorTarget] {
        targets.map { entry in
            InjectorTarget(
                target: entry.target, hosts: entry.hosts ?? [], labels: entry.labels ?? [:],
                kinds: entry.kinds)
        }
    }
}

/// Why nothing was injected, or could not be taken back yet.
public struct InjectionError: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String

    public init(_ description: String) { self.description = description }

    static func system(_ call: String, _ path: String) -> InjectionError {
        InjectionError("\(call) \(path): errno \(errno)")
    }
}
