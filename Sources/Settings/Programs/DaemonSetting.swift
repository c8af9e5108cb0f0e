internal import AgentProtocol

/// The settings of `basaltd`.
public enum DaemonSetting: String, SettingKey {
    case listen, database, databaseFile, databaseConnections, dataDirectory, migrations
    case tlsCertificate, tlsKey
    case name, hostLeaseSeconds, cellLeaseSeconds, cellRenewSeconds, fleetRate
    case usageIntervalSeconds, usageBinDays, usageHourDays
    case quarantineSeconds, breakerFraction, absenceFraction, absenceFewest, flaps, flapWindowSeconds
    case tokenRequestsPerSecond, tokenRequestBurst, agentRequestsPerSecond, agentRequestBurst
    case addressRequestsPerSecond, addressRequestBurst, maxConnections
    case logLevel, logFormat

    public static let program = "basaltd"
    public static let standardFile = "/etc/basalt/basaltd.yaml"

    public var definition: SettingDefinition {
        switch self {
        case .listen:
            .init(
                .address, default: "127.0.0.1:7443", "Address and port of the API; port 0 takes a free one.")
        case .database:
            .init(
                .text("postgresql:///basalt"),
                "Database without a password: a postgresql:// URI or libpq keywords; absent with a private one."
            )
        case .databaseFile:
            .init(.file, "File that holds the database's URI with its password, instead of database.")
        case .databaseConnections:
            .init(.count(4...500), default: "16", "Most connections to the database.")
        case .dataDirectory:
            .init(.directory, "Directory of keys, the admin token and the private Postgres.")
        case .migrations:
            .init(.directory, "Directory with the schema's SQL files; found beside the program when absent.")
        case .tlsCertificate: .init(.file, "PEM file with the server's certificate chain.")
        case .tlsKey: .init(.file, "PEM file with the server's key.")
        case .name:
            .init(
                .text("controller-1"),
                "Name of this controller in leases and logs; the machine's when absent.")
        case .hostLeaseSeconds:
            .init(
                .number(1...3600, unit: "seconds"), default: "30.0",
                "Length of host leases; renewal, stop and fence keep their ratios to it.")
        case .cellLeaseSeconds:
            .init(
                .number(0.5...600, unit: "seconds"), default: "6.0",
                "Length of cell leases: how long a dead controller blocks its cells.")
        case .cellRenewSeconds:
            .init(
                .number(0.1...300, unit: "seconds"),
                "How often a cell lease is renewed; a third of the lease when absent.")
        case .fleetRate:
            .init(.number(0.001...100_000, unit: "factor"), "How fast fleet time runs; development only.")
        case .usageIntervalSeconds, .usageBinDays, .usageHourDays: usage
        case .quarantineSeconds, .breakerFraction, .absenceFraction, .absenceFewest, .flaps,
            .flapWindowSeconds:
            healing
        case .tokenRequestsPerSecond, .tokenRequestBurst, .agentRequestsPerSecond, .agentRequestBurst,
            .addressRequestsPerSecond, .addressRequestBurst, .maxConnections:
            traffic
        case .logLevel: .logLevel
        case .logFormat: .logFormat
        }
    }

    /// How much the API takes from one caller. A batch of VMs is 200 creations a second; an agent session
    /// polls and reports once a second; many tokens and sessions may share an address.
    private var traffic: SettingDefinition {
        func rate(_ standard: String, _ whose: String) -> SettingDefinition {
            .init(
                .number(0.01...1_000_000, unit: "requests/s"), default: standard,
                "Requests per second of \(whose).")
        }
        func burst(_ standard: String, _ whose: String) -> SettingDefinition {
            .init(
                .number(1...10_000_000, unit: "requests"), default: standard,
                "Requests at once of \(whose), after a pause.")
        }
        return switch self {
        case .tokenRequestsPerSecond: rate("2000.0", "one user token")
        case .tokenRequestBurst: burst("4000.0", "one user token")
        case .agentRequestsPerSecond: rate("100.0", "one agent session")
        case .agentRequestBurst: burst("500.0", "one agent session")
        case .addressRequestsPerSecond: rate("10000.0", "one address, authenticated or not")
        case .addressRequestBurst: burst("20000.0", "one address")
        default: .init(.count(1...1_000_000), default: "10000", "Connections at once; each watch holds one.")
        }
    }

    /// What is told and kept of use.
    private var usage: SettingDefinition {
        switch self {
        case .usageIntervalSeconds:
            .init(
                .number(0.2...60, unit: "seconds"), default: "5.0",
                "How often agents tell use; a host that is silent for three times as long takes no more VMs.")
        case .usageBinDays:
            .init(.count(1...400), default: "3", "Days for which bins of five minutes are kept.")
        default:
            .init(.count(1...4000), default: "35", "Days for which hours of use are kept.")
        }
    }

    /// What healing asks a person about.
    private var healing: SettingDefinition {
        switch self {
        case .breakerFraction:
            .init(
                .number(0...1, unit: "share"), default: "0.1",
                "Share of a failure domain that may be lost within a minute before a person is asked.")
        case .absenceFraction:
            .init(
                .number(0...1, unit: "share"), default: "0.1",
                "Share of a session's hosts that must be missing from a hello not to be believed.")
        case .absenceFewest:
            .init(.count(1...100_000), default: "3", "Fewest missing hosts that are not believed.")
        case .flaps:
            .init(
                .count(1...1000), default: "3", "A host that is lost so often within the window is cordoned.")
        case .flapWindowSeconds:
            .init(
                .number(1...604_800, unit: "seconds"), default: "600.0", "The window in which losses count.")
        default:
            .init(
                .number(0...86_400, unit: "seconds"), default: "600.0",
                "How long absence stops nothing after a restore of the database.")
        }
    }

    public static func conflicts(
        _ settings: EffectiveSettings<DaemonSetting>
    ) -> [SettingDefect<DaemonSetting>] {
        database(settings) + encryption(settings) + leases(settings)
    }

    private static func database(
        _ settings: EffectiveSettings<DaemonSetting>
    ) -> [SettingDefect<DaemonSetting>] {
        guard let uri = settings.text(.database) else { return [] }
        if settings.text(.databaseFile) != nil {
            return [.init(.databaseFile, "database is set too; give one of them")]
        }
        guard holdsPassword(uri) else { return [] }
        return [
            .init(.database, "must not hold a password; put the URI in a file and name it in databaseFile")
        ]
    }

    /// A password in the user part or the query of a URI, or as a keyword.
    private static func holdsPassword(_ uri: String) -> Bool {
        if uri.lowercased().contains("password=") { return true }
        guard let start = uri.firstRange(of: "://")?.upperBound else { return false }
        let authority = uri[start...].prefix { $0 != "/" && $0 != "?" }
        return authority.lastIndex(of: "@").map { authority[..<$0].contains(":") } ?? false
    }

    private static func encryption(
        _ settings: EffectiveSettings<DaemonSetting>
    ) -> [SettingDefect<DaemonSetting>] {
        switch (settings.text(.tlsCertificate), settings.text(.tlsKey)) {
        case (.some, nil): return [.init(.tlsCertificate, "tlsKey is not set; both are needed")]
        case (nil, .some): return [.init(.tlsKey, "tlsCertificate is not set; both are needed")]
        case (.some, .some): return []
        case (nil, nil): break
        }
        guard let address = settings.address(.listen), !address.isLoopback,
            settings.text(.dataDirectory) == nil
        else { return [] }
        return [
            .init(
                .listen,
                "an address beyond this machine is served over TLS only; set tlsCertificate and tlsKey")
        ]
    }

    private static func leases(
        _ settings: EffectiveSettings<DaemonSetting>
    ) -> [SettingDefect<DaemonSetting>] {
        guard let host = settings.number(.hostLeaseSeconds), let cell = settings.number(.cellLeaseSeconds)
        else { return [] }
        var defects: [SettingDefect<DaemonSetting>] = []
        if let defect = LeaseTerms.scaled(leaseSeconds: host).defect {
            defects.append(.init(.hostLeaseSeconds, defect))
        }
        // Another controller must judge the hosts before their leases run out unseen.
        if cell >= host {
            defects.append(.init(.cellLeaseSeconds, "must be below hostLeaseSeconds (\(host))"))
        }
        // One renewal may be lost.
        if let renew = settings.number(.cellRenewSeconds), renew * 2 > cell {
            defects.append(.init(.cellRenewSeconds, "must be at most half of cellLeaseSeconds (\(cell))"))
        }
        return defects
    }
}

extension SettingDefinition {
    static let logLevel = SettingDefinition(
        .choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]), default: "info",
        "Least level of the log lines that are written.")
    static let logFormat = SettingDefinition(
        .choice(["logfmt", "json"]), default: "logfmt", "Form of the log lines.")
}
