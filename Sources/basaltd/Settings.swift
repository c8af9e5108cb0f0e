internal import API
internal import Fleet
internal import Foundation
internal import Yams

/// Settings of the daemon: one YAML file, overridden by `BASALTD_…` variables, overridden by flags.
struct Settings: Codable, Equatable {
    /// Address and port of the API.
    var listen = "127.0.0.1:7443"
    /// `postgresql://` URI or libpq keywords; absent with a private cluster.
    var database: String?
    /// Keys, certificates and the private cluster of development.
    var dataDirectory: String?
    var tlsCertificate: String?
    var tlsKey: String?
    /// Name in leases and logs; the host's name and the process id when absent.
    var name: String?
    /// Host lease in seconds; the other terms keep their ratios to it.
    var hostLeaseSeconds = 30.0
    /// Lease of a cell in seconds: how long a dead controller blocks its cells.
    var cellLeaseSeconds = 6.0
    /// How fast fleet time runs; above 1 on a development control plane only.
    var fleetRate: Double?
    var logLevel = "info"
    /// Requests per second of one user token, and how many at once after a pause.
    var tokenRequestsPerSecond = TrafficLimits().token.perSecond
    var tokenRequestBurst = TrafficLimits().token.burst
    /// The same of one agent session.
    var agentRequestsPerSecond = TrafficLimits().agentSession.perSecond
    var agentRequestBurst = TrafficLimits().agentSession.burst
    /// The same of one address, authenticated or not.
    var addressRequestsPerSecond = TrafficLimits().address.perSecond
    var addressRequestBurst = TrafficLimits().address.burst
    /// Connections at once.
    var maxConnections = TrafficLimits().connections
    var migrations: String?

    /// - Throws: `SettingsError` naming file, key and value.
    static func read(file: String?, environment: [String: String]) throws -> Settings {
        var settings = try file.map(read(file:)) ?? Settings()
        try settings.override(environment)
        return settings
    }

    private static func read(file: String) throws -> Settings {
        // why: one message for all causes
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw SettingsError("\(file): cannot be read")
        }
        let keys = try fields()
        let loaded: Any?
        do {
            loaded = try Yams.load(yaml: text)
        } catch {
            throw SettingsError("\(file): not YAML: \(error)")
        }
        guard let loaded else { return Settings() }
        guard let members = loaded as? [String: Any] else {
            throw SettingsError("\(file): must be a mapping of settings")
        }
        for key in members.keys.sorted() where !keys.contains(key) {
            let nearest = NearestChoice.of(key, among: keys).map { "; did you mean \"\($0)\"?" } ?? ""
            throw SettingsError("\(file): \"\(key)\" is not a setting\(nearest)")
        }
        do {
            return try YAMLDecoder().decode(Partial.self, from: text).settings
        } catch let error as DecodingError {
            throw SettingsError("\(file): \(error.localizedDescription)")
        }
    }

    private static func fields() throws -> [String] {
        Mirror(reflecting: Settings()).children.compactMap(\.label).sorted()
    }

    /// The file's form: every key may be absent.
    private struct Partial: Decodable {
        var listen, database, dataDirectory, tlsCertificate, tlsKey, name, logLevel, migrations: String?
        var hostLeaseSeconds, cellLeaseSeconds, fleetRate: Double?
        var tokenRequestsPerSecond, tokenRequestBurst, agentRequestsPerSecond, agentRequestBurst: Double?
        var addressRequestsPerSecond, addressRequestBurst: Double?
        var maxConnections: Int?

        var settings: Settings {
            var settings = Settings()
            settings.listen = listen ?? settings.listen
            settings.database = database
            settings.dataDirectory = dataDirectory
            settings.tlsCertificate = tlsCertificate
            settings.tlsKey = tlsKey
            settings.name = name
            settings.logLevel = logLevel ?? settings.logLevel
            settings.migrations = migrations
            settings.hostLeaseSeconds = hostLeaseSeconds ?? settings.hostLeaseSeconds
            settings.cellLeaseSeconds = cellLeaseSeconds ?? settings.cellLeaseSeconds
            settings.fleetRate = fleetRate
            limit(&settings)
            return settings
        }

        private func limit(_ settings: inout Settings) {
            func take<Value>(_ value: Value?, _ path: WritableKeyPath<Settings, Value>) {
                if let value { settings[keyPath: path] = value }
            }
            take(tokenRequestsPerSecond, \.tokenRequestsPerSecond)
            take(tokenRequestBurst, \.tokenRequestBurst)
            take(agentRequestsPerSecond, \.agentRequestsPerSecond)
            take(agentRequestBurst, \.agentRequestBurst)
            take(addressRequestsPerSecond, \.addressRequestsPerSecond)
            take(addressRequestBurst, \.addressRequestBurst)
            take(maxConnections, \.maxConnections)
        }
    }

    private mutating func override(_ environment: [String: String]) throws {
        listen = environment["BASALTD_LISTEN"] ?? listen
        database = environment["BASALTD_DATABASE"] ?? database
        dataDirectory = environment["BASALTD_DATA_DIRECTORY"] ?? dataDirectory
        logLevel = environment["BASALTD_LOG_LEVEL"] ?? logLevel
        migrations = environment["BASALTD_MIGRATIONS"] ?? migrations
    }

    /// - Throws: `SettingsError` when nobody could follow them.
    func trafficLimits() throws -> TrafficLimits {
        var limits = TrafficLimits()
        limits.token = RateLimit(perSecond: tokenRequestsPerSecond, burst: tokenRequestBurst)
        limits.agentSession = RateLimit(perSecond: agentRequestsPerSecond, burst: agentRequestBurst)
        limits.address = RateLimit(perSecond: addressRequestsPerSecond, burst: addressRequestBurst)
        limits.connections = maxConnections
        if let defect = limits.defect { throw SettingsError("limits of requests: \(defect)") }
        return limits
    }

    /// Host and port to listen on.
    func address() throws -> (host: String, port: Int) {
        guard let colon = listen.lastIndex(of: ":"), let port = Int(listen[listen.index(after: colon)...]),
            (0...65_535).contains(port), colon != listen.startIndex
        else { throw SettingsError("listen is \"\(listen)\"; write ADDRESS:PORT, such as 127.0.0.1:7443") }
        return (String(listen[..<colon]).trimmingCharacters(in: CharacterSet(charactersIn: "[]")), port)
    }

    var isLoopback: Bool {
        // why: a bad address is reported where it is used
        guard let host = try? address().host else { return false }
        return host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }
}

struct SettingsError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
