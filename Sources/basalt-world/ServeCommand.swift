internal import ArgumentParser
internal import Crypto
internal import Evaluation
internal import Foundation
internal import Hummingbird
internal import Logging
internal import NIOSSL
internal import ProgramShell

/// The evaluation API as a server.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve evaluation sessions over REST.",
        discussion: """
            Each session is a fleet of its own in a process of its own. The server that agents speak to never \
            holds what is wrong with a fleet before the session is over.
            """)

    @Option(help: "Address to listen on; another than this machine's own needs --token-file.")
    var host = "127.0.0.1"
    @Option(help: "Port to listen on; 0 takes a free one.") var port = 8090
    @Option(help: "Folder of what becomes of sessions.") var data: String
    @Option(help: "File with the operator's bearer token. Without one everyone on this machine may.")
    var tokenFile: String?
    @Option(help: "Certificate chain in PEM; needed with --tls-key where others than this machine call.")
    var tlsCertificate: String?
    @Option(help: "Private key in PEM.") var tlsKey: String?

    func validate() throws {
        guard (0...65_535).contains(port) else {
            throw ValidationError("--port is \(port), outside 0 to 65535")
        }
        let isLocal = ["127.0.0.1", "::1", "localhost"].contains(host)
        guard tokenFile != nil || isLocal else {
            throw ValidationError("--host \(host) is reached from elsewhere: give --token-file")
        }
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("give --tls-certificate and --tls-key together")
        }
        guard tlsCertificate != nil || isLocal else {
            throw ValidationError(
                "--host \(host) is reached from elsewhere: give --tls-certificate and --tls-key")
        }
    }

    func run() async throws {
        var logger = Logger(label: "basalt-world")
        logger.logLevel = .notice
        let log = logger
        let token = try tokenFile.map {
            try String(contentsOfFile: $0, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        }
        guard token?.isEmpty != true else { throw ValidationError("--token-file holds no token") }
        let sessions = try SessionHost(
            SessionHost.Parts(
                program: URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path, folder: data,
                operatorToken: token, ids: SystemSeams.ids, now: SystemSeams.now,
                secret: Self.secret, logger: log))
        let address = host
        let tls = try tlsConfiguration()
        let scheme = tls == nil ? "http" : "https"
        let application = try EvaluationServer(sessions).application(
            address: host, port: port, tls: tls, logger: log
        ) { port in
            log.notice("serving", metadata: ["address": "\(address):\(port)", "scheme": "\(scheme)"])
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await sessions.run() }
            try await application.runService()
            group.cancelAll()
        }
    }

    private func tlsConfiguration() throws -> TLSConfiguration? {
        guard let tlsCertificate, let tlsKey else { return nil }
        let chain = try NIOSSLCertificate.fromPEMFile(tlsCertificate).map {
            NIOSSLCertificateSource.certificate($0)
        }
        return .makeServerConfiguration(
            certificateChain: chain, privateKey: .privateKey(try NIOSSLPrivateKey(file: tlsKey, format: .pem))
        )
    }

    @Sendable private static func secret() -> String {
        let text = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }.base64EncodedString()
        return "bse_" + text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
