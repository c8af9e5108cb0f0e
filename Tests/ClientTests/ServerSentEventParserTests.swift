import Testing

@testable import Client

struct ServerSentEventParserTests {
    private func events(_ text: String, pieces: Int = Int.max) throws -> [String] {
        var parser = ServerSentEventParser()
        var found: [String] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let piece = rest.prefix(pieces)
            rest = rest.dropFirst(piece.count)
            found += try parser.feed(piece).map { String(decoding: $0, as: UTF8.self) }
        }
        return found
    }

    @Test func readsDataAndSkipsCommentsAndOtherFields() throws {
        let text = ": hello\n\nevent: ADDED\nid: 4\ndata: {\"a\":1}\n\ndata:x\ndata: y\n\nretry: 5\n\n"
        #expect(try events(text) == ["{\"a\":1}", "x\ny"])
    }

    @Test(arguments: ["\n", "\r", "\r\n"])
    func takesEveryLineEnd(end: String) throws {
        let text = ["data: ü", "data: b", "", "data: c", "", ""].joined(separator: end)
        #expect(try events(text) == ["ü\nb", "c"])
    }

    @Test(arguments: 1...9)
    func doesNotDependOnHowBytesArrive(size: Int) throws {
        let text = "data: first\r\n\r\n:\r\ndata: zwölf\r\ndata: b\r\n\r\ndata: open"
        #expect(try events(text, pieces: size) == ["first", "zwölf\nb"])
    }

    @Test func refusesEndlessLines() {
        var parser = ServerSentEventParser(limit: 16)
        #expect(throws: ClientError.self) { try parser.feed("data: seventeen bytes".utf8) }
    }
}
