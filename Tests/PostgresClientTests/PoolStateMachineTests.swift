import Testing

@testable import PostgresClient

@Suite struct PoolStateMachineTests {
    private let now = ContinuousClock.now

    /// `#expect` takes its operands apart, and an event changes the machine.
    private func check(_ condition: Bool, _ location: SourceLocation = #_sourceLocation) {
        #expect(condition, sourceLocation: location)
    }

    private func machine(
        minimum: Int = 0, maximum: Int = 2, queue: Int = 2
    ) -> PoolStateMachine {
        PoolStateMachine(
            PoolConfiguration(
                minimumConnections: minimum, maximumConnections: maximum, queueLimit: queue,
                idleTimeout: .seconds(10),
                reconnect: Backoff(initial: .seconds(1), maximum: .seconds(4))))
    }

    @Test func startOpensTheMinimum() {
        var pool = machine(minimum: 2)
        check(pool.start() == [.connect(0, after: .zero), .connect(1, after: .zero)])
        check(pool.start().isEmpty)
    }

    @Test func requestsOpenUpToTheMaximumThenWaitThenFail() {
        var pool = machine(maximum: 1, queue: 2)
        check(pool.request(1) == [.connect(0, after: .zero)])
        check(pool.request(2).isEmpty)
        check(pool.request(3) == [.fail(3, .poolExhausted)])
        check(pool.connected(0, now: now) == [.lease(0, to: 1)])
        check(pool.released(0, isReusable: true, now: now) == [.lease(0, to: 2)])
        check(pool.released(0, isReusable: true, now: now).isEmpty)
        #expect(pool.idle == [0])
    }

    @Test func theConnectionUsedLastIsUsedNext() {
        var pool = machine(minimum: 2)
        _ = pool.start()
        _ = pool.connected(0, now: now)
        _ = pool.connected(1, now: now)
        check(pool.request(1) == [.lease(1, to: 1)])
        check(pool.request(2) == [.lease(0, to: 2)])
    }

    @Test func abandonedRequestsAreNotServed() {
        var pool = machine(maximum: 1)
        _ = pool.request(1)
        check(pool.abandon(1))
        check(!pool.abandon(1))
        check(pool.connected(0, now: now).isEmpty)
        #expect(pool.idle == [0])
    }

    @Test func failedAttemptsAreRepeatedWithGrowingWaits() {
        var pool = machine(minimum: 1)
        _ = pool.start()
        check(pool.connectFailed(0, fraction: 1) == [.connect(0, after: .seconds(1))])
        check(pool.connectFailed(0, fraction: 1) == [.connect(0, after: .seconds(2))])
        check(pool.connectFailed(0, fraction: 0) == [.connect(0, after: .seconds(2))])
        check(pool.connectFailed(0, fraction: 1) == [.connect(0, after: .seconds(4))])
        check(pool.connected(0, now: now).isEmpty)
        check(pool.lost(0) == [.close(0), .connect(1, after: .zero)])
    }

    @Test func surplusAttemptsEndWhenNobodyWaits() {
        var pool = machine()
        _ = pool.request(1)
        check(pool.abandon(1))
        check(pool.connectFailed(0, fraction: 1).isEmpty)
        #expect(pool.slots.isEmpty)
    }

    @Test func brokenConnectionsAreReplacedForThoseWhoWait() {
        var pool = machine(maximum: 1)
        _ = pool.request(1)
        _ = pool.connected(0, now: now)
        _ = pool.request(2)
        check(pool.released(0, isReusable: false, now: now) == [.close(0), .connect(1, after: .zero)])
        check(pool.connected(1, now: now) == [.lease(1, to: 2)])
    }

    @Test func aLeasedConnectionThatBrokeIsNotReused() {
        var pool = machine()
        _ = pool.request(1)
        _ = pool.connected(0, now: now)
        check(pool.lost(0).isEmpty)
        check(pool.released(0, isReusable: true, now: now) == [.close(0)])
    }

    @Test func idleConnectionsAboveTheMinimumAge() {
        var pool = machine(minimum: 1, maximum: 3)
        _ = pool.start()
        _ = pool.connected(0, now: now)
        _ = pool.request(1)
        _ = pool.request(2)
        _ = pool.connected(1, now: now)
        _ = pool.released(0, isReusable: true, now: now)
        _ = pool.released(1, isReusable: true, now: now + .seconds(5))
        check(pool.tick(now: now + .seconds(9)).isEmpty)
        check(pool.tick(now: now + .seconds(20)) == [.close(0)])
        #expect(pool.idle == [1])
    }

    @Test func closingFailsWaitersAndWaitsForLeases() {
        var pool = machine(minimum: 1, maximum: 1)
        _ = pool.start()
        _ = pool.connected(0, now: now)
        _ = pool.request(1)
        _ = pool.request(2)
        check(pool.close() == [.fail(2, .poolClosed)])
        check(pool.request(3) == [.fail(3, .poolClosed)])
        check(pool.released(0, isReusable: true, now: now) == [.close(0), .finished])
        check(pool.close().isEmpty)
    }

    @Test func closingWhileConnecting() {
        var pool = machine(minimum: 2)
        _ = pool.start()
        _ = pool.connected(0, now: now)
        check(pool.close() == [.close(0), .finished])
        check(pool.connected(1, now: now) == [.close(1)])
        check(pool.connectFailed(1, fraction: 0).isEmpty)
    }

    /// Whatever happens, in any order: no slot above the maximum, and each request is answered at most once.
    @Test(arguments: 0..<20 as Range<UInt64>) func randomHistories(seed: UInt64) {
        var pool = machine(minimum: 1, maximum: 3, queue: 4)
        let jitter = JitterSource.seeded(seed)
        var connecting: Set<Int> = []
        var leased: Set<Int> = []
        var answered: Set<UInt64> = []
        func apply(_ actions: [PoolStateMachine.Action]) {
            for action in actions {
                switch action {
                case .connect(let slot, _): connecting.insert(slot)
                case .lease(let slot, let request):
                    check(leased.insert(slot).inserted && answered.insert(request).inserted)
                case .fail(let request, _): check(answered.insert(request).inserted)
                case .close, .finished: break
                }
            }
            #expect(pool.slots.count <= 3 && pool.queue.count <= 4, "seed \(seed)")
        }
        apply(pool.start())
        for step in 0..<2_000 as Range<UInt64> {
            let slot = connecting.sorted().first
            let lease = leased.sorted().first
            switch Int(jitter.fraction() * 6) {
            case 0, 1: apply(pool.request(step))
            case 2:
                guard let slot else { continue }
                connecting.remove(slot)
                apply(pool.connected(slot, now: now))
            case 3:
                guard let slot else { continue }
                connecting.remove(slot)
                apply(pool.connectFailed(slot, fraction: 0))
            case 4:
                guard let lease else { continue }
                leased.remove(lease)
                apply(pool.released(lease, isReusable: jitter.fraction() < 0.8, now: now))
            default:
                if let idle = pool.idle.first { apply(pool.lost(idle)) }
                if let first = pool.queue.first, jitter.fraction() < 0.3 { check(pool.abandon(first)) }
            }
        }
    }
}
