/// Where a router sends the requests of one serving deployment: one version of it, never changed.
public struct ServingRoutes: Sendable, Hashable, Codable {
    /// Which phases of a request a replica serves.
    public enum Role: String, Sendable, Hashable, Codable, CaseIterable { case prefill, decode, both }

    /// A running engine.
    public struct Replica: Sendable, Hashable, Codable {
        /// Such as `g1`; unique in a version.
        public var name: String
        /// `HOST:PORT` on which the engine speaks HTTP.
        public var address: String
        public var role: Role
        /// Requests that it takes at once; nil is no limit of the router's.
        public var slots: Int?

        public init(name: String, address: String, role: Role, slots: Int? = nil) {
            self.name = name
            self.address = address
            self.role = role
            self.slots = slots
        }
    }

    /// What goes to one pair of replicas.
    public struct Pair: Sendable, Hashable, Codable {
        /// Replica that reads the prompt.
        public var prefill: String
        /// Replica that writes the answer; the same one where it does both.
        public var decode: String
        /// Beside the weights of the other pairs; above 0.
        public var weight: Double

        public init(prefill: String, decode: String, weight: Double) {
            self.prefill = prefill
            self.decode = decode
            self.weight = weight
        }
    }

    /// Raised when the database was restored.
    public var epoch: Int
    /// Grows with every change within an epoch.
    public var version: Int
    /// Model that the engines were started with.
    public var model: String
    public var replicas: [Replica]
    public var pairs: [Pair]

    public init(epoch: Int = 1, version: Int, model: String, replicas: [Replica], pairs: [Pair]) {
        self.epoch = epoch
        self.version = version
        self.model = model
        self.replicas = replicas
        self.pairs = pairs
    }

    /// Whether it replaces another one. A controller that lags behind brings nobody back to older routes.
    public func replaces(_ other: ServingRoutes) -> Bool {
        (epoch, version) > (other.epoch, other.version)
    }
}

extension ServingRoutes {
    /// Replicas and pairs that one version may hold.
    public static let limit = 4096

    /// Everything that keeps a router from following it.
    public func defects() -> [FieldDefect] {
        guard replicas.count <= Self.limit, pairs.count <= Self.limit else {
            return [
                .init(
                    field: "replicas", code: .outOfRange,
                    message: "\(replicas.count) replicas and \(pairs.count) pairs; the limit is \(Self.limit)"
                )
            ]
        }
        var found: [FieldDefect] = []
        var roles: [String: Role] = [:]
        for (index, replica) in replicas.enumerated() {
            found += defects(of: replica, at: "replicas[\(index)]")
            if roles.updateValue(replica.role, forKey: replica.name) != nil {
                found.append(
                    .init(
                        field: "replicas[\(index)].name", code: .conflict,
                        message: "\"\(replica.name)\" is there twice"))
            }
        }
        for (index, pair) in pairs.enumerated() {
            found += defects(of: pair, at: "pairs[\(index)]", roles)
        }
        return found
    }

    private func defects(of replica: Replica, at field: String) -> [FieldDefect] {
        var found: [FieldDefect] = []
        if replica.name.isEmpty {
            found.append(.init(field: "\(field).name", code: .required, message: "name the replica"))
        }
        if ReplicaAddress(replica.address) == nil {
            found.append(
                .init(
                    field: "\(field).address", code: .invalid,
                    message: "\"\(replica.address)\" is not HOST:PORT, such as 10.0.0.7:8000"))
        }
        if let slots = replica.slots, slots < 1 {
            found.append(
                .init(field: "\(field).slots", code: .outOfRange, message: "\(slots) is below 1"))
        }
        return found
    }

    private func defects(of pair: Pair, at field: String, _ roles: [String: Role]) -> [FieldDefect] {
        var found: [FieldDefect] = []
        for (side, name, other) in [
            ("prefill", pair.prefill, Role.decode), ("decode", pair.decode, Role.prefill),
        ] {
            guard let role = roles[name] else {
                found.append(
                    .init(field: "\(field).\(side)", code: .notFound, message: "no replica \"\(name)\""))
                continue
            }
            if role == other {
                found.append(
                    .init(
                        field: "\(field).\(side)", code: .conflict,
                        message: "\"\(name)\" has the role \(role.rawValue)"))
            }
        }
        if !(pair.weight > 0) || !pair.weight.isFinite {
            found.append(
                .init(
                    field: "\(field).weight", code: .outOfRange,
                    message: "\(pair.weight); leave out what gets nothing"))
        }
        return found
    }
}

/// Where an engine listens.
public struct ReplicaAddress: Sendable, Hashable {
    public var host: String
    public var port: Int

    /// - Returns: nil for text that is not `HOST:PORT` or `[IPV6]:PORT`.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        let isWord = host.allSatisfy { $0.isASCII && !$0.isWhitespace && !"/?#@[]".contains($0) }
        guard !host.isEmpty, isWord else { return nil }
        self.host = String(host)
        self.port = port
    }
}
