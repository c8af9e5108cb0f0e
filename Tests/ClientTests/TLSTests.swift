import APITypes
import Client
import Crypto
import Foundation
import SwiftASN1
import TestServer
import Testing
import X509

struct TLSTests {
    /// An authority and a certificate of it for this machine.
    private struct Authority {
        var root: String
        var identity: TestServer.Identity

        init(_ name: String) throws {
            let rootKey = Certificate.PrivateKey(P256.Signing.PrivateKey())
            let rootName = try DistinguishedName { CommonName(name) }
            let root = try Self.certificate(
                rootName, rootKey.publicKey, issuer: rootName, signedBy: rootKey,
                try Certificate.Extensions {
                    Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                })
            let key = P256.Signing.PrivateKey()
            let leaf = try Self.certificate(
                try DistinguishedName { CommonName("controller") }, .init(key.publicKey), issuer: rootName,
                signedBy: rootKey,
                try Certificate.Extensions {
                    SubjectAlternativeNames([.ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1]))])
                })
            self.root = try root.serializeAsPEM().pemString
            identity = TestServer.Identity(
                certificate: try leaf.serializeAsPEM().pemString, key: key.pemRepresentation)
        }

        private static func certificate(
            _ subject: DistinguishedName, _ key: Certificate.PublicKey, issuer: DistinguishedName,
            signedBy: Certificate.PrivateKey, _ extensions: Certificate.Extensions
        ) throws -> Certificate {
            try Certificate(
                version: .v3, serialNumber: .init(), publicKey: key, notValidBefore: .now - 3600,
                notValidAfter: .now + 3600, issuer: issuer, subject: subject,
                signatureAlgorithm: .ecdsaWithSHA256, extensions: extensions, issuerPrivateKey: signedBy)
        }
    }

    private func version(_ identity: TestServer.Identity, trusting root: String) async throws
        -> VersionResponse
    {
        let file = FileManager.default.temporaryDirectory.appending(
            path: "basalt-ca-\(UUID().uuidString).pem")
        try root.write(to: file, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(at: file) }
        let fixture = Fixture()
        return try await TestServer.with(fixture.plane.handler, identity: identity) { server in
            let configuration = ClientConfiguration(
                servers: [try ServerAddress(server.address)], token: "secret", certificateFile: file.path)
            return try await RESTClient.with(configuration, seams: fixture.seams) { try await $0.version() }
        }
    }

    @Test func trustsTheAuthorityOfTheFile() async throws {
        let authority = try Authority("own")
        #expect(try await version(authority.identity, trusting: authority.root).schema == 3)
    }

    @Test func trustsNoOther() async throws {
        let authority = try Authority("own")
        let other = try Authority("other")
        await #expect {
            _ = try await version(authority.identity, trusting: other.root)
        } throws: { error in
            guard case .unreachable(let text) = error as? ClientError else { return false }
            return text.contains("no certificate that is trusted")
        }
    }

    @Test func aFileWithoutCertificatesIsSaid() async throws {
        let authority = try Authority("own")
        await #expect {
            _ = try await version(authority.identity, trusting: "nothing")
        } throws: { error in
            guard case .configuration(let text) = error as? ClientError else { return false }
            return text.hasSuffix("holds no readable PEM certificate")
        }
    }
}
