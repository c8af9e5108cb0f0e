/// The settings of `basalt-router`.
public enum RouterSetting: String, SettingKey {
    case listen, tlsCertificate, tlsKey
    case server, ca, tokenFile, project, deployment, routesFile, stateDirectory
    case maxRequests, maxConnections, maxBodyMebibytes, logLevel, logFormat

    public static let program = "basalt-router"
    public static let standardFile = "/etc/basalt/basalt-router.yaml"

    public var definition: SettingDefinition {
        switch self {
        case .listen:
            .init(.address, default: "127.0.0.1:8080", "Address and port that clients of the model call.")
        case .tlsCertificate:
            .init(.file, "PEM file with the certificate chain that clients of the model are shown.")
        case .tlsKey: .init(.file, "PEM file with its key.")
        case .server: .init(.text("https://host:port,…"), "Controllers, separated by commas.")
        case .ca: .init(.file, "PEM file with the certificates that the controllers are trusted by.")
        case .tokenFile: .init(.file, "File with a token that may read the deployment's project.")
        case .project: .init(.text("web"), "Project of the serving deployment.")
        case .deployment: .init(.text("chat"), "Serving deployment whose routes are followed.")
        case .routesFile: .init(.file, "JSON file with routes, in place of a server.")
        case .stateDirectory:
            .init(.directory, "Directory that keeps the last good routes; none are kept when absent.")
        case .maxRequests:
            .init(.count(1...1_000_000), default: "2048", "Requests that are with replicas at once.")
        case .maxConnections:
            .init(.count(1...1_000_000), default: "4096", "Connections of clients at once.")
        case .maxBodyMebibytes:
            .init(.count(1...1024), default: "8", "Largest body of a request, in MiB.")
        case .logLevel: .logLevel
        case .logFormat: .logFormat
        }
    }

    public static func conflicts(
        _ settings: EffectiveSettings<RouterSetting>
    ) -> [SettingDefect<RouterSetting>] {
        tls(settings) + source(settings)
    }

    private static func tls(
        _ settings: EffectiveSettings<RouterSetting>
    ) -> [SettingDefect<RouterSetting>] {
        switch (settings.text(.tlsCertificate), settings.text(.tlsKey)) {
        case (.some, nil): [.init(.tlsCertificate, "tlsKey is not set; both are needed")]
        case (nil, .some): [.init(.tlsKey, "tlsCertificate is not set; both are needed")]
        default: []
        }
    }

    private static func source(
        _ settings: EffectiveSettings<RouterSetting>
    ) -> [SettingDefect<RouterSetting>] {
        if settings.text(.routesFile) != nil {
            guard settings.text(.server) == nil else { return [.init(.routesFile, "give it or server")] }
            return []
        }
        guard settings.text(.server) != nil else { return [] }
        return [(RouterSetting.project, "project"), (.deployment, "deployment"), (.tokenFile, "tokenFile")]
            .filter { settings.text($0.0) == nil }
            .map { .init($0.0, "must be given beside server") }
    }
}
