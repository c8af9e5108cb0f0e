import Replay
import Testing

struct BadTrace: Sendable, CustomTestStringConvertible {
    var text: String
    var shard: String?
    var code: TraceError.Code
    var message: String

    var testDescription: String { "\(code): \(text.debugDescription.prefix(60))" }

    init(_ text: String, shard: String? = nil, _ code: TraceError.Code, _ message: String) {
        self.text = text
        self.shard = shard
        self.code = code
        self.message = message
    }
}

@Suite struct BadTraceTests {
    private static let header = "arrive_s,depart_s,vcpu,mem_gb,batch_id\n"

    static let table: [BadTrace] = [
        .init(
            "", .missingHeader, "t.csv, line 1: a header that names arrive_s, depart_s, vcpu, mem_gb expected"
        ),
        .init(header, .empty, "t.csv: at least one VM expected"),
        .init(header + "0,1,1,1,1\n", shard: "0/8", .empty, "t.csv: at least one VM of shard 0/8 expected"),
        .init(
            "arrive_s,depart,vcpu,mem_gb\n", .missingColumn,
            "t.csv, line 1, column depart_s: \"arrive_s,depart,vcpu,mem_gb\" found, "
                + "a header that names depart_s expected"),
        .init(
            "arrive_s,depart_s,vcpu,mem_gb\n0,1,1,1\n", shard: "0/8", .missingColumn,
            "t.csv, line 1, column batch_id: \"arrive_s,depart_s,vcpu,mem_gb\" found, "
                + "a header that names batch_id expected"),
        .init(
            "arrive_s,depart_s,vcpu,vcpu,mem_gb\n", .duplicateColumn,
            "t.csv, line 1, column vcpu: \"arrive_s,depart_s,vcpu,vcpu,mem_gb\" found, "
                + "one column of that name expected"),
        .init(
            header + "\n0,1,1\n", .missingField,
            "t.csv, line 3, column mem_gb: field 4 of the row, which ends after 3, expected"),
        .init(
            header + "0,1,1,1,1\nx,1,1,1,1\n", .badValue,
            "t.csv, line 3, column arrive_s: \"x\" found, seconds from 0 on expected"),
        .init(
            header + "-5,1,1,1,1\n", .badValue,
            "t.csv, line 2, column arrive_s: \"-5\" found, seconds from 0 on expected"),
        .init(
            header + "0,,1,1,1\n", .badValue,
            "t.csv, line 2, column depart_s: \"\" found, seconds from 0 on expected"),
        .init(
            header + "0,1e3,1,1,1\n", .badValue,
            "t.csv, line 2, column depart_s: \"1e3\" found, seconds from 0 on expected"),
        .init(
            header + "0,9999999999999,1,1,1\n", .badValue,
            "t.csv, line 2, column depart_s: \"9999999999999\" found, seconds from 0 on expected"),
        .init(
            header + "0,1,1,1.2.3,1\n", .badValue,
            "t.csv, line 2, column mem_gb: \"1.2.3\" found, a number above 0 expected"),
        .init(
            header + "7,6.5,1,1,1\n", .departsBeforeArrival,
            "t.csv, line 2, column depart_s: \"6.5\" found, a time at or after arrive_s 7 expected"),
        .init(
            header + "0,1,0,1,1\n", .outOfRange,
            "t.csv, line 2, column vcpu: \"0\" found, a number above 0 and at most 4096 expected"),
        .init(
            header + "0,1,1,999999999999,1\n", .outOfRange,
            "t.csv, line 2, column mem_gb: \"999999999999\" found, "
                + "a number above 0 and at most 65536 expected"
        ),
        .init(
            header + "0,1,1,1,1.5\n", shard: "0/8", .badValue,
            "t.csv, line 2, column batch_id: \"1.5\" found, a whole number from 0 on expected"),
        .init(
            header + String(repeating: "9", count: 70_000), .lineTooLong,
            "t.csv, line 2: a line of at most 65536 bytes expected"),
    ]

    @Test(arguments: table)
    func isRefusedInWords(bad: BadTrace) throws {
        let shard = try bad.shard.map { text throws(OptionError) in try Shard(parsing: text) }
        let error = #expect(throws: TraceError.self) { try read(bad.text, shard: shard) }
        #expect(error?.code == bad.code)
        #expect(error?.description == bad.message)
    }

    @Test(
        arguments: [
            ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00], "xzcat"), ([0x1F, 0x8B, 0x08], "zcat"),
            ([0x28, 0xB5, 0x2F, 0xFD], "zstdcat"),
        ] as [([UInt8], String)])
    func compressedFilesNameTheToolToPipeThrough(bytes: [UInt8], tool: String) {
        let error = #expect(throws: TraceError.self) {
            try VMTraceReader().read(.bytes(bytes, name: "t.xz"))
        }
        #expect(error?.code == .compressed)
        #expect(
            error?.description
                == "t.xz: plain text (pipe it: `\(tool) FILE |` and give - as the file) expected")
    }

    @Test func aFileThatIsNotThereIsNamed() {
        let error = #expect(throws: TraceError.self) {
            try VMTraceReader().read(.file(path: "no/such/file.csv"))
        }
        #expect(error?.code == .unreadable && error?.file == "no/such/file.csv")
    }
}
