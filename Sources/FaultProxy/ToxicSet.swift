internal import Synchronization

/// The toxics of one proxy as its connections see them: each looks again before each piece.
final class ToxicSet: Sendable {
    private let list = Mutex<[Toxic]>([])

    var all: [Toxic] {
        get { list.withLock { $0 } }
        set { list.withLock { $0 = newValue } }
    }

    /// - Returns: false when there is one of that name.
    func add(_ toxic: Toxic) -> Bool {
        list.withLock { list in
            guard !list.contains(where: { $0.name == toxic.name }) else { return false }
            list.append(toxic)
            return true
        }
    }

    func replace(_ toxic: Toxic) {
        list.withLock { list in list = list.map { $0.name == toxic.name ? toxic : $0 } }
    }

    func remove(_ name: String) { list.withLock { list in list.removeAll { $0.name == name } } }
}

/// What one connection's direction suffers: which of the toxics hit it is drawn once for each.
struct ToxicView {
    private let set: ToxicSet
    private let stream: Toxic.Stream
    private let unit: @Sendable () -> Double
    private var draws: [String: Double] = [:]

    init(_ set: ToxicSet, _ stream: Toxic.Stream, unit: @escaping @Sendable () -> Double) {
        self.set = set
        self.stream = stream
        self.unit = unit
    }

    /// Those that hit this connection now, in the order in which they were added.
    mutating func current() -> [Toxic] {
        var hit: [Toxic] = []
        for toxic in set.all where toxic.stream == stream {
            let drawn = draws[toxic.name] ?? unit()
            draws[toxic.name] = drawn
            if drawn < toxic.toxicity { hit.append(toxic) }
        }
        return hit
    }
}
