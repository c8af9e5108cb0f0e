import AsyncHTTPClient
import FaultProxy
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

/// Toxics between a client and an upstream that are both real, driven as toxiproxy is.
struct FaultProxyTests {
    @Test func proxiesAreMadeShownSwitchedAndDeleted() async throws {
        try await Stage.run { stage in
            #expect(try await stage.ask(.GET, "/version").status == 200)
            #expect(try await stage.ask(.GET, "/proxies").json?["up"] != nil)
            #expect(try await stage.send("hello") == "HELLO")
            let off = try await stage.ask(.POST, "/proxies/up", #"{"enabled":false}"#)
            #expect(off.status == 200 && off.json?["enabled"] as? Bool == false)
            await #expect(throws: (any Error).self) { try await stage.send("x") }
            #expect(try await stage.ask(.POST, "/proxies/up", #"{"enabled":true}"#).status == 200)
            #expect(try await stage.send("again") == "AGAIN")
            #expect(try await stage.ask(.DELETE, "/proxies/up").status == 204)
            #expect(try await stage.ask(.GET, "/proxies/up").status == 404)
        }
    }

    @Test func badRequestsAreToldInToxiproxysWords() async throws {
        try await Stage.run { stage in
            let taken = try await stage.ask(
                .POST, "/proxies", #"{"name":"up","listen":"127.0.0.1:0","upstream":"127.0.0.1:1"}"#)
            #expect(taken.status == 409 && taken.json?["error"] as? String == "proxy already exists")
            #expect(try await stage.ask(.POST, "/proxies", "{").status == 400)
            #expect(
                try await stage.ask(.POST, "/proxies", #"{"name":"x","upstream":"nowhere"}"#).status == 400)
            #expect(try await stage.ask(.POST, "/proxies/up/toxics", #"{"type":"moon"}"#).status == 400)
            #expect(try await stage.ask(.DELETE, "/proxies/up/toxics/none").status == 404)
            #expect(try await stage.ask(.GET, "/proxies/none/toxics").status == 404)
        }
    }

    @Test func latencyIsOnTopAndGoesWithItsToxic() async throws {
        try await Stage.run { stage in
            let made = try await stage.toxic("latency", attributes: #"{"latency":300}"#)
            #expect(made.status == 200 && made.json?["name"] as? String == "latency_downstream")
            #expect(try await stage.ask(.POST, "/proxies/up/toxics", #"{"type":"latency"}"#).status == 409)
            let began = ContinuousClock.now
            #expect(try await stage.send("late") == "LATE")
            #expect(ContinuousClock.now - began >= .milliseconds(300))
            let changed = try await stage.ask(
                .POST, "/proxies/up/toxics/latency_downstream", #"{"attributes":{"latency":1}}"#)
            #expect((changed.json?["attributes"] as? [String: Int])?["latency"] == 1)
            #expect(try await stage.ask(.DELETE, "/proxies/up/toxics/latency_downstream").status == 204)
            #expect(try await stage.send("soon") == "SOON")
        }
    }

    @Test func nothingPassesATimeoutUntilItIsRemoved() async throws {
        try await Stage.run { stage in
            _ = try await stage.toxic("timeout", attributes: #"{"timeout":0}"#)
            let connection = try await stage.connect()
            try await connection.write("lost")
            #expect(try await connection.read(for: .milliseconds(300)) == nil)
            _ = try await stage.ask(.DELETE, "/proxies/up/toxics/timeout_downstream")
            // What was swallowed is missing, so the connection is closed; an answer that had not come yet is not.
            let late = try await connection.read(for: .seconds(60))
            if late == nil { #expect(try await connection.isClosed()) } else { #expect(late == "LOST") }
            #expect(try await stage.send("new") == "NEW")
        }
    }

    @Test(arguments: ["timeout", "reset_peer"])
    func connectionsEndAfterATime(_ type: String) async throws {
        try await Stage.run { stage in
            let connection = try await stage.connect()
            try await connection.write("a")
            #expect(try await connection.read(for: .seconds(60)) == "A")
            _ = try await stage.toxic(type, attributes: #"{"timeout":50}"#)
            #expect(try await connection.isClosed())
        }
    }

    @Test func dataIsLimitedSlicedAndSlowed() async throws {
        try await Stage.run { stage in
            _ = try await stage.toxic("limit_data", attributes: #"{"bytes":3}"#)
            let connection = try await stage.connect()
            try await connection.write("abcdef")
            #expect(try await connection.readToEnd() == "ABC")
            _ = try await stage.ask(.POST, "/reset")
            _ = try await stage.toxic("slicer", attributes: #"{"average_size":1,"delay":1000}"#)
            #expect(try await stage.send("pieces") == "PIECES")
            _ = try await stage.ask(.POST, "/reset")
            _ = try await stage.toxic("bandwidth", attributes: #"{"rate":10}"#)
            let began = ContinuousClock.now
            let long = String(repeating: "x", count: 4096)
            #expect(try await stage.send(long) == long.uppercased())
            // 4 KiB at 10 KiB/s.
            #expect(ContinuousClock.now - began >= .milliseconds(390))
        }
    }

    @Test func aToxicHitsItsShareOfConnections() async throws {
        try await Stage.run(unit: { 0.5 }) { stage in
            _ = try await stage.toxic("timeout", attributes: #"{"timeout":0}"#, toxicity: 0.4)
            #expect(try await stage.send("missed") == "MISSED")
            _ = try await stage.ask(.POST, "/proxies/up/toxics/timeout_downstream", #"{"toxicity":0.6}"#)
            let connection = try await stage.connect()
            try await connection.write("hit")
            #expect(try await connection.read(for: .milliseconds(200)) == nil)
        }
    }
}
