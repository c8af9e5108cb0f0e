internal import Foundation

/// Whether counts of GPUs can serve a demand, and how it is divided then.
struct MixTrial {
    enum Verdict {
        /// By bucket, parts of each type.
        case fits([[Int]])
        case tooSmall
        /// The search ended before it could tell.
        case unknown
    }

    /// Changes of the weights before divisions are gone through.
    private static let weightings = 80
    /// Steps of going through the divisions of one choice of counts, at most.
    private static let stepsPerTrial = 200_000

    let work: MixWork
    /// Steps that may still be taken.
    var left: Int

    mutating func divide(_ counts: [Int]) -> Verdict {
        let types = counts.indices.filter { counts[$0] > 0 }
        guard work.buckets.allSatisfy({ bucket in types.contains { bucket.loads[$0].isFinite } }) else {
            return .tooSmall
        }
        var weights = counts.indices.map { counts[$0] > 0 ? work.prices[$0] : 0 }
        var best = (gap: -Double.infinity, weights: weights)
        for step in 0..<Self.weightings {
            let chosen = work.buckets.map { lightest($0, types, weights) }
            var loads = Array(repeating: 0.0, count: counts.count)
            for (bucket, type) in zip(work.buckets, chosen) {
                loads[type] += Double(work.problem.slices) * bucket.loads[type]
            }
            if types.allSatisfy({ loads[$0] <= Double(counts[$0]) + MixWork.tolerance }) {
                return .fits(chosen.map { whole(of: $0, counts.count) })
            }
            let room = types.reduce(0) { $0 + weights[$1] * Double(counts[$1]) }
            let gap = types.reduce(0) { $0 + weights[$1] * loads[$1] } / room - 1
            if gap > MixWork.tolerance { return .tooSmall }
            if gap > best.gap { best = (gap, weights) }
            // A type that would be overfull becomes dearer.
            for type in types {
                let excess = loads[type] / Double(counts[type]) - 1
                weights[type] *= exp(max(-1, min(1, excess)) / Double(step / 4 + 2))
            }
        }
        return search(counts, types, best.weights)
    }

    private func lightest(_ bucket: MixWork.Bucket, _ types: [Int], _ weights: [Double]) -> Int {
        var best = types[0]
        for type in types.dropFirst()
        where weights[type] * bucket.loads[type] < weights[best] * bucket.loads[best] { best = type }
        return best
    }

    private func whole(of type: Int, _ types: Int) -> [Int] {
        var parts = Array(repeating: 0, count: types)
        parts[type] = work.problem.slices
        return parts
    }

    /// Goes through the divisions, the heaviest buckets first and of each the lightest type first.
    private mutating func search(_ counts: [Int], _ types: [Int], _ weights: [Double]) -> Verdict {
        var search = Divisions(
            work: work, types: types, weights: weights, room: counts.map(Double.init),
            left: min(left, Self.stepsPerTrial))
        let allowed = search.left
        let found = search.place(0)
        left -= allowed - search.left
        if found { return .fits(search.division) }
        return search.left > 0 ? .tooSmall : .unknown
    }
}

/// A search of divisions, depth first.
private struct Divisions {
    let work: MixWork
    /// Types there are GPUs of, for each bucket the lightest by weight first.
    let orders: [[Int]]
    let weights: [Double]
    /// Weight of the lightest division of a bucket and all after it.
    let rest: [Double]
    var room: [Double]
    var left: Int
    var division: [[Int]]

    init(work: MixWork, types: [Int], weights: [Double], room: [Double], left: Int) {
        self.work = work
        self.weights = weights
        self.room = room
        self.left = left
        let orders = work.buckets.map { bucket in
            types.filter { bucket.loads[$0].isFinite }.sorted {
                (weights[$0] * bucket.loads[$0], $0) < (weights[$1] * bucket.loads[$1], $1)
            }
        }
        self.orders = orders
        var rest = Array(repeating: 0.0, count: orders.count + 1)
        for index in orders.indices.reversed() {
            let type = orders[index][0]
            rest[index] =
                rest[index + 1]
                + Double(work.problem.slices) * weights[type] * work.buckets[index].loads[type]
        }
        self.rest = rest
        division = Array(repeating: Array(repeating: 0, count: weights.count), count: orders.count)
    }

    /// Whether the buckets from one on find room.
    mutating func place(_ bucket: Int) -> Bool {
        guard bucket < orders.count else { return true }
        return place(bucket, choice: 0, parts: work.problem.slices)
    }

    /// Whether parts of a bucket find room on its types from `choice` on, and the buckets after it as well.
    private mutating func place(_ bucket: Int, choice: Int, parts: Int) -> Bool {
        guard parts > 0 else { return canGoOn(bucket + 1) && place(bucket + 1) }
        guard choice < orders[bucket].count, left > 0 else { return false }
        left -= 1
        let type = orders[bucket][choice]
        let load = work.buckets[bucket].loads[type]
        let most = min(parts, Int(((room[type] + MixWork.tolerance) / load).rounded(.down)))
        guard most >= 0 else { return false }
        for count in (0...most).reversed() {
            room[type] -= Double(count) * load
            division[bucket][type] = count
            if place(bucket, choice: choice + 1, parts: parts - count) { return true }
            room[type] += Double(count) * load
            division[bucket][type] = 0
            if left <= 0 { return false }
        }
        return false
    }

    /// The weight of what is left to place against that of the room.
    private func canGoOn(_ bucket: Int) -> Bool {
        let room = zip(weights, room).reduce(0) { $0 + $1.0 * $1.1 }
        return rest[bucket] <= room + MixWork.tolerance
    }
}
