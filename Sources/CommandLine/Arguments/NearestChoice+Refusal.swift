internal import Fleet

extension NearestChoice {
    /// `no KIND "TEXT"; the nearest is "X"`, or all choices when none is near.
    static func refusal(_ what: String, _ text: String, among choices: [String]) -> String {
        if let nearest = of(text, among: choices) {
            return "no \(what) \"\(text)\"; the nearest is \"\(nearest)\""
        }
        return "no \(what) \"\(text)\"; choose one of \(choices.joined(separator: ", "))"
    }
}
