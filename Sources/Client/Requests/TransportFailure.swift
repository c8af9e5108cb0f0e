internal import AsyncHTTPClient
internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// What an error of the HTTP client means: whether the request left, and a sentence for people.
enum TransportFailure {
    static func classify(_ error: any Error, server: ServerAddress) -> (AttemptFailure, ClientError) {
        switch error {
        case let error as NIOConnectionError:
            (.notSent, .unreachable("\(server) does not answer: \(reason(of: error))"))
        case let error as IOError where error.errnoCode == ECONNREFUSED:
            (.notSent, .unreachable("\(server) does not answer: connection refused"))
        case let error as HTTPClientError: classify(error, server: server)
        case ChannelError.connectTimeout:
            (.notSent, .unreachable("\(server) does not answer: no connection in time"))
        case let error as NIOSSLExtraError:
            (.notSent, .unreachable("\(server) has no certificate that is trusted: \(error.description)"))
        case let error as NIOSSLError:
            (.notSent, .unreachable("\(server) has no certificate that is trusted: \(error)"))
        case is NIOTooManyBytesError:
            (.final, .unintelligible("\(server) sent an answer above the limit"))
        default:
            (.broken, .unreachable("\(server) broke the connection: \(error)"))
        }
    }

    private static func classify(
        _ error: HTTPClientError, server: ServerAddress
    ) -> (AttemptFailure, ClientError) {
        switch error {
        case .connectTimeout, .getConnectionFromPoolTimeout:
            (.notSent, .unreachable("\(server) does not answer: no connection in time"))
        case .readTimeout, .deadlineExceeded:
            (.broken, .unreachable("\(server) took the request and did not answer in time"))
        case .remoteConnectionClosed:
            (.broken, .unreachable("\(server) closed the connection"))
        default:
            (.broken, .unreachable("\(server) broke the connection: \(error.shortDescription)"))
        }
    }

    private static func reason(of error: NIOConnectionError) -> String {
        if let failure = error.connectionErrors.first?.error as? IOError {
            return failure.errnoCode == ECONNREFUSED ? "connection refused" : failure.description
        }
        if error.dnsAError != nil || error.dnsAAAAError != nil { return "the name does not resolve" }
        return "no connection"
    }
}
