import Fleet
import Logging
import Synchronization
import Telemetry
import Testing

/// Lines byte by byte, on a clock that stands still.
@Suite struct LineLogTests {
    private final class Lines: Sendable {
        let written = Mutex("")
    }

    private static func written(
        _ format: LogFormat, level: Logger.Level = .info, _ body: (inout Logger) -> Void
    ) -> String {
        let lines = Lines()
        var logger = Logger(label: "test") { _ in
            LineLogHandler(
                format: format, level: level, now: { Timestamp(seconds: 1_767_225_600.25) },
                write: { line in lines.written.withLock { $0 += line } })
        }
        body(&logger)
        return lines.written.withLock { $0 }
    }

    @Test func `a logfmt line`() {
        let text = Self.written(.logfmt) { logger in
            logger[metadataKey: "hb.request.id"] = "ab12"
            logger.info("plan committed", metadata: ["cell": "east", "plan": "\(7)", "empty": ""])
        }
        #expect(
            text == """
                time=2026-01-01T00:00:00.250000Z level=info component=telemetry-tests message="plan committed" \
                cell=east empty="" plan=7 request=ab12\n
                """)
    }

    @Test func `a JSON line`() {
        let text = Self.written(.json) { logger in
            logger.warning("x", metadata: ["list": ["a", "b\n"], "of": ["k": "v"], "operation": "1"])
        }
        #expect(
            text == #"{"time":"2026-01-01T00:00:00.250000Z","level":"warning","component":"telemetry-tests","#
                + #""message":"x","list":["a","b\n"],"of":{"k":"v"},"operation":"1"}"# + "\n")
    }

    @Test(arguments: [
        ("a b", #""a b""#), ("a=b", #""a=b""#), ("say \"hi\"", #""say \"hi\"""#), ("a\\b", #""a\\b""#),
        ("one\ntwo\r\tthree", #""one\ntwo\r\tthree""#),
        ("\u{1B}[31mred\u{7F}\u{9B}", #""\u001b[31mred\u007f\u009b""#),
        ("\u{0}", #""\u0000""#), ("a\u{2028}b\u{202E}c", #""a\u2028b\u202ec""#), ("größe", "größe"),
        ("plain-1.2/3:4,5", "plain-1.2/3:4,5"),
    ])
    func `nothing in a value ends a line or steers a terminal`(value: String, written: String) {
        let logfmt = Self.written(.logfmt) { $0.info("m", metadata: ["v": "\(value)"]) }
        #expect(logfmt.hasSuffix(" v=\(written)\n"), "\(logfmt)")
        let json = Self.written(.json) { $0.info("m", metadata: ["v": "\(value)"]) }
        let quoted = written.hasPrefix("\"") ? written : "\"\(written)\""
        #expect(json.hasSuffix("\"v\":\(quoted)}\n"), "\(json)")
        for text in [logfmt, json] {
            #expect(text.filter(\.isNewline).count == 1)
        }
    }

    @Test func `keys are plain words and never those of every line`() {
        let text = Self.written(.logfmt) { $0.info("m", metadata: ["level": "x", "a b\n": "1", "": "2"]) }
        #expect(text.hasSuffix("message=m _=2 a_b_=1 field.level=x\n"), "\(text)")
    }

    @Test func `a long value is cut`() {
        let text = Self.written(.json) {
            $0.info("m", metadata: ["v": "\(String(repeating: "x", count: 1 << 20))"])
        }
        #expect(text.count < 9000 && text.hasSuffix("…\"}\n"))
    }

    @Test func `lines below the level are not written`() {
        #expect(Self.written(.logfmt, level: .warning) { $0.info("m") } == "")
    }
}
