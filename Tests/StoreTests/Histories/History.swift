import AgentProtocol
import Fleet
import Store

/// Makes random calls over a small fleet. It looks at one store to aim them, so that many succeed and the
/// others fail for a reason; its own state is a function of the seed and of what it saw.
struct History: Sendable {
    var random: SeededGenerator
    let ids: SeededIDs
    /// Allocations that were ever asked for, taken or not.
    var allocations: [ID<Allocation>] = []
    var sessions: [ID<AgentSession>] = []
    var sequence = 0
    var beginnings = 0
    var serial = 0

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        ids = SeededIDs(seed: seed ^ 0xA5A5)
    }

    static let vms = (0..<10).map { "v\($0)" }
    static let hosts = (1...5).map { "h\($0)" }
    static let cells = ["a", "b"]
    static let pools = ["p", "q"]
    static let projects = ["team", "beta"]

    mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &random) }

    /// True once in `count`.
    mutating func once(in count: Int) -> Bool { number(0..<count) == 0 }

    mutating func pick<Element>(_ elements: [Element]) -> Element? { elements.randomElement(using: &random) }

    mutating func name(of names: [String]) -> String { pick(names) ?? "" }

    mutating func nextSerial() -> Int {
        serial += 1
        return serial
    }

    /// The next call, aimed by what `store` holds. A fleet is built first.
    mutating func next(seeing store: any Store) async throws -> Operation {
        if let first = beginning() { return first }
        return switch number(0..<143) {
        case 0..<16: createDocument()
        case 16..<25: updateDocument()
        case 25..<33: deleteDocument()
        case 33..<48: try await commit(seeing: store)
        case 48..<53: try await writeStatuses(seeing: store)
        case 53..<57: try await finalize(seeing: store)
        case 57..<63: leaseCall(try await store.leases())
        case 63..<68: try await hello(seeing: store)
        case 68..<82: try await report(seeing: store)
        case 82..<88: try await judge(seeing: store)
        case 88..<90: try await releaseFenced(seeing: store)
        case 90..<92: try await resolve(seeing: store)
        case 92..<97: advance()
        case 100..<110: try await groupCall(seeing: store)
        case 110..<120: try await migrate(seeing: store)
        case 120..<140: try await rateCall(seeing: store)
        case 140..<143: leaseCall(try await store.leases())
        default: record()
        }
    }

    private mutating func advance() -> Operation {
        let seconds = once(in: 6) ? pick([11, 29, 31]) ?? 1 : number(1..<6)
        return Operation("advance \(seconds) s") { harness in
            try await harness.advance(by: .seconds(seconds))
            return ""
        }
    }

    private mutating func record() -> Operation {
        let serial = nextSerial()
        switch number(0..<8) {
        case 0:
            return Operation("raiseEpoch") { "\(try await $0.store.raiseEpoch(quarantine: .seconds(60)))" }
        case 1:
            return Operation("pruneFeed") {
                try await $0.store.pruneFeed(olderThan: .seconds(20))
                return ""
            }
        case 2:
            let token = AccessToken(
                name: "t\(serial % 3)", role: .viewer, secretHash: "hash\(serial % 4)", expiresAt: nil)
            return Operation("createToken \(token.name)") {
                try await $0.store.createToken(token, context: Self.context("create"))
                return ""
            }
        case 3:
            let event = EventDraft(
                kind: .vm, project: "team", name: "v\(serial % 10)", uid: .zero, reason: .noHostFits,
                message: "m", source: "vms")
            return Operation("appendEvents") {
                try await $0.store.appendEvents([event])
                return ""
            }
        default:
            let operation = OperationRecord(
                id: ids.id(), verb: "host.drain", target: "h1", state: .running, message: "",
                createdAt: Scene.start, updatedAt: Scene.start)
            return Operation("putOperation") {
                try await $0.store.putOperation(operation, context: Self.context("drain"))
                return ""
            }
        }
    }

    static func context(_ verb: String) -> WriteContext { WriteContext(actor: "user/ann", verb: verb) }
}
