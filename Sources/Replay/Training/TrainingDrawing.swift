internal import Foundation
internal import TrainingScheduling

/// Jobs over time, a line each in the order of submission: grey while it waits, then a bar per shape whose
/// colour says how many GPUs it has.
public struct TrainingDrawing: Sendable {
    private let result: TrainingResult
    private let gpus: Int

    private static let width = 1000.0
    private static let left = 60.0
    private static let right = 20.0
    private static let top = 60.0
    private static let bottom = 40.0
    /// Pixels of a job.
    private static let row = 3.0
    /// From few GPUs to many.
    private static let colours: [(gpus: Int, colour: String)] = [
        (1, "#56b4e9"), (2, "#0072b2"), (4, "#009e73"), (8, "#e69f00"), (16, "#d55e00"), (32, "#cc79a7"),
        (64, "#000000"),
    ]

    /// - Parameter gpus: of the whole cluster.
    public init(_ result: TrainingResult, gpus: Int) {
        self.result = result
        self.gpus = gpus
    }

    /// A whole SVG document.
    public var text: String {
        let jobs = result.run.outcomes.sorted {
            $0.submittedAt != $1.submittedAt ? $0.submittedAt < $1.submittedAt : $0.job < $1.job
        }
        let height = Self.top + Double(jobs.count) * Self.row + Self.bottom
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Int(Self.width))" height="\(Int(height))" \
            viewBox="0 0 \(Int(Self.width)) \(Int(height))" font-family="sans-serif" font-size="12">
            """,
            "<title>\(result.policy.rawValue) on \(gpus) GPUs</title>",
            "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
            "<text x=\"\(Int(Self.left))\" y=\"20\">\(result.policy.rawValue): GPUs of each job over time</text>",
        ]
        lines += legend + hours(height)
        let spans = Dictionary(grouping: result.run.spans, by: \.job)
        for (index, job) in jobs.enumerated() {
            let y = Self.top + Double(index) * Self.row
            lines.append(bar(job.submittedAt, job.startedAt, y + 1, 1, "#bbbbbb", nil))
            for span in spans[job.job] ?? [] {
                lines.append(
                    bar(
                        span.from, span.to, y, Self.row - 0.5, Self.colour(span.gpus),
                        "\(span.gpus) GPUs, \(span.plan), \(span.cause.rawValue)"))
            }
        }
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private func x(_ seconds: Double) -> Double {
        let span = max(result.run.end - result.run.start, 1)
        return Self.left + (seconds - result.run.start) / span * (Self.width - Self.left - Self.right)
    }

    private static func colour(_ gpus: Int) -> String {
        colours.last { $0.gpus <= gpus }?.colour ?? colours[0].colour
    }

    private func bar(
        _ from: Double, _ to: Double, _ y: Double, _ height: Double, _ colour: String, _ title: String?
    ) -> String {
        let width = max(x(to) - x(from), 0.3)
        let shape = """
            <rect x="\(Self.number(x(from)))" y="\(Self.number(y))" width="\(Self.number(width))" \
            height="\(Self.number(height))" fill="\(colour)"
            """
        return title.map { shape + "><title>\(Self.escaped($0))</title></rect>" } ?? shape + "/>"
    }

    private var legend: [String] {
        Self.colours.enumerated().flatMap { index, entry in
            let x = Int(Self.left) + index * 90
            return [
                "<rect x=\"\(x)\" y=\"32\" width=\"12\" height=\"12\" fill=\"\(entry.colour)\"/>",
                "<text x=\"\(x + 16)\" y=\"42\">from \(entry.gpus)</text>",
            ]
        }
    }

    private func hours(_ height: Double) -> [String] {
        let span = (result.run.end - result.run.start) / 3600
        let step = max(1, (span / 10).rounded(.up))
        return stride(from: 0, through: span, by: step).flatMap { hour in
            let x = Self.number(x(result.run.start + hour * 3600))
            return [
                """
                <line x1="\(x)" y1="\(Int(Self.top))" x2="\(x)" y2="\(Int(height - Self.bottom))" stroke="#dddddd"/>
                """,
                "<text x=\"\(x)\" y=\"\(Int(height - 20))\" text-anchor=\"middle\">\(Int(hour)) h</text>",
            ]
        }
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

    private static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
    }
}
