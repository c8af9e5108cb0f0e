internal import Foundation
internal import TrainingScheduling

/// Jobs over time, a line each in the order of submission: grey while it waits, then a bar per shape whose
/// colour says how many GPUs it has.
public struct TrainingDrawing: Sendable {
    /// A job in one shape.
    public struct Bar: Sendable, Hashable {
        public var from: Double
        public var to: Double
        public var gpus: Int
        public var plan: String
        /// Why it has the shape; nil where nobody wrote that down.
        public var cause: String?

        public init(from: Double, to: Double, gpus: Int, plan: String, cause: String? = nil) {
            self.from = from
            self.to = to
            self.gpus = gpus
            self.plan = plan
            self.cause = cause
        }
    }

    public struct Line: Sendable, Hashable {
        /// Nil for a job that nobody asks for by name.
        public var name: String?
        /// Seconds.
        public var submittedAt: Double
        /// In the order of time.
        public var bars: [Bar]

        public init(name: String?, submittedAt: Double, bars: [Bar]) {
            self.name = name
            self.submittedAt = submittedAt
            self.bars = bars
        }
    }

    private let title: String
    private let gpus: Int
    private let jobs: [Line]
    private let start: Double
    private let end: Double

    private static let width = 1000.0
    private static let left = 60.0
    private static let right = 20.0
    private static let top = 60.0
    private static let bottom = 40.0
    /// Pixels of a job.
    private static let row = 3.0
    private static let namedRow = 14.0
    /// From few GPUs to many.
    private static let colours: [(gpus: Int, colour: String)] = [
        (1, "#56b4e9"), (2, "#0072b2"), (4, "#009e73"), (8, "#e69f00"), (16, "#d55e00"), (32, "#cc79a7"),
        (64, "#000000"),
    ]

    /// - Parameter gpus: of the whole cluster.
    public init(_ result: TrainingResult, gpus: Int) {
        let spans = Dictionary(grouping: result.run.spans, by: \.job)
        let jobs = result.run.outcomes.sorted {
            $0.submittedAt != $1.submittedAt ? $0.submittedAt < $1.submittedAt : $0.job < $1.job
        }.map { job in
            Line(
                name: nil, submittedAt: job.submittedAt,
                bars: (spans[job.job] ?? []).map {
                    Bar(from: $0.from, to: $0.to, gpus: $0.gpus, plan: $0.plan, cause: $0.cause.rawValue)
                })
        }
        self.init(
            title: result.policy.rawValue, jobs: jobs, gpus: gpus, start: result.run.start,
            end: result.run.end)
    }

    /// - Parameters:
    ///   - jobs: in the order of their lines.
    ///   - start: of the axis, seconds.
    public init(title: String, jobs: [Line], gpus: Int, start: Double, end: Double) {
        self.title = title
        self.jobs = jobs
        self.gpus = gpus
        self.start = start
        self.end = end
    }

    /// Pixels of a job: fewer have room for their names.
    private var row: Double { jobs.contains { $0.name != nil } ? Self.namedRow : Self.row }

    /// A whole SVG document.
    public var text: String {
        let height = Self.top + Double(jobs.count) * row + Self.bottom
        var lines = [
            """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(Int(Self.width))" height="\(Int(height))" \
            viewBox="0 0 \(Int(Self.width)) \(Int(height))" font-family="sans-serif" font-size="12">
            """,
            "<title>\(Self.escaped(title)) on \(gpus) GPUs</title>",
            "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
            "<text x=\"\(Int(Self.left))\" y=\"20\">\(Self.escaped(title)): GPUs of each job over time</text>",
        ]
        lines += legend + hours(height)
        for (index, job) in jobs.enumerated() {
            let y = Self.top + Double(index) * row
            lines.append(bar(job.submittedAt, job.bars.first?.from ?? end, y + 1, 1, "#bbbbbb", job.name))
            for held in job.bars {
                let words = ["\(held.gpus) GPUs", held.plan, held.cause].compactMap { $0 }
                lines.append(
                    bar(
                        held.from, held.to, y, row - 0.5, Self.colour(held.gpus),
                        words.joined(separator: ", ")))
            }
            guard let name = job.name else { continue }
            lines.append(
                "<text x=\"4\" y=\"\(Self.number(y + row - 3))\">\(Self.escaped(String(name.prefix(8))))</text>"
            )
        }
        return (lines + ["</svg>"]).joined(separator: "\n") + "\n"
    }

    private func x(_ seconds: Double) -> Double {
        let span = max(end - start, 1)
        return Self.left + (seconds - start) / span * (Self.width - Self.left - Self.right)
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

    /// The axis: hours, or minutes where there are few of them.
    private func hours(_ height: Double) -> [String] {
        let unit = end - start < 7200 ? (seconds: 60.0, name: "min") : (seconds: 3600.0, name: "h")
        let span = (end - start) / unit.seconds
        let step = max(1, (span / 10).rounded(.up))
        return stride(from: 0, through: span, by: step).flatMap { count in
            let x = Self.number(x(start + count * unit.seconds))
            return [
                """
                <line x1="\(x)" y1="\(Int(Self.top))" x2="\(x)" y2="\(Int(height - Self.bottom))" stroke="#dddddd"/>
                """,
                """
                <text x="\(x)" y="\(Int(height - 20))" text-anchor="middle">\(Int(count)) \(unit.name)</text>
                """,
            ]
        }
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }

    private static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
    }
}
