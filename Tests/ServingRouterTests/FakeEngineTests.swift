import AsyncHTTPClient
import FakeEngine
import Fleet
import Foundation
import NIOCore
import NIOHTTP1
import ServingRouter
import Testing

@Suite struct FakeEngineTests {
    private static func engine(_ change: (inout EngineConfiguration) -> Void = { _ in }) -> FakeEngine {
        var configuration = EngineConfiguration()
        configuration.times = EngineTimes(prefill: 0.001, perPromptToken: 0, step: 0.001, perSequence: 0)
        change(&configuration)
        return FakeEngine(configuration)
    }

    private static func answer(
        _ port: Int, _ path: String, _ body: String, method: HTTPMethodName = .post,
        headers: [(String, String)] = []
    ) async throws -> (status: Int, text: String) {
        let response = try await Call.open(port: port, path, method: method, headers: headers, body: body)
        return (Int(response.status.code), String(buffer: try await response.body.collect(upTo: 1 << 20)))
    }

    @Test func `completions and chat, whole and streamed in pieces`() async throws {
        try await FakeEngine.with([Self.engine { $0.chunk = 8 }]) { ports in
            let whole = try await Self.answer(
                ports[0], "/v1/completions", #"{"model":"fake","prompt":"abcdefgh","max_tokens":3}"#)
            #expect(whole.status == 200)
            #expect(whole.text.contains(#""text":"w0 w1 w2""#) && whole.text.contains(#""prompt_tokens":2"#))
            let streamed = try await Self.answer(
                ports[0], "/v1/chat/completions",
                #"{"messages":[{"role":"user","content":"x"}],"max_tokens":20,"stream":true}"#)
            let events = streamed.text.components(separatedBy: "\n\n").filter { !$0.isEmpty }
            #expect(events.count == 4 && events.last == "data: [DONE]")
            #expect(events[0].contains("w0 w1 w2 w3 w4 w5 w6 w7\"") && events[2].contains("\"length\""))
            #expect(try await Self.answer(ports[0], "/v1/models", "", method: .get).text.contains("\"fake\""))
            #expect(try await Self.answer(ports[0], "/health", "", method: .get).status == 200)
            #expect(
                try await Self.answer(ports[0], "/metrics", "", method: .get).text
                    .contains("vllm:request_success_total{model_name=\"fake\"} 2"))
        }
    }

    @Test(arguments: [
        (#"{"model":"other","prompt":"x"}"#, 404), ("{", 400), (#"{"prompt":"x","max_tokens":0}"#, 400),
        (#"{"messages":[]}"#, 400),
    ])
    func `what it cannot do it says`(_ body: String, _ status: Int) async throws {
        try await FakeEngine.with([Self.engine()]) { ports in
            let answer = try await Self.answer(ports[0], "/v1/completions", body)
            #expect(answer.status == status)
        }
    }

    @Test func `a prompt is read by one engine and answered by another, and roles change while they run`()
        async throws
    {
        let engines = [Self.engine { $0.role = .prefill }, Self.engine { $0.role = .decode }]
        try await FakeEngine.with(engines) { ports in
            let replicas = ports.indices.map {
                ServingRoutes.Replica(
                    name: "g\($0)", address: "127.0.0.1:\(ports[$0])", role: $0 == 0 ? .prefill : .decode)
            }
            let routes = ServingRoutes(
                version: 1, model: "fake", replicas: replicas,
                pairs: [.init(prefill: "g0", decode: "g1", weight: 1)])
            try await RunningRouter.with(routes) { router in
                let body = #"{"prompt":"abc","max_tokens":4}"#
                let answer = try await router.send("/v1/completions", body: body)
                #expect(answer.status == 200 && answer.headers["x-basalt-replica"] == "g1")
                let served = try await Self.answer(ports[0], "/metrics", "", method: .get).text
                #expect(served.contains("request_success_total{model_name=\"fake\"} 1"))
                // A replica that reads prompts writes no answers.
                #expect(try await Self.answer(ports[0], "/v1/completions", body).status == 503)
                for (port, role) in zip(ports, ["decode", "prefill"]) {
                    #expect(
                        try await Self.answer(port, "/role", #"{"role":"\#(role)"}"#).status == 200)
                }
                var flipped = routes
                flipped.version = 2
                flipped.replicas[0].role = .decode
                flipped.replicas[1].role = .prefill
                flipped.pairs = [.init(prefill: "g1", decode: "g0", weight: 1)]
                #expect(router.board.adopt(flipped))
                let second = try await router.send("/v1/completions", body: body)
                #expect(second.status == 200 && second.headers["x-basalt-replica"] == "g0")
            }
        }
    }

    @Test func `slots bound what is under way, and a queue what waits`() async throws {
        let engine = Self.engine {
            $0.slots = 1
            $0.queue = 0
            $0.times = EngineTimes(prefill: 0, perPromptToken: 0, step: 0.01, perSequence: 0)
        }
        try await FakeEngine.with([engine]) { ports in
            let body = #"{"prompt":"x","max_tokens":100000,"stream":true}"#
            let held = try await Call.open(port: ports[0], "/v1/completions", body: body)
            #expect(try await Self.answer(ports[0], "/v1/completions", body).status == 503)
            withExtendedLifetime(held) {}
        }
    }
}
