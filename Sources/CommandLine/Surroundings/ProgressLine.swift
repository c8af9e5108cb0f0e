/// Progress on standard error: a line that redraws itself on a terminal, else a line every few seconds.
struct ProgressLine {
    /// Often enough to see that something moves, seldom enough for a log.
    static let plainInterval = Duration.seconds(5)
    static let terminalInterval = Duration.milliseconds(100)
    private static let barWidth = 24

    private let surroundings: Surroundings
    private var lastShown: Duration?
    private var isDrawn = false

    init(_ surroundings: Surroundings) { self.surroundings = surroundings }

    /// Shows the state of things unless it was shown a moment ago.
    ///
    /// - Parameter fraction: 0...1; nil when unknown.
    mutating func show(_ text: String, fraction: Double?) {
        let now = surroundings.uptime()
        let console = surroundings.console
        let interval = console.errorIsTerminal ? Self.terminalInterval : Self.plainInterval
        if let lastShown, now - lastShown < interval { return }
        lastShown = now
        guard console.errorIsTerminal else { return console.writeError(Printable.clean(text) + "\n") }
        let line = Self.line(text, fraction: fraction).prefix((console.width ?? 80) - 1)
        console.writeError("\r\u{1B}[K\(line)")
        isDrawn = true
    }

    /// Removes the line from a terminal.
    mutating func end() {
        if isDrawn { surroundings.console.writeError("\r\u{1B}[K") }
        isDrawn = false
    }

    static func line(_ text: String, fraction: Double?) -> String {
        guard let fraction else { return Printable.clean(text) }
        let bounded = min(max(fraction, 0), 1)
        let filled = Int((bounded * Double(barWidth)).rounded(.down))
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: barWidth - filled)
        return "[\(bar)] \(Int((bounded * 100).rounded(.down)))% \(Printable.clean(text))"
    }
}
