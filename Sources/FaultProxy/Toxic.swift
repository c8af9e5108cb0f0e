internal import Foundation

/// Something bad that a proxy does to one direction of its connections: as toxiproxy has it, so that its
/// clients work unchanged.
public struct Toxic: Sendable, Hashable, Codable {
    public enum Kind: String, Sendable, Hashable, CaseIterable, Codable {
        /// Every byte is late by `latency` ± `jitter` milliseconds.
        case latency
        /// At most `rate` KiB in a second.
        case bandwidth
        /// Nothing passes; the connection closes after `timeout` milliseconds, or when the toxic is removed
        /// where that is 0.
        case timeout
        /// The connection closes `delay` milliseconds late.
        case slowClose = "slow_close"
        /// The connection is reset after `timeout` milliseconds.
        case resetPeer = "reset_peer"
        /// The connection closes after `bytes`.
        case limitData = "limit_data"
        /// What is sent comes in pieces of `average_size` ± `size_variation` bytes, `delay` microseconds
        /// apart.
        case slicer
    }

    public enum Stream: String, Sendable, Hashable, CaseIterable, Codable { case upstream, downstream }

    public var name: String
    public var type: Kind
    public var stream: Stream
    /// Share of the connections that it is done to, 0 to 1.
    public var toxicity: Double
    public var attributes: [String: Int]

    public init(
        name: String, type: Kind, stream: Stream, toxicity: Double = 1, attributes: [String: Int] = [:]
    ) {
        self.name = name
        self.type = type
        self.stream = stream
        self.toxicity = toxicity
        self.attributes = attributes
    }

    private enum Key: String, CodingKey { case name, type, stream, toxicity, attributes }

    /// Name and stream may be left out, as toxiproxy allows.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        type = try container.decode(Kind.self, forKey: .type)
        stream = try container.decodeIfPresent(Stream.self, forKey: .stream) ?? .downstream
        name =
            try container.decodeIfPresent(String.self, forKey: .name) ?? "\(type.rawValue)_\(stream.rawValue)"
        toxicity = try container.decodeIfPresent(Double.self, forKey: .toxicity) ?? 1
        attributes = try container.decodeIfPresent([String: Int].self, forKey: .attributes) ?? [:]
    }

    subscript(attribute: String) -> Int { max(0, attributes[attribute] ?? 0) }
}

/// Where a proxy listens and where it leads to, with its toxics.
public struct ProxyDescription: Sendable, Hashable, Codable {
    public var name: String
    /// `HOST:PORT`; port 0 takes a free one.
    public var listen: String
    /// `HOST:PORT`, or `unix:PATH` of a socket.
    public var upstream: String
    public var enabled: Bool
    public var toxics: [Toxic]

    public init(
        name: String, listen: String, upstream: String, enabled: Bool = true, toxics: [Toxic] = []
    ) {
        self.name = name
        self.listen = listen
        self.upstream = upstream
        self.enabled = enabled
        self.toxics = toxics
    }

    private enum Key: String, CodingKey { case name, listen, upstream, enabled, toxics }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        name = try container.decode(String.self, forKey: .name)
        listen = try container.decodeIfPresent(String.self, forKey: .listen) ?? "127.0.0.1:0"
        upstream = try container.decode(String.self, forKey: .upstream)
        enabled = try container.decodeIfPresent(Bool.self, forKey: .enabled) ?? true
        toxics = try container.decodeIfPresent([Toxic].self, forKey: .toxics) ?? []
    }
}
