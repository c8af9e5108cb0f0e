internal import Crypto
internal import Foundation
internal import Settings
internal import SwiftASN1
internal import X509

/// The certificate authority of a development control plane, in its data directory: made once, then reused.
struct DevelopmentAuthority {
    let directory: URL

    var caFile: URL { directory.appending(path: "ca.pem") }
    var certificateFile: URL { directory.appending(path: "server.pem") }
    var keyFile: URL { directory.appending(path: "server.key") }

    /// Ten years: nobody renews the certificates of a development machine.
    private static let lifetime: TimeInterval = 10 * 365 * 86_400

    /// Makes what is missing. - Parameter now: the wall clock.
    func prepare(now: Date) throws {
        let files = FileManager.default
        try files.createDirectory(at: directory, withIntermediateDirectories: true)
        if files.fileExists(atPath: caFile.path), files.fileExists(atPath: certificateFile.path),
            files.fileExists(atPath: keyFile.path)
        {
            return
        }
        let authorityKey = Certificate.PrivateKey(P256.Signing.PrivateKey())
        let authorityName = try DistinguishedName { CommonName("Basalt development CA") }
        let authority = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: authorityKey.publicKey,
            notValidBefore: now.addingTimeInterval(-3600),
            notValidAfter: now.addingTimeInterval(Self.lifetime),
            issuer: authorityName, subject: authorityName, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
            },
            issuerPrivateKey: authorityKey)
        let serverSecret = P256.Signing.PrivateKey()
        let server = try Certificate(
            version: .v3, serialNumber: .init(), publicKey: .init(serverSecret.publicKey),
            notValidBefore: now.addingTimeInterval(-3600),
            notValidAfter: now.addingTimeInterval(Self.lifetime),
            issuer: authorityName, subject: try DistinguishedName { CommonName("localhost") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames([
                    .dnsName("localhost"), .ipAddress(ASN1OctetString(contentBytes: [127, 0, 0, 1])),
                    .ipAddress(
                        ASN1OctetString(contentBytes: ArraySlice([UInt8](repeating: 0, count: 15) + [1]))),
                ])
            },
            issuerPrivateKey: authorityKey)
        try write(serverSecret.pemRepresentation, to: keyFile, mode: 0o600)
        try write(try server.serializeAsPEM().pemString, to: certificateFile, mode: 0o644)
        // Last: its presence says that the others are there.
        try write(try authority.serializeAsPEM().pemString, to: caFile, mode: 0o644)
    }

    private func write(_ text: String, to file: URL, mode: Int) throws {
        try PrivateFile.write(text + "\n", to: file, mode: mode)
    }
}

/// Files that others must not read, complete or absent.
enum PrivateFile {
    static func write(_ text: String, to file: URL, mode: Int) throws {
        let files = FileManager.default
        let draft = file.appendingPathExtension("new")
        if files.fileExists(atPath: draft.path) { try files.removeItem(at: draft) }
        guard
            files.createFile(
                atPath: draft.path, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
        else { throw SettingsError("\(draft.path): cannot be written") }
        guard rename(draft.path, file.path) == 0 else {
            throw SettingsError("\(file.path): cannot be written")
        }
    }
}
