import Fleet
import Settings
import Testing

@Suite struct DaemonSettingTests {
    typealias Settings = EffectiveSettings<DaemonSetting>

    private static func file(_ text: String) -> (text: String, path: String) { (text, "basaltd.yaml") }

    private static func lines(
        _ text: String, environment: [String: String] = [:], flags: [DaemonSetting: String] = [:]
    ) -> [String] {
        do throws(SettingsError) {
            _ = try Settings(file: file(text), environment: environment, flags: flags)
            return []
        } catch {
            return error.lines
        }
    }

    @Test func `a flag beats the environment, which beats the file, which beats the default`() throws {
        let text = "# comment\nname: from-file\nlisten: 127.0.0.1:1\nlogLevel: debug\n"
        let settings = try Settings(
            file: Self.file(text),
            environment: ["BASALT_LISTEN": "127.0.0.1:2", "BASALT_LOG_LEVEL": "error", "BASALT_NAME": ""],
            flags: [.listen: "127.0.0.1:3"])
        #expect(settings.text(.listen) == "127.0.0.1:3")
        #expect(settings.origin(of: .listen) == .flag("--listen"))
        #expect(settings.text(.logLevel) == "error")
        #expect(settings.origin(of: .logLevel) == .variable("BASALT_LOG_LEVEL"))
        // An empty variable is as none.
        #expect(settings.text(.name) == "from-file")
        #expect(settings.origin(of: .name) == .file(path: "basaltd.yaml", line: 2))
        #expect(settings.text(.logFormat) == "logfmt")
        #expect(settings.origin(of: .logFormat) == .fallback)
        #expect(settings.text(.database) == nil)
    }

    @Test(arguments: [
        ("lisen: 127.0.0.1:0\n", ["f:1: \"lisen\" is not a setting; did you mean \"listen\"?"]),
        ("\n\nlogLevel: loud\n", ["f:3: logLevel is \"loud\"; write one of trace, debug, info, notice, "]),
        ("listen: 7443\n", ["f:1: listen is \"7443\"; write ADDRESS:PORT, such as 127.0.0.1:7443"]),
        (
            "hostLeaseSeconds: 0\n",
            ["f:1: hostLeaseSeconds is \"0\"; write a number from 1 to 3600 (seconds)"]
        ),
        (
            "databaseConnections: 3.5\n",
            ["f:1: databaseConnections is \"3.5\"; write a whole number from 4 to 500"]
        ),
        ("name:\n", ["f:1: name has no single value; write text such as controller-1"]),
        ("name: [a, b]\n", ["f:1: name has no single value"]),
        ("name: a\nname: b\n", ["set twice: name"]),
        ("- listen\n", ["f: must be a mapping of settings to values"]),
        ("name: \"open\n", ["f:2: not YAML: "]),
        (
            "zzzzzzzzzzzzzzzz: 1\nname: ''\n",
            ["f:1: \"zzzzzzzzzzzzzzzz\" is not a setting", "f:2: name is \"\""]
        ),
        ("cellRenewSeconds: 4\n", ["f:1: cellRenewSeconds: must be at most half of cellLeaseSeconds (6.0)"]),
        ("cellLeaseSeconds: 30\n", ["f:1: cellLeaseSeconds: must be below hostLeaseSeconds (30.0)"]),
        ("tlsKey: k.pem\n", ["f:1: tlsKey: tlsCertificate is not set; both are needed"]),
        ("listen: 0.0.0.0:1\n", ["f:1: listen: an address beyond this machine is served over TLS only"]),
        ("database: postgresql://u:secret@h/db\n", ["f:1: database: must not hold a password"]),
        ("database: host=h password=secret\n", ["f:1: database: must not hold a password"]),
        ("database: host=h\ndatabaseFile: f\n", ["f:2: databaseFile: database is set too"]),
    ])
    func `a bad file is refused with a line for each defect`(text: String, beginnings: [String]) {
        let lines = Self.lines(text)
        #expect(lines.count == beginnings.count, "\(lines)")
        for (line, beginning) in zip(lines, beginnings) {
            #expect(line.contains(beginning.replacing("f:", with: "basaltd.yaml:")), "\(line)")
            #expect(!line.contains("\n") && !line.contains("secret"), "\(line)")
        }
    }

    @Test func `bad variables and flags are named by their own names`() {
        #expect(
            Self.lines("", environment: ["BASALT_LISTEN": "x"], flags: [.logFormat: "xml"]) == [
                "$BASALT_LISTEN: listen is \"x\"; write ADDRESS:PORT, such as 127.0.0.1:7443",
                "--log-format: logFormat is \"xml\"; write one of logfmt, json",
            ])
    }

    @Test(arguments: ["", "# only a comment\n", "~\n", "---\n"])
    func `an empty file sets nothing`(text: String) throws {
        #expect(Self.lines(text) == [])
    }

    @Test func `the documented file is valid and sets the defaults only`() throws {
        let settings = try Settings(file: Self.file(DaemonSetting.documentedFile))
        let plain = try Settings()
        for key in DaemonSetting.allCases {
            #expect(settings.text(key) == plain.text(key), "\(key)")
            #expect(DaemonSetting.documentedFile.contains("\(key.flag), $\(key.variable)"), "\(key)")
            #expect(DaemonSetting.usage.contains("\(key.flag) <"), "\(key)")
        }
    }

    @Test func `what is shown can be read again and tells who said it`() throws {
        let settings = try Settings(
            file: Self.file("name: \"a b: c # d\"\n"), flags: [.dataDirectory: "/tmp/x y"])
        let shown = settings.yaml
        let again = try Settings(file: Self.file(shown))
        for key in DaemonSetting.allCases { #expect(settings.text(key) == again.text(key), "\(key)") }
        #expect(shown.contains("# basaltd.yaml:1\n") && shown.contains("# --data-directory\n"), "\(shown)")
        #expect(shown.contains("# default\n") && shown.contains("# not set\n"), "\(shown)")
    }

    @Test func `settings are taken out of the arguments and the rest is left`() throws {
        let flags = try SettingFlags<DaemonSetting>([
            "serve", "--listen=127.0.0.1:0", "--dev", "--name", "a", "--config", "x.yaml", "--name", "b",
            "--",
            "--name",
        ])
        #expect(flags.values == [.listen: "127.0.0.1:0", .name: "b"])
        #expect(flags.file == "x.yaml")
        #expect(flags.rest == ["serve", "--dev", "--", "--name"])
        #expect(throws: SettingsError("--name needs a value: text such as controller-1")) {
            try SettingFlags<DaemonSetting>(["--name"])
        }
        #expect(throws: SettingsError("--name needs a value: text such as controller-1")) {
            try SettingFlags<DaemonSetting>(["--name", "--dev"])
        }
        #expect(SettingFlags<DaemonSetting>.nearest(to: "--lisen") == "--listen")
    }

    @Test func `a router shows a certificate with its key or none`() {
        for flags in [[.tlsCertificate: "c.pem"], [.tlsKey: "k.pem"]] as [[RouterSetting: String]] {
            #expect(throws: SettingsError.self) { try EffectiveSettings<RouterSetting>(flags: flags) }
        }
        #expect(throws: Never.self) {
            try EffectiveSettings<RouterSetting>(flags: [.tlsCertificate: "c.pem", .tlsKey: "k.pem"])
        }
    }

    @Test func `an agent serves its metrics to its own machine only`() {
        #expect(throws: SettingsError.self) {
            try EffectiveSettings<AgentSetting>(flags: [.metricsListen: "0.0.0.0:9464"])
        }
        #expect(throws: Never.self) {
            try EffectiveSettings<AgentSetting>(flags: [.metricsListen: "127.0.0.1:9464"])
        }
    }
}
