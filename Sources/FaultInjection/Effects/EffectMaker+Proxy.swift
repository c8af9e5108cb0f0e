internal import AsyncHTTPClient
internal import FaultLab
internal import Foundation
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

extension EffectMaker {
    func toxics(_ entry: TargetFile.Entry, _ order: InjectorOrders.Order) throws -> Effect {
        guard let proxy = entry.proxy else { throw InjectionError("\(entry.target) has no proxy") }
        let mark = Arming.id(order)
        var toxics = [Toxic(name: mark + "~down", stream: "downstream")]
        switch order.kind {
        case .linkDelay:
            let milliseconds = Int((order.parameters.delaySeconds ?? 1) * 1000)
            (toxics[0].type, toxics[0].attributes) = ("latency", ["latency": milliseconds])
        case .linkLoss: toxics[0].toxicity = order.parameters.probability ?? 0.5
        case .linkPartition, .rackPartition: toxics.append(Toxic(name: mark + "~up", stream: "upstream"))
        case .kvLinkDegraded:
            (toxics[0].type, toxics[0].attributes) = ("bandwidth", ["rate": order.parameters.count ?? 100])
        case .storeOutcomeUnknown:
            // What was asked arrives; who asked is cut off before the answer.
            let milliseconds = Int((order.parameters.delaySeconds ?? 0.2) * 1000)
            (toxics[0].type, toxics[0].attributes) = ("reset_peer", ["timeout": milliseconds])
            toxics[0].toxicity = order.parameters.probability ?? 0.5
        default: break
        }
        let (api, names, all) = (proxy.api, proxy.names, toxics)
        return Effect(
            undo: names.map { .removeToxics(api: api, proxy: $0, names: all.map(\.name)) },
            apply: {
                for name in names {
                    for toxic in all {
                        let body = String(decoding: try JSONEncoder().encode(toxic), as: UTF8.self)
                        let status = try await ProxyAPI.send(.POST, "\(api)/proxies/\(name)/toxics", body)
                        guard status == 200 else { throw InjectionError("the proxy \(name) says \(status)") }
                    }
                }
            },
            isSeen: {
                for name in names {
                    for toxic in all {
                        let path = "\(api)/proxies/\(name)/toxics/\(toxic.name)"
                        guard try await ProxyAPI.send(.GET, path) == 200 else { return false }
                    }
                }
                return true
            })
    }
}

/// As toxiproxy's interface has it.
private struct Toxic: Encodable {
    var name: String
    /// Without a time it holds everything back.
    var type = "timeout"
    var stream: String
    var toxicity = 1.0
    var attributes = ["timeout": 0]

    init(name: String, stream: String) { (self.name, self.stream) = (name, stream) }
}

/// Speaks to a fault proxy.
enum ProxyAPI {
    /// - Returns: the status.
    static func send(_ method: HTTPMethod, _ url: String, _ body: String? = nil) async throws -> UInt {
        var request = HTTPClientRequest(url: url)
        request.method = method
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body))
        }
        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(3))
        _ = try await answer.body.collect(upTo: 1 << 20)
        return answer.status.code
    }
}

extension ProxyAPI {
    /// Whether nobody listens there.
    static func isRefused(_ error: any Error) -> Bool {
        if let error = error as? NIOConnectionError {
            return error.connectionErrors.contains { isRefused($0.error) }
        }
        return (error as? IOError)?.errnoCode == ECONNREFUSED
    }
}
