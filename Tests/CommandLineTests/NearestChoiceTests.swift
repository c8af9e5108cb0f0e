import Fleet
import Testing

@testable import CommandLine

struct NearestChoiceTests {
    private let verbs = ["get", "describe", "apply", "diff", "delete"]

    @Test(arguments: [
        ("gte", "get"), ("GET", "get"), ("aply", "apply"), ("delte", "delete"), ("dif", "diff"),
    ])
    func findsWhatWasMeant(typed: String, meant: String) {
        #expect(NearestChoice.of(typed, among: verbs) == meant)
    }

    @Test func namesAllWhenNoneIsNear() {
        #expect(NearestChoice.of("florbleblarb", among: verbs) == nil)
        #expect(
            NearestChoice.refusal("verb", "florbleblarb", among: ["get", "apply"])
                == "no verb \"florbleblarb\"; choose one of get, apply")
    }

    @Test(arguments: [("", "", 0), ("ab", "ba", 1), ("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3)])
    func countsEdits(left: String, right: String, edits: Int) {
        #expect(NearestChoice.distance(left, right) == edits)
    }
}
