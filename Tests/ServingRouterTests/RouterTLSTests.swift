import AsyncHTTPClient
import Crypto
import FakeEngine
import Fleet
import Foundation
import NIOCore
import NIOHTTP1
import NIOSSL
import ServingRouter
import SwiftASN1
import Testing
import X509

/// Clients of a router that shows a certificate.
@Suite struct RouterTLSTests {
    /// PEM files of a certificate that vouches for itself, and its key.
    private struct Identity {
        let directory: URL
        var certificate: String { directory.appending(path: "server.pem").path }
        var key: String { directory.appending(path: "server.key").path }

        init() throws {
            directory = FileManager.default.temporaryDirectory.appending(path: "basalt-tls-\(UUID())")
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            let key = P256.Signing.PrivateKey()
            let name = try DistinguishedName { CommonName("router") }
            let made = try Certificate(
                version: .v3, serialNumber: .init(), publicKey: .init(key.publicKey),
                notValidBefore: .now - 3600, notValidAfter: .now + 3600, issuer: name, subject: name,
                signatureAlgorithm: .ecdsaWithSHA256,
                extensions: try Certificate.Extensions {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                    SubjectAlternativeNames([.ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1]))])
                }, issuerPrivateKey: .init(key))
            try made.serializeAsPEM().pemString.write(
                toFile: certificate, atomically: true, encoding: .utf8)
            try key.pemRepresentation.write(toFile: self.key, atomically: true, encoding: .utf8)
        }

        var tls: TLSConfiguration {
            get throws { try RouterServer.tls(certificateFile: certificate, keyFile: key) }
        }

        func remove() throws { try FileManager.default.removeItem(at: directory) }
    }

    /// Asks for a streamed answer over TLS.
    ///
    /// - Parameter root: file with the certificates that are trusted; nil trusts those of the machine.
    private static func stream(port: Int, trusting root: String?) async throws -> String {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let root { tls.trustRoots = .file(root) }
        let client = HTTPClient(
            eventLoopGroupProvider: .singleton, configuration: .init(tlsConfiguration: tls))
        do {
            var request = HTTPClientRequest(url: "https://127.0.0.1:\(port)/v1/completions")
            request.method = .POST
            request.body = .bytes(
                ByteBuffer(string: #"{"prompt":"Tell me.","max_tokens":24,"stream":true}"#))
            let answer = try await client.execute(request, timeout: .seconds(120))
            let body = try await answer.body.collect(upTo: 1 << 20)
            try await client.shutdown()
            return "\(answer.status.code) \(String(buffer: body))"
        } catch {
            try await client.shutdown()
            throw error
        }
    }

    @Test func `an answer is streamed over TLS to those who trust the certificate`() async throws {
        let identity = try Identity()
        var engine = EngineConfiguration()
        engine.chunk = 8
        let tls = try identity.tls
        let root = identity.certificate
        try await FakeEngine.with([FakeEngine(engine)]) { ports in
            try await RunningRouter.with(.even(["127.0.0.1:\(ports[0])"]), tls: tls) { router in
                let answer = try await Self.stream(port: router.port, trusting: root)
                #expect(answer.hasPrefix("200 data: ") && answer.hasSuffix("data: [DONE]\n\n"))
                await #expect(throws: (any Error).self) {
                    _ = try await Self.stream(port: router.port, trusting: nil)
                }
                // Who speaks plain HTTP gets no answer, and costs nobody else theirs.
                await #expect(throws: (any Error).self) {
                    _ = try await router.send("/healthz", method: .get)
                }
                #expect(try await Self.stream(port: router.port, trusting: root).hasPrefix("200 "))
            }
        }
        try identity.remove()
    }

    @Test func `a key that is none is refused before anybody connects`() throws {
        let identity = try Identity()
        try "no key".write(toFile: identity.key, atomically: true, encoding: .utf8)
        #expect(throws: (any Error).self) { try identity.tls }
        try identity.remove()
    }
}
