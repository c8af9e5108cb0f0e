internal import Crypto
internal import Foundation
internal import Logging
internal import PostgresClient

/// What a development control plane keeps on disk.
struct DataDirectory {
    let url: URL

    init(_ path: String) { url = URL(filePath: path).absoluteURL.standardizedFileURL }

    var authority: DevelopmentAuthority { DevelopmentAuthority(directory: url.appending(path: "tls")) }
    /// Secret of the first admin token.
    var adminToken: URL { url.appending(path: "admin.token") }

    func cluster(logger: Logger) -> PrivateCluster {
        PrivateCluster(
            PrivateCluster.Options(
                dataDirectory: url.appending(path: "postgres"),
                settings: ["max_connections = 100", "shared_buffers = '128MB'"]),
            logger: logger)
    }

    /// Secret of the admin token; made when there is none.
    func adminSecret() throws -> String {
        if let text = try? String(contentsOf: adminToken, encoding: .utf8) {  // why: absent means to be made
            let secret = text.trimmingCharacters(in: .whitespacesAndNewlines)
            if !secret.isEmpty { return secret }
        }
        let secret = Secrets.next()
        try PrivateFile.write(secret + "\n", to: adminToken, mode: 0o600)
        return secret
    }

    func prepare() throws {
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        try authority.prepare(now: Date())
        _ = try adminSecret()
    }
}

/// Bearer secrets: 256 bits of the operating system's randomness.
enum Secrets {
    static func next() -> String {
        let key = SymmetricKey(size: .bits256)
        let text = key.withUnsafeBytes { Data($0) }.base64EncodedString()
        return "bsl_" + text.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    static func hash(_ secret: String) -> String {
        SHA256.hash(data: Data(secret.utf8)).map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }
}
