import Fleet
import Foundation
import Testing

@Suite struct TimestampTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2026-11-21T08:00:00Z", 1_795_248_000_000_000),
        ("1969-12-31T23:59:59.999999Z", -1), ("2000-02-29T12:00:00.5Z", 951_825_600_500_000),
        ("2026-11-21T09:30:00+01:30", 1_795_248_000_000_000),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000_000),
    ])
    func `RFC 3339 is read`(text: String, microseconds: Int64) {
        #expect(Timestamp(text)?.microseconds == microseconds)
    }

    @Test(arguments: [
        "", "2026", "2026-13-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00Zx", "2026-01-01T00:00:00+1:00", "20260101T000000Z",
    ])
    func `other text is refused`(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test func `what is written is read back`() throws {
        var random = Mixer(seed: 7)
        for _ in 0..<2000 {
            // From the year 1 to the year 9999.
            let span: UInt64 = 315_537_897_600_000_000
            let value = Timestamp(microseconds: Int64(random.next() % span) - 62_135_596_800_000_000)
            #expect(Timestamp(value.description) == value)
        }
    }

    @Test func `it agrees with the calendar of Foundation`() throws {
        let style = Date.ISO8601FormatStyle()
        var random = Mixer(seed: 11)
        for _ in 0..<500 {
            let seconds = Int64(random.next() % 8_000_000_000) - 2_000_000_000
            let date = Date(timeIntervalSince1970: Double(seconds))
            #expect(Timestamp(microseconds: seconds * 1_000_000).description == date.formatted(style))
        }
    }
}

/// SplitMix64: the same numbers for the same seed.
struct Mixer {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
