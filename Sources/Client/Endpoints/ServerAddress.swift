internal import Foundation

/// Base address of one controller: `https://name[:port]`, or plain `http` to this machine only.
public struct ServerAddress: Sendable, Hashable, CustomStringConvertible {
    /// Port of a controller when the address names none.
    public static let defaultPort = 7443

    /// Scheme, host and port, without a slash at the end.
    public let description: String
    /// Whether the connection is encrypted.
    public let isEncrypted: Bool

    /// - Throws: ``ClientError/configuration(_:)`` when `text` is no such address. A bearer token must not
    ///   travel in the clear, so plain `http` is refused unless the host is a loopback name.
    public init(_ text: String) throws(ClientError) {
        guard let parts = URLComponents(string: text), let host = parts.host, !host.isEmpty else {
            throw .configuration("\"\(text)\" is not an address such as https://controller:7443")
        }
        guard parts.path.isEmpty || parts.path == "/", parts.query == nil, parts.user == nil else {
            throw .configuration("\"\(text)\" must be scheme, host and port only")
        }
        switch parts.scheme {
        case "https": isEncrypted = true
        case "http" where Self.loopback.contains(host): isEncrypted = false
        case "http":
            throw .configuration("\"\(text)\" would send the token unencrypted; use https://\(host)")
        default:
            throw .configuration("\"\(text)\" must begin with https://")
        }
        description = "\(isEncrypted ? "https" : "http")://\(host):\(parts.port ?? Self.defaultPort)"
    }

    /// Reads a list separated by commas; the order is the order in which they are tried.
    public static func list(_ text: String) throws(ClientError) -> [ServerAddress] {
        var addresses: [ServerAddress] = []
        for part in text.split(separator: ",") {
            addresses.append(try ServerAddress(part.trimmingCharacters(in: .whitespaces)))
        }
        guard !addresses.isEmpty else { throw .configuration("no server is named") }
        return addresses
    }

    private static let loopback: Set<String> = ["localhost", "127.0.0.1", "::1", "[::1]"]
}
