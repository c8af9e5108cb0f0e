/// The settings of `basalt-agent`.
public enum AgentSetting: String, SettingKey {
    case server, ca, stateDirectory, joinTokenFile, name, metricsListen, logLevel, logFormat

    public static let program = "basalt-agent"
    public static let standardFile = "/etc/basalt/basalt-agent.yaml"

    public var definition: SettingDefinition {
        switch self {
        case .server: .init(.text("https://host:port,…"), "Controllers, separated by commas.")
        case .ca: .init(.file, "PEM file with the certificates that the controllers are trusted by.")
        case .stateDirectory:
            .init(
                .directory, default: "/var/lib/basalt-agent",
                "Directory of the agent's memory; one agent at a time.")
        case .joinTokenFile:
            .init(.file, "File with the secret of a join token; needed until the agent has joined.")
        case .name: .init(.text("agent-1"), "Name of the session; the machine's name when absent.")
        case .metricsListen:
            .init(
                .address,
                "Address and port of /metrics, of this machine only; no metrics are served when absent.")
        case .logLevel: .logLevel
        case .logFormat: .logFormat
        }
    }

    public static func conflicts(
        _ settings: EffectiveSettings<AgentSetting>
    ) -> [SettingDefect<AgentSetting>] {
        // Served without TLS and without a token.
        guard let address = settings.address(.metricsListen), !address.isLoopback else { return [] }
        return [.init(.metricsListen, "must be an address of this machine, such as 127.0.0.1:9464")]
    }
}
