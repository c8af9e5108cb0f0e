import Fleet
import Foundation

/// Empty hosts over time, one line per policy, as an SVG of plain text that needs nothing else.
public struct EmptyHostsDrawing: Sendable {
    private let results: [PolicyResult]
    private let from: Double
    private let step: Double

    private static let width = 800.0
    private static let height = 420.0
    private static let left = 56.0
    private static let right = 16.0
    private static let top = 44.0
    private static let bottom = 64.0
    /// Okabe and Ito's colours, which colour-blind readers tell apart too; dashes after the last.
    private static let colours = [
        "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999933",
    ]
    /// More points than pixels are averaged away.
    private static let pointLimit = 720

    /// - Parameters:
    ///   - results: of one experiment.
    ///   - options: those of the experiment, from which the times of its samples follow.
    public init(_ results: [PolicyResult], options: VMExperiment.Options) {
        self.results = results
        from = Double(options.warmUpSeconds) / 86_400
        step = Double(options.sampleStepSeconds) / 86_400
    }

    /// The whole file.
    public var text: String {
        let lines =
            [
                """
                <svg xmlns="http://www.w3.org/2000/svg" width="\(Int(Self.width))" height="\(Int(Self.height))" \
                viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" font-family="sans-serif" font-size="12">
                """,
                "<title>Empty hosts over time</title>",
                "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
                label("Empty hosts, % of the fleet", x: Self.left, y: 16, size: 13),
            ] + grid + curves + legend + ["</svg>"]
        return lines.joined(separator: "\n") + "\n"
    }

    private var count: Int { results.reduce(0) { max($0, $1.emptyHosts.count) } }

    /// Upper end of the axis: the least multiple of ten that no value is above.
    private var most: Double {
        let highest = results.reduce(0) { $1.emptyHosts.reduce($0, max) }
        return max(10, (highest / 10).rounded(.up) * 10)
    }

    private func x(_ sample: Int) -> Double {
        let share = count > 1 ? Double(sample) / Double(count - 1) : 0.5
        return Self.left + share * (Self.width - Self.left - Self.right)
    }

    private func y(_ percent: Double) -> Double {
        Self.height - Self.bottom - percent / most * (Self.height - Self.top - Self.bottom)
    }

    private var grid: [String] {
        var lines: [String] = []
        for value in stride(from: 0, through: most, by: most / 5) {
            lines.append(
                """
                <line x1="\(number(Self.left))" y1="\(number(y(value)))" x2="\(number(Self.width - Self.right))" \
                y2="\(number(y(value)))" stroke="#dddddd"/>
                """)
            lines.append(label(number(value), x: Self.left - 6, y: y(value) + 4, anchor: "end"))
        }
        guard count > 0 else { return lines }
        let ticks = min(count, 6)
        for tick in 0..<ticks {
            let sample = ticks > 1 ? tick * (count - 1) / (ticks - 1) : 0
            let day = number(from + Double(sample) * step)
            lines.append(
                """
                <line x1="\(number(x(sample)))" y1="\(number(y(0)))" x2="\(number(x(sample)))" \
                y2="\(number(y(0) + 5))" stroke="#333333"/>
                """)
            lines.append(label(day, x: x(sample), y: y(0) + 18, anchor: "middle"))
        }
        lines.append(
            label(
                "days of the trace", x: (Self.left + Self.width - Self.right) / 2, y: y(0) + 34,
                anchor: "middle"))
        return lines
    }

    private var curves: [String] {
        results.enumerated().map { index, result in
            let points = Self.thinned(result.emptyHosts).map { sample, value in
                "\(number(x(sample))),\(number(y(value)))"
            }
            return """
                <polyline fill="none" stroke="\(colour(index))" stroke-width="1.5"\(dashes(index)) \
                points="\(points.joined(separator: " "))"/>
                """
        }
    }

    /// Names with their means, in columns below the axis.
    private var legend: [String] {
        let columns = 4
        return results.enumerated().flatMap { index, result in
            let x = Self.left + Double(index % columns) * 184
            let y = index < columns ? Self.height - 14 : 32 + Double(index / columns - 1) * 14
            return [
                """
                <line x1="\(number(x))" y1="\(number(y - 4))" x2="\(number(x + 20))" y2="\(number(y - 4))" \
                stroke="\(colour(index))" stroke-width="3"\(dashes(index))/>
                """,
                label("\(result.policy.rawValue) \(number(result.emptyHostsPct))", x: x + 26, y: y),
            ]
        }
    }

    private func colour(_ index: Int) -> String { Self.colours[index % Self.colours.count] }

    private func dashes(_ index: Int) -> String {
        index < Self.colours.count ? "" : " stroke-dasharray=\"5 3\""
    }

    private func label(
        _ text: String, x: Double, y: Double, anchor: String = "start", size: Int = 12
    ) -> String {
        """
        <text x="\(number(x))" y="\(number(y))" text-anchor="\(anchor)" font-size="\(size)" \
        fill="#333333">\(text)</text>
        """
    }

    /// Every point, or means of neighbours where there are more than can be seen.
    private static func thinned(_ values: [Double]) -> [(sample: Int, value: Double)] {
        let group = (values.count + pointLimit - 1) / pointLimit
        guard group > 1 else { return Array(values.enumerated()).map { ($0.offset, $0.element) } }
        return stride(from: 0, to: values.count, by: group).map { start in
            let part = values[start..<min(start + group, values.count)]
            return (start + (part.count - 1) / 2, part.reduce(0, +) / Double(part.count))
        }
    }

    /// At most two decimals.
    private func number(_ value: Double) -> String {
        let hundredths = Int((value * 100).rounded())
        let rest = abs(hundredths % 100)
        let sign = hundredths < 0 && hundredths > -100 ? "-" : ""
        guard rest > 0 else { return "\(hundredths / 100)" }
        let digits = rest % 10 == 0 ? "\(rest / 10)" : (rest < 10 ? "0\(rest)" : "\(rest)")
        return "\(sign)\(hundredths / 100).\(digits)"
    }
}
