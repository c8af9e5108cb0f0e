import Store
import Testing

@Suite("JSON by meaning")
struct JSONContentTests {
    @Test(
        "equal values are equal",
        arguments: [
            (#"{"a":1,"b":[true,null]}"#, #" { "b" : [ true , null ] , "a" : 1 } "#),
            ("1", "1.0"), ("100", "1e2"), (#""\u00e9\/""#, #""é/""#), (#""\ud83d\ude00""#, #""😀""#),
            (#"{"a":1,"a":2}"#, #"{"a":2}"#), ("[]", "[ ]"), ("{}", "{\n}"), ("-0.5", "-5e-1"),
        ])
    func equality(_ one: String, _ other: String) throws {
        #expect(try JSONContent(one) == JSONContent(other))
        #expect(try JSONContent(JSONContent(one).canonical) == JSONContent(one))
    }

    @Test(
        "different values differ", arguments: [("1", "2"), ("1", #""1""#), ("{}", "[]"), ("null", "false")])
    func difference(_ one: String, _ other: String) throws {
        #expect(try JSONContent(one) != JSONContent(other))
    }

    @Test(
        "what is not JSON is refused",
        arguments: [
            "", "{", "[1,]", "{\"a\"}", "{a:1}", "tru", "1 2", "\"\u{1}\"", "+1", "1.", "\"\\x\"", "-", "nul",
            #""\ud83d""#, String(repeating: "[", count: 65) + String(repeating: "]", count: 65),
        ])
    func refusal(_ text: String) {
        #expect(throws: StoreError.self) { try JSONContent(text) }
    }
}
