internal import Foundation

/// What policies save against how often their hosts are hot, as a drawing: the better ones are to the right
/// and below.
public struct FrontierPlot: Sendable {
    private let results: [PackingResult]

    public init(_ results: [PackingResult]) { self.results = results }

    /// A whole SVG document. Rates are on a logarithmic axis, of which the lowest line stands for none at
    /// all; vertical strokes reach from the least to the greatest rate of the orders.
    public var svg: String {
        let frame = PlotFrame(
            savedRange: Self.range(results.map(\.savedPct.mean)),
            leastExponent: Self.leastExponent(results.map(\.hotHostSampleRate.min)))
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(frame.width)" height="\(frame.height)" \
            viewBox="0 0 \(frame.width) \(frame.height)" font-family="sans-serif" font-size="12">
            """,
            "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
        ]
        lines += frame.axes
        lines += results.flatMap { Self.point($0, frame) }
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    /// Whole tens around the values.
    private static func range(_ values: [Double]) -> ClosedRange<Double> {
        let low = ((values.min() ?? 0) / 10).rounded(.down) * 10
        let high = ((values.max() ?? 0) / 10).rounded(.up) * 10
        return low...max(high, low + 10)
    }

    /// One decade below the least rate that is not zero.
    private static func leastExponent(_ rates: [Double]) -> Int {
        let least = rates.filter { $0 > 0 }.min() ?? 0.001
        return min(-2, Int(log10(least).rounded(.down)) - 1)
    }

    private static func point(_ result: PackingResult, _ frame: PlotFrame) -> [String] {
        let rate = result.hotHostSampleRate
        let x = PlotFrame.text(frame.x(result.savedPct.mean))
        let y = frame.y(rate.mean)
        let label = result.policy.replacingOccurrences(of: "&", with: "&amp;")
            .replacingOccurrences(of: "<", with: "&lt;")
        return [
            """
            <line x1="\(x)" y1="\(PlotFrame.text(frame.y(rate.min)))" x2="\(x)" \
            y2="\(PlotFrame.text(frame.y(rate.max)))" stroke="#7a9cc6"/>
            """,
            "<circle cx=\"\(x)\" cy=\"\(PlotFrame.text(y))\" r=\"4\" fill=\"#1f4e8c\"/>",
            "<text x=\"\(x)\" y=\"\(PlotFrame.text(y - 8))\" text-anchor=\"middle\">\(label)</text>",
        ]
    }
}

/// Where values lie on the drawing.
private struct PlotFrame {
    let savedRange: ClosedRange<Double>
    /// Of the line that stands for zero.
    let leastExponent: Int
    let width = 900
    let height = 560
    private let left = 90.0
    private let right = 860.0
    private let top = 40.0
    private let bottom = 490.0

    init(savedRange: ClosedRange<Double>, leastExponent: Int) {
        self.savedRange = savedRange
        self.leastExponent = leastExponent
    }

    func x(_ saved: Double) -> Double {
        left + (saved - savedRange.lowerBound) / (savedRange.upperBound - savedRange.lowerBound)
            * (right - left)
    }

    func y(_ rate: Double) -> Double {
        let exponent = rate > 0 ? max(log10(rate), Double(leastExponent)) : Double(leastExponent)
        return top + exponent / Double(leastExponent) * (bottom - top)
    }

    var axes: [String] {
        var lines: [String] = []
        for exponent in leastExponent...0 {
            let height = y(pow(10, Double(exponent)))
            lines.append(
                """
                <line x1="\(left)" y1="\(Self.text(height))" x2="\(right)" y2="\(Self.text(height))" stroke="#ddd"/>
                """)
            let label = exponent == leastExponent ? "0" : exponent == 0 ? "1" : "1e\(exponent)"
            lines.append(
                "<text x=\"\(left - 8)\" y=\"\(Self.text(height + 4))\" text-anchor=\"end\">\(label)</text>")
        }
        for saved in stride(from: savedRange.lowerBound, through: savedRange.upperBound, by: 10) {
            lines.append(
                """
                <text x="\(Self.text(x(saved)))" y="\(bottom + 20)" text-anchor="middle">\(Int(saved))</text>
                """)
        }
        lines.append(
            "<text x=\"\((left + right) / 2)\" y=\"\(bottom + 45)\" text-anchor=\"middle\">hosts saved, %</text>"
        )
        lines.append("<text x=\"\(left)\" y=\"\(top - 18)\">hot host samples</text>")
        return lines
    }

    static func text(_ value: Double) -> String { String(format: "%.1f", value) }
}
