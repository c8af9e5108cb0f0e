internal import FaultLab
internal import Fleet
internal import Foundation

/// Numbers that were read now and then, as series of even steps: a value holds until the next one.
struct LiveSeries {
    private struct Name: Hashable, Comparable {
        var component: ComponentName
        var name: String

        static func < (lhs: Name, rhs: Name) -> Bool {
            (lhs.component, lhs.name) < (rhs.component, rhs.name)
        }
    }

    /// Seconds of a series, and series in all: a session lasts minutes.
    private static let longest = 1800
    private static let most = 4000
    private static let step = 1

    private var values: [Name: [(at: Timestamp, value: Double)]] = [:]

    mutating func take(_ component: ComponentName, _ name: String, _ value: Double, at now: Timestamp) {
        let key = Name(component: component, name: name)
        guard value.isFinite, values[key] != nil || values.count < Self.most else { return }
        values[key, default: []].append((now, value))
    }

    /// A page in Prometheus' text format; what is summed up in classes is left out.
    mutating func take(page: String, of component: ComponentName, at now: Timestamp) {
        for line in page.split(separator: "\n") where !line.hasPrefix("#") {
            guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]),
                !line.contains("_bucket{")
            else { continue }
            take(component, String(line[..<space]), value, at: now)
        }
    }

    /// By component and name.
    var all: [MetricSeries] {
        values.sorted { $0.key < $1.key }.compactMap { key, samples in
            guard let first = samples.first, let last = samples.last else { return nil }
            let steps = min(Self.longest, Int(last.at.since(first.at).inSeconds) / Self.step)
            var (even, next) = ([Double](), 0)
            for step in 0...steps {
                let time = first.at.advanced(by: .seconds(step * Self.step))
                while next + 1 < samples.count, samples[next + 1].at <= time { next += 1 }
                even.append(samples[next].value)
            }
            even[even.count - 1] = last.value
            return MetricSeries(
                name: key.name, component: key.component, start: first.at, stepSeconds: Self.step,
                values: even)
        }
    }
}
