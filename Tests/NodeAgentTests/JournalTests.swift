import AgentProtocol
import Fleet
@testable import NodeAgent
import Shim
import Testing

@Suite("Journals and the agent's ledger")
struct JournalTests {
    private let payloads = ["first\n", "#12 not a header\n", "third line\nand fourth\n"].map {
        Array($0.utf8)
    }

    private func write(_ directory: TemporaryDirectory) throws -> String {
        let path = directory.path + "/journal"
        let (file, _) = try JournalFile.open(path: path)
        for payload in payloads { try file.append(payload, durable: false) }
        return path
    }

    @Test("A journal cut at any byte opens with the appends that are whole, and takes new ones")
    func tornTail() throws {
        let directory = try TemporaryDirectory()
        _ = try write(directory)
        let whole = try directory.bytes(of: "journal")
        let ends = payloads.reduce(into: [0]) { $0.append(($0.last ?? 0) + JournalFrame.encode($1).count) }
        #expect(ends.last == whole.count)
        for length in 0...whole.count {
            let cut = try TemporaryDirectory()
            try cut.write(String(decoding: whole.prefix(length), as: UTF8.self), to: "journal")
            let expected = payloads.prefix(ends.count { $0 <= length } - 1)
            let path = cut.path + "/journal"
            #expect(try JournalFile.read(path: path).payloads.map(Array.init) == Array(expected))
            try reopen(path, expecting: Array(expected))
            let extra = Array("new\n".utf8)
            #expect(try JournalFile.read(path: path).payloads.map(Array.init) == expected + [extra])
        }
    }

    private func reopen(_ path: String, expecting expected: [[UInt8]]) throws {
        let (file, payloads) = try JournalFile.open(path: path)
        #expect(payloads.map(Array.init) == expected)
        try file.append(Array("new\n".utf8), durable: true)
    }

    @Test("Damage before the last append is refused, not repaired")
    func corruption() throws {
        let directory = try TemporaryDirectory()
        let path = try write(directory)
        var bytes = try directory.bytes(of: "journal")
        bytes[14] ^= 1
        try directory.write(String(decoding: bytes, as: UTF8.self), to: "journal")
        #expect(throws: JournalError.self) { try JournalFile.open(path: path) }
        #expect(try directory.bytes(of: "journal") == bytes)
    }

    @Test("One process writes a journal at a time")
    func lock() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/journal"
        let first = try JournalFile.open(path: path)
        let error = #expect(throws: JournalError.self) { try JournalFile.open(path: path) }
        #expect(error?.code == .locked)
        try first.file.append(Array("mine\n".utf8), durable: false)
    }

    @Test("The ledger reads back what was appended, before and after compaction")
    func ledgerRoundTrip() throws {
        let directory = try TemporaryDirectory()
        var random = SplitMix64(seed: 11)
        var expected = LedgerSnapshot()
        for _ in 0..<30 {
            let (ledger, snapshot) = try AgentLedger.open(directory: directory.path)
            #expect(snapshot == expected)
            let entries = (0..<5).map { _ in entry(&random) }
            try ledger.append(entries)
            for entry in entries { expected.apply(entry) }
            if random.next() % 3 == 0 { try ledger.compact(expected) }
        }
        #expect(try AgentLedger.open(directory: directory.path).snapshot == expected)
    }

    private func entry(_ random: inout SplitMix64) -> LedgerEntry {
        let number = Int(random.next() % 40)
        let progress: LedgerPart.Progress =
            switch random.next() % 3 {
            case 0: .accepted
            case 1: .launched
            default: .ended(PartEnd(outcome: .failed, exitCode: 3, message: "a \"quoted\"\nline"))
            }
        return LedgerEntry(
            host: "host-\(random.next() % 4)",
            accepted: AcceptedVersion(generation: Generation(epoch: 1, number: number), hash: "\(number)"),
            parts: [LedgerPart(directive: directive(number), progress: progress, listed: number % 2 == 0)],
            forgotten: [id(Int(random.next() % 40))].filter { $0 != id(number) })
    }

    @Test("A ledger cut at any byte keeps every answer that was synced before it")
    func tornLedger() throws {
        let directory = try TemporaryDirectory()
        var random = SplitMix64(seed: 5)
        var snapshots = [LedgerSnapshot()]
        var ends = [0]
        do {
            let (ledger, _) = try AgentLedger.open(directory: directory.path)
            for _ in 0..<3 {
                let entry = entry(&random)
                try ledger.append([entry])
                var next = snapshots[snapshots.count - 1]
                next.apply(entry)
                snapshots.append(next)
                ends.append(ledger.byteCount)
            }
        }
        let whole = try directory.bytes(of: "ledger.journal")
        for length in 0...whole.count {
            let cut = try TemporaryDirectory()
            try cut.write(String(decoding: whole.prefix(length), as: UTF8.self), to: "ledger.journal")
            let (_, snapshot) = try AgentLedger.open(directory: cut.path)
            #expect(snapshot == snapshots[ends.count { $0 <= length } - 1])
        }
    }

    @Test("A ledger that outgrew its content is compacted, by the agent and at the next start")
    func compactionDue() throws {
        let directory = try TemporaryDirectory()
        var snapshot = LedgerSnapshot()
        do {
            let (ledger, _) = try AgentLedger.open(directory: directory.path)
            let message = String(repeating: "m", count: 1 << 20)
            for round in 0..<8 {
                #expect(!ledger.isCompactionDue)
                let end = PartEnd(outcome: .failed, exitCode: round, message: message)
                let part = LedgerPart(directive: directive(1), progress: .ended(end), listed: true)
                let entry = LedgerEntry(host: "a", accepted: nil, parts: [part])
                try ledger.append([entry])
                snapshot.apply(entry)
            }
            #expect(ledger.isCompactionDue)
        }
        let (ledger, read) = try AgentLedger.open(directory: directory.path)
        #expect(read == snapshot)
        #expect(ledger.byteCount < 2 << 20)
        #expect(try AgentLedger.Limit.compactionBytes > directory.bytes(of: "ledger.journal").count)
    }

    @Test("The credential is stored whole, for the owner only, and read back")
    func credential() throws {
        let directory = try TemporaryDirectory()
        let file = CredentialFile(path: directory.path + "/credential.json")
        #expect(try file.load() == nil)
        let credential = JoinResponse(session: id(1), credential: "secret")
        try file.store(credential)
        #expect(try file.load() == credential)
        #expect(try directory.permissions(of: "credential.json") == 0o600)
        try directory.write("{\"secret\": 1", to: "credential.json")
        let error = #expect(throws: JournalError.self) { try file.load() }
        #expect(error?.message.contains("secret") == false)
    }
}
