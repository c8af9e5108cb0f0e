import Fleet
import Testing

@testable import ServingRouter

@Suite struct RoutePickerTests {
    typealias Refusal = RoutePicker.Refusal

    private static func routes(
        _ weights: [Double], version: Int = 1, slots: Int? = nil
    ) -> ServingRoutes {
        let replicas = weights.indices.map {
            ServingRoutes.Replica(name: "g\($0)", address: "h\($0):1", role: .both, slots: slots)
        }
        return ServingRoutes(
            version: version, model: "m", replicas: replicas,
            pairs: zip(replicas, weights).map { .init(prefill: $0.name, decode: $0.name, weight: $1) })
    }

    private static func counts(_ picker: inout RoutePicker, _ number: Int) throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for _ in 0..<number {
            let choice = try picker.choose(at: .zero)
            counts[choice.decode.name, default: 0] += 1
            picker.end(choice, .served, at: .zero)
        }
        return counts
    }

    @Test func `every short window matches the weights`() throws {
        var picker = RoutePicker()
        picker.adopt(Self.routes([5, 1, 2]))
        for _ in 0..<20 { #expect(try Self.counts(&picker, 8) == ["g0": 5, "g1": 1, "g2": 2]) }
    }

    @Test func `who is not ready gets requests only where nobody is`() throws {
        var picker = RoutePicker()
        let routes = Self.routes([1, 1, 1])
        func note(_ replica: ServingRoutes.Replica, _ isReady: Bool, isNews: Bool) throws {
            let found = picker.note(replica, isReady: isReady)
            try #require(found == isNews)
        }
        picker.adopt(routes)
        // Where nobody looks, everybody is taken to be ready.
        #expect(try Self.counts(&picker, 6) == ["g0": 2, "g1": 2, "g2": 2])
        try note(routes.replicas[0], true, isNews: true)
        try note(routes.replicas[0], true, isNews: false)
        try note(routes.replicas[1], false, isNews: true)
        // The third has not been looked at yet.
        #expect(try Self.counts(&picker, 4) == ["g0": 4])
        try note(routes.replicas[0], false, isNews: true)
        #expect(try Self.counts(&picker, 4) == ["g2": 4])
        try note(routes.replicas[2], false, isNews: true)
        #expect(try Self.counts(&picker, 6) == ["g0": 2, "g1": 2, "g2": 2])
        try note(routes.replicas[1], true, isNews: true)
        #expect(try Self.counts(&picker, 4) == ["g1": 4])
        let stranger = ServingRoutes.Replica(name: "g9", address: "h9:1", role: .both)
        try note(stranger, false, isNews: false)
    }

    @Test func `a round goes on in the next version`() throws {
        var picker = RoutePicker()
        var counts: [String: Int] = [:]
        // With rounds begun anew every request would go to the first.
        for version in 1...40 {
            picker.adopt(Self.routes([3, 2], version: version))
            let choice = try picker.choose(at: .zero)
            counts[choice.decode.name, default: 0] += 1
            picker.end(choice, .served, at: .zero)
        }
        #expect(counts == ["g0": 24, "g1": 16])
    }

    @Test func `a replica that failed rests, longer each time, and is used when there is no other`() throws {
        var picker = RoutePicker()
        picker.adopt(Self.routes([1, 1]))
        let first = try picker.choose(at: .zero)
        #expect(first.decode.name == "g0")
        picker.end(first, .failed, at: .zero)
        #expect(try Self.counts(&picker, 4) == ["g1": 4])
        #expect(picker.states(at: .milliseconds(499)).first?.isResting == true)
        #expect(picker.states(at: .milliseconds(500)).first?.isResting == false)
        var health = ReplicaHealth()
        var now = Duration.zero
        var rests: [Duration] = []
        for _ in 0..<8 {
            health.failed(at: now)
            rests.append(health.restsUntil - now)
            now = health.restsUntil
        }
        #expect(rests.prefix(3) == [.milliseconds(500), .seconds(1), .seconds(2)])
        #expect(rests.last == .seconds(15))
        picker.end(try picker.choose(at: .zero), .failed, at: .zero)
        // Both rest: better one of them than none.
        #expect(try Self.counts(&picker, 2).values.reduce(0, +) == 2)
    }

    @Test func `requests that fail together are one failure`() {
        var health = ReplicaHealth()
        for _ in 0..<50 { health.failed(at: .zero) }
        #expect(health.restsUntil == .milliseconds(500))
        health.succeeded()
        #expect(!health.rests(at: .zero))
    }

    @Test func `a second try goes elsewhere, and there is none without another pair`() throws {
        var picker = RoutePicker()
        picker.adopt(Self.routes([9, 1]))
        let first = try picker.choose(at: .zero)
        picker.end(first, .failed, at: .zero)
        let second = try picker.choose(avoiding: [first], at: .zero)
        #expect(second.decode.name == "g1")
        picker.end(second, .failed, at: .zero)
        #expect(throws: Refusal.noRoute) { try picker.choose(avoiding: [first, second], at: .zero) }
    }

    @Test func `of pairs that share a failed replica another one is preferred`() throws {
        var picker = RoutePicker()
        let replicas = [
            ("p0", ServingRoutes.Role.prefill), ("p1", .prefill), ("d0", .decode), ("d1", .decode),
        ]
        .map { ServingRoutes.Replica(name: $0.0, address: "\($0.0):1", role: $0.1) }
        picker.adopt(
            ServingRoutes(
                version: 1, model: "m", replicas: replicas,
                pairs: [
                    .init(prefill: "p0", decode: "d0", weight: 10),
                    .init(prefill: "p1", decode: "d0", weight: 5),
                    .init(prefill: "p1", decode: "d1", weight: 1),
                ]))
        let first = try picker.choose(at: .zero)
        #expect(first.isSplit && first.decode.name == "d0")
        picker.end(first, .prefillFailed, at: .zero)
        let second = try picker.choose(avoiding: [first], at: .zero)
        #expect([second.prefill.name, second.decode.name] == ["p1", "d1"])
        // The replica that wrote was not the one that failed.
        #expect(picker.states(at: .zero).filter(\.isResting).map(\.name) == ["p0"])
    }

    @Test func `slots bound what a replica gets`() throws {
        var picker = RoutePicker()
        picker.adopt(Self.routes([1, 1], slots: 2))
        let held = try (0..<4).map { _ in try picker.choose(at: .zero) }
        #expect(throws: Refusal.busy) { try picker.choose(at: .zero) }
        picker.end(held[0], .unknown, at: .zero)
        #expect(try picker.choose(at: .zero).decode == held[0].decode)
    }

    @Test func `a replica that left is shown until its last request has ended`() throws {
        var picker = RoutePicker()
        picker.adopt(Self.routes([1, 1]))
        let choice = try picker.choose(at: .zero)
        picker.adopt(Self.routes([], version: 2))
        let drains = picker.states(at: .zero)
        #expect(drains.map(\.name) == ["g0"] && drains.allSatisfy { $0.isDraining && $0.underWay == 1 })
        picker.end(choice, .served, at: .zero)
        #expect(picker.states(at: .zero).isEmpty)
        #expect(throws: Refusal.noRoute) { try picker.choose(at: .zero) }
    }

    @Test func `older routes are not followed, a later epoch is`() {
        let board = RouteBoard(uptime: { .zero })
        #expect(board.adopt(Self.routes([1], version: 5)))
        #expect(!board.adopt(Self.routes([1, 1], version: 4)))
        #expect(!board.adopt(Self.routes([1, 1], version: 5)))
        var restored = Self.routes([1, 1], version: 2)
        restored.epoch = 2
        #expect(board.adopt(restored))
        #expect(board.routes == restored)
    }

    @Test func `defects are named with their place`() {
        let bad = ServingRoutes(
            version: 1, model: "m",
            replicas: [
                .init(name: "a", address: "nowhere", role: .prefill),
                .init(name: "a", address: "h:1", role: .decode, slots: 0),
            ],
            pairs: [
                .init(prefill: "a", decode: "b", weight: 0), .init(prefill: "a", decode: "a", weight: .nan),
            ])
        let fields = bad.defects().map(\.field)
        #expect(
            fields == [
                "replicas[0].address", "replicas[1].slots", "replicas[1].name", "pairs[0].prefill",
                "pairs[0].decode", "pairs[0].weight", "pairs[1].prefill", "pairs[1].weight",
            ])
        #expect(Self.routes([1, 2]).defects().isEmpty)
        #expect(ReplicaAddress("[::1]:80") == ReplicaAddress("[::1]:80"))
        #expect(ReplicaAddress("[::1]:80")?.host == "::1")
        for text in ["", "h", "h:", "h:0", "h:70000", ":80", "a b:1", "::1:80", "h/x:1", "u@h:1"] {
            #expect(ReplicaAddress(text) == nil, "\(text)")
        }
    }
}
