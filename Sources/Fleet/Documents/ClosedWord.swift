/// A word of a closed vocabulary that users write: another one is refused with the nearest that there is.
public protocol ClosedWord: RawRepresentable<String>, CaseIterable, Codable {
    /// Words that are offered to whoever wrote another one.
    static var offered: [String] { get }
}

extension ClosedWord {
    public static var offered: [String] { allCases.map(\.rawValue) }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let word = Self(rawValue: text) else {
            let nearest =
                NearestChoice.of(text, among: Self.offered).map { "the nearest is \"\($0)\"" }
                ?? "choose one of \(Self.offered.joined(separator: ", "))"
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\"\(text.prefix(80))\" is not known; \(nearest)")
        }
        self = word
    }
}
