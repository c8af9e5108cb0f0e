import Foundation
import Testing

/// AIOpsLab's interface for Python, against the server as a process.
@Suite struct PythonClientTests {
    private static let python = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }
    private static let openSSL = ["/usr/bin/openssl", "/usr/local/bin/openssl"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    @Test(.enabled(if: python != nil, "python3 is missing"))
    func `the loops of AIOpsLab's clients run as they are`() async throws {
        let server = try await Server()
        defer { server.stop() }
        let (status, said) = try await Self.loop(against: server.address)
        #expect(status == 0, "\(said)")
    }

    @Test(.enabled(if: python != nil && openSSL != nil, "python3 or openssl is missing"))
    func `they do so over TLS, and trust nobody else's certificate`() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }  // why: harms no test
        let (certificate, key) = (folder.appending(path: "c.pem"), folder.appending(path: "k.pem"))
        let made = try await Self.run(
            try #require(Self.openSSL),
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                "1",
                "-subj", "/CN=basalt", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key.path, "-out",
                certificate.path,
            ], [:])
        try #require(made.status == 0, "\(made.said)")
        let server = try await Server(tls: (certificate, key))
        defer { server.stop() }
        let (status, said) = try await Self.loop(
            against: server.address, ["BASALT_EVALUATION_CA": certificate.path])
        #expect(status == 0, "\(said)")
        let stranger = try await Self.loop(against: server.address)
        #expect(stranger.status != 0 && stranger.said.contains("CERTIFICATE_VERIFY_FAILED"))
    }

    private static func loop(
        against address: String, _ extra: [String: String] = [:]
    ) async throws -> (status: Int32, said: String) {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let environment = [
            "PYTHONPATH": root.appending(path: "Clients/python").path, "BASALT_EVALUATION": address,
            "PYTHONDONTWRITEBYTECODE": "1",
        ]
        return try await run(
            try #require(python), [root.appending(path: "Clients/python/tests/dummy_loop.py").path],
            environment.merging(extra) { $1 })
    }

    private static func run(
        _ program: String, _ arguments: [String], _ environment: [String: String]
    ) async throws -> (status: Int32, said: String) {
        let process = Process()
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.environment = environment
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let said = try await Task.detached { try output.fileHandleForReading.readToEnd() ?? Data() }.value
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: said, as: UTF8.self))
    }
}
