/// Shapes of days that scopes have in common, found by k-means.
public struct Prototypes: Sendable, Hashable {
    /// The first centre is drawn with it; the rest follow.
    private static let seed: UInt64 = 42
    private static let rounds = 50

    /// At least one.
    public let centres: [[Double]]

    /// - Parameters:
    ///   - shapes: one per scope, equally long, at least one.
    ///   - count: at most; fewer when there are not so many different shapes.
    ///   - edits: what people said, each about the shapes as the one before left them. One that speaks of no
    ///     shape changes nothing, nor does a split of what is all alike.
    public init(of shapes: [[Double]], count: Int, edits: [PrototypeEdit] = []) {
        var centres = Self.seeds(shapes, count)
        for _ in 0..<Self.rounds {
            let nearest = shapes.map { Self.nearest(to: $0, in: centres) }
            let moved = centres.indices.map { centre in
                Self.mean(zip(shapes, nearest).filter { $0.1 == centre }.map(\.0)) ?? centres[centre]
            }
            if moved == centres { break }
            centres = moved
        }
        for edit in edits { Self.apply(edit, to: &centres, shapes) }
        self.centres = centres
    }

    private static func apply(_ edit: PrototypeEdit, to centres: inout [[Double]], _ shapes: [[Double]]) {
        func members(_ centre: Int) -> [[Double]] { shapes.filter { nearest(to: $0, in: centres) == centre } }
        switch edit {
        case .split(let centre):
            guard centres.indices.contains(centre) else { return }
            let halves = Prototypes(of: members(centre), count: 2, orElse: centres[centre]).centres
            centres[centre] = halves[0]
            centres += halves.dropFirst()
        case .merge(let one, let other):
            let (kept, lost) = (min(one, other), max(one, other))
            guard kept != lost, centres.indices.contains(kept), centres.indices.contains(lost) else { return }
            centres[kept] = mean(members(kept) + members(lost)) ?? centres[kept]
            centres.remove(at: lost)
        }
    }

    /// - Parameter centre: the only one where there are no shapes.
    private init(of shapes: [[Double]], count: Int, orElse centre: [Double]) {
        self.init(of: shapes.isEmpty ? [centre] : shapes, count: count)
    }

    /// The centre nearest to a shape; the first of equals.
    public func nearest(to shape: [Double]) -> Int { Self.nearest(to: shape, in: centres) }

    /// Mean peak of each hour of the day, as deviations from the day's mean, and the concentration: what
    /// matters is when a scope is busy and whether one VM makes it so, not how much.
    ///
    /// - Parameters:
    ///   - firstHour: the hour of the first peak.
    public static func shape(
        of peaks: ArraySlice<Double>, firstHour: Int, concentration: Double
    ) -> [Double] {
        var hours = [[Double]](repeating: [], count: 24)
        for (index, peak) in peaks.enumerated() { hours[(firstHour + index) % 24].append(peak) }
        let means = hours.map { Moments($0).mean }
        let day = Moments(means)
        let deviation = max(day.populationVariance.squareRoot(), 1e-9)
        return means.map { ($0 - day.mean) / deviation } + [concentration]
    }

    /// One drawn, each other the farthest from those before.
    private static func seeds(_ shapes: [[Double]], _ count: Int) -> [[Double]] {
        var generator = LinearCongruence(seed: seed)
        var centres = [shapes[Int(generator.next() % UInt64(shapes.count))]]
        while centres.count < count {
            let distances = shapes.map { shape in centres.map { distance($0, shape) }.min() ?? 0 }
            guard let farthest = distances.indices.max(by: { distances[$0] < distances[$1] }),
                distances[farthest] > 0
            else { break }
            centres.append(shapes[farthest])
        }
        return centres
    }

    private static func nearest(to shape: [Double], in centres: [[Double]]) -> Int {
        let distances = centres.map { distance($0, shape) }
        return distances.indices.min { distances[$0] < distances[$1] } ?? 0
    }

    private static func distance(_ a: [Double], _ b: [Double]) -> Double {
        var sum = 0.0
        for index in a.indices { sum += (a[index] - b[index]) * (a[index] - b[index]) }
        return sum
    }

    private static func mean(_ shapes: [[Double]]) -> [Double]? {
        guard let first = shapes.first else { return nil }
        return first.indices.map { index in shapes.reduce(0) { $0 + $1[index] } / Double(shapes.count) }
    }
}

/// What a person said about shapes of days, by their places among the shapes.
public enum PrototypeEdit: Sendable, Hashable {
    /// One is two: the second comes last.
    case split(Int)
    /// Two are one, in the place of the first; those after the other move up.
    case merge(Int, Int)
}
