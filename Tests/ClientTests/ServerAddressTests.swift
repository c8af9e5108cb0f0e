import Client
import Testing

struct ServerAddressTests {
    @Test(arguments: [
        ("https://a", "https://a:7443"), ("https://a:8443/", "https://a:8443"),
        ("http://localhost:80", "http://localhost:80"), ("http://127.0.0.1:1", "http://127.0.0.1:1"),
    ])
    func readsAddresses(text: String, expected: String) throws {
        #expect(try ServerAddress(text).description == expected)
    }

    @Test(arguments: ["", "a:7443", "ftp://a", "https://", "https://a/v1", "https://u@a", "http://a.example"])
    func refusesOthers(text: String) {
        #expect(throws: ClientError.self) { try ServerAddress(text) }
    }

    @Test func aTokenIsNeverSentInTheClear() {
        #expect(
            throws: ClientError.configuration(
                "\"http://far:7443\" would send the token unencrypted; use https://far")
        ) { try ServerAddress("http://far:7443") }
    }

    @Test func readsListsInOrder() throws {
        let list = try ServerAddress.list("https://b, https://a:1")
        #expect(list.map(\.description) == ["https://b:7443", "https://a:1"])
        #expect(throws: ClientError.self) { try ServerAddress.list(",") }
    }
}
