import APITypes
import Fleet
import Testing

@testable import CommandLine

struct DocumentFileTests {
    private func failure(_ text: String) -> String? {
        do {
            _ = try DocumentFile.drafts(text, name: "f.yaml")
            return nil
        } catch let failure as CommandFailure {
            return failure.message
        } catch {
            return "\(error)"
        }
    }

    @Test func scalarsFollowTheCoreSchema() throws {
        let text =
            "a: yes\nb: true\nc: 012\nd: 1.5\ne: '7'\nf: ~\ng: 1e3\nh: 2026-01-01\ni: -4\nj: \"null\"\n"
        let value = try #require(try YAMLReader.documents(text, name: "f").first?.value)
        #expect(
            value
                == .object([
                    "a": .string("yes"), "b": .bool(true), "c": .integer(12), "d": .number(1.5),
                    "e": .string("7"),
                    "f": .null, "g": .number(1000), "h": .string("2026-01-01"), "i": .integer(-4),
                    "j": .string("null"),
                ]))
    }

    @Test func whatIsShownAsYAMLReadsBackTheSame() throws {
        let value = JSONValue.object([
            "text": .string("yes"), "empty": .string(""), "number": .string("12"), "colon": .string("a: b"),
            "lines": .string("a\nb\n"), "list": .array([]), "map": .object([:]), "ü": .string("é ✓"),
            "nested": .array([.object(["k": .null]), .bool(false), .number(0.5), .integer(-1)]),
            "long": .string(String(repeating: "word ", count: 40)), "hash": .string("# no comment"),
            "escape": .string("\u{1B}[31m\ttab"),
        ])
        #expect(try YAMLReader.documents(Serialization.yaml(value), name: "f").map(\.value) == [value])
    }

    @Test func outputOfGetCanBeApplied() throws {
        let text = """
            apiVersion: basalt/v1
            kind: Cell
            metadata: {name: a, uid: x, generation: 3, revision: 1, resourceVersion: "1.2.3", createdAt: t,
              finalizers: [], labels: {a: b}, annotations: {}}
            spec: {}
            status: {}
            """
        let draft = try #require(try DocumentFile.drafts(text, name: "f").first)
        #expect(draft.draft.metadata == .init(name: "a", labels: ["a": "b"], annotations: [:]))
    }

    @Test(arguments: [
        ("kind: Pol\nmetadata: {name: a}", "f.yaml document 1: no kind \"Pol\"; the nearest is \"Pool\""),
        (
            "kind: Cell\nmetadata: {name: a}\nspce: {}",
            "f.yaml document 1: no field \"spce\"; the nearest is \"spec\""
        ),
        ("kind: Cell", "f.yaml document 1: metadata.name is missing"),
        (
            "kind: Cell\nmetadata: {name: a, lables: {}}",
            "f.yaml document 1: no field metadata \"lables\"; the nearest is \"labels\""
        ),
        (
            "---\n---\nkind: Cell\nmetadata: {name: a, labels: {b: 1}}",
            "f.yaml document 2: metadata.labels.b must be text; put it in quotes"
        ),
        ("- a", "f.yaml document 1 is not a mapping"), ("# nothing\n", "f.yaml holds no document"),
        (
            "apiVersion: v1\nkind: Cell\nmetadata: {name: a}",
            "f.yaml document 1: apiVersion must be \"basalt/v1\""
        ),
        ("kind: Cell\nmetadata:\n  name: a\n  name: b", "f.yaml document 1, line 3: given twice: name"),
    ])
    func saysWhatIsWrongAndWhere(text: String, message: String) {
        #expect(failure(text) == message)
    }

    @Test func syntaxErrorsNameTheLine() throws {
        let message = try #require(failure("kind: Cell\nmetadata:\n\tname: a\n"))
        #expect(message.hasPrefix("f.yaml document 1, line 3: "))
    }
}
