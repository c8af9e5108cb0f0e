internal import Foundation
public import TrainingScheduling

/// Steps per second over GPUs: the best plan of each count, joined where more GPUs are worth having.
public struct SpeedCurveDrawing: Sendable {
    private let name: String
    private let curve: SpeedCurve

    private static let width = 900.0
    private static let height = 500.0
    private static let left = 80.0
    private static let right = 40.0
    private static let top = 50.0
    private static let bottom = 60.0

    public init(_ name: String, _ curve: SpeedCurve) {
        self.name = name
        self.curve = curve
    }

    /// A whole SVG document.
    public var text: String {
        let steps = curve.breakpoints()
        let path = steps.map { "\(number(x($0.gpus))),\(number(y($0)))" }.joined(separator: " ")
        let kept = Set(steps.map(\.gpus))
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Int(Self.width))" height="\(Int(Self.height))" \
            viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" font-family="sans-serif" font-size="12">
            """,
            "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
            label("\(name): steps per second by GPUs", x: Self.left, y: 20, anchor: "start"),
            "<polyline points=\"\(path)\" fill=\"none\" stroke=\"#0072b2\"/>",
        ]
        lines += axes
        for count in counts {
            guard let point = curve.best(gpus: count) else { continue }
            let isKept = kept.contains(count)
            lines.append(
                """
                <circle cx="\(number(x(count)))" cy="\(number(y(point)))" r="4" \
                fill="\(isKept ? "#0072b2" : "#bbbbbb")"/>
                """)
            if isKept { lines.append(label(point.plan, x: x(count), y: y(point) - 8, anchor: "middle")) }
        }
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private var counts: [Int] { Set(curve.points.map(\.gpus)).sorted() }
    private var mostGPUs: Double { Double(max(counts.last ?? 1, 2)) }
    private var mostSpeed: Double { curve.points.map { 1 / $0.secondsPerStep }.max() ?? 1 }

    private func x(_ gpus: Int) -> Double {
        Self.left + Double(gpus) / mostGPUs * (Self.width - Self.left - Self.right)
    }

    private func y(_ point: SpeedPoint) -> Double { y(speed: 1 / point.secondsPerStep) }

    private func y(speed: Double) -> Double {
        Self.height - Self.bottom - speed / mostSpeed * (Self.height - Self.top - Self.bottom)
    }

    private var axes: [String] {
        let speeds = (0...4).flatMap { part in
            let speed = mostSpeed * Double(part) / 4
            return [
                """
                <line x1="\(number(Self.left))" y1="\(number(y(speed: speed)))" \
                x2="\(number(Self.width - Self.right))" y2="\(number(y(speed: speed)))" stroke="#dddddd"/>
                """,
                label(String(format: "%.3g", speed), x: Self.left - 8, y: y(speed: speed) + 4, anchor: "end"),
            ]
        }
        return speeds + counts.map { label("\($0)", x: x($0), y: Self.height - 30, anchor: "middle") }
    }

    private func label(_ text: String, x: Double, y: Double, anchor: String) -> String {
        let clean = text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(
            of: "<", with: "&lt;")
        return "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(clean)</text>"
    }

    private func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
