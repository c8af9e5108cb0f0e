internal import Foundation

/// What added servers cost, as a drawing: the peak of the row without and with a guard, the throughput lost,
/// and how often everything was braked.
public struct PowerPlot: Sendable {
    private let results: [PowerResult]
    private let width = 900.0
    private let height = 520.0
    private let left = 70.0
    private let right = 850.0
    private let top = 60.0
    private let bottom = 430.0

    public init(_ results: [PowerResult]) {
        self.results = results.sorted { $0.addedPct < $1.addedPct }
    }

    /// A whole SVG document.
    public var svg: String {
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Int(width))" height="\(Int(height))" \
            viewBox="0 0 \(Int(width)) \(Int(height))" font-family="sans-serif" font-size="12">
            """,
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
        ]
        lines += axes
        lines += curve(results.map(\.freePeakPct), "#999999", "peak without a guard", legend: 0)
        lines += curve(results.map(\.peakPct), "#1f4e8c", "peak", legend: 1)
        lines += curve(results.map(\.lowLossPct), "#c26a1b", "low-priority throughput lost", legend: 2)
        lines += curve(results.map(\.highLossPct), "#2f7d4f", "high-priority throughput lost", legend: 3)
        lines += results.map { result in
            label(
                "\(result.brakes)", x: x(result.addedPct), y: bottom + 42, anchor: "middle",
                colour: result.brakes == 0 ? "#333333" : "#b3261e")
        }
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private var greatest: Double {
        let value = results.map { max($0.freePeakPct, $0.peakPct) }.max() ?? 0
        return (max(110, value) / 10).rounded(.up) * 10
    }

    private func x(_ added: Double) -> Double {
        let span = max(1, (results.last?.addedPct ?? 0) - (results.first?.addedPct ?? 0))
        return left + (added - (results.first?.addedPct ?? 0)) / span * (right - left)
    }

    private func y(_ percent: Double) -> Double { bottom - percent / greatest * (bottom - top) }

    private var axes: [String] {
        var lines: [String] = []
        for percent in stride(from: 0, through: greatest, by: 10) {
            let isBudget = percent == 100
            lines.append(
                """
                <line x1="\(text(left))" y1="\(text(y(percent)))" x2="\(text(right))" \
                y2="\(text(y(percent)))" stroke="\(isBudget ? "#b3261e" : "#dddddd")"/>
                """)
            lines.append(label("\(Int(percent))", x: left - 8, y: y(percent) + 4, anchor: "end"))
        }
        for result in results {
            let name = String(format: "+%g %%", result.addedPct)
            lines.append(label(name, x: x(result.addedPct), y: bottom + 20, anchor: "middle"))
        }
        lines.append(label("brakes", x: left - 8, y: bottom + 42, anchor: "end"))
        lines.append(label("servers added", x: (left + right) / 2, y: bottom + 70, anchor: "middle"))
        lines.append(label("per cent", x: left, y: top - 40))
        return lines
    }

    private func curve(_ values: [Double], _ colour: String, _ name: String, legend: Int) -> [String] {
        let points = zip(results, values).map { "\(text(x($0.addedPct))),\(text(y($1)))" }
        return [
            """
            <polyline points="\(points.joined(separator: " "))" fill="none" stroke="\(colour)" \
            stroke-width="2"/>
            """,
            label(name, x: left + Double(legend) * 195, y: top - 18, colour: colour),
        ]
    }

    private func label(
        _ content: String, x: Double, y: Double, anchor: String = "start", colour: String = "#333333"
    ) -> String {
        "<text x=\"\(text(x))\" y=\"\(text(y))\" text-anchor=\"\(anchor)\" fill=\"\(colour)\">\(content)</text>"
    }

    private func text(_ value: Double) -> String { String(format: "%.1f", value) }
}
