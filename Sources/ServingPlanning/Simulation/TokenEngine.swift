/// Continuous batching on one replica: sequences join and leave between steps, and steps without either are
/// taken together, their times an arithmetic series.
struct TokenEngine {
    /// A request that decodes.
    private struct Running {
        /// Step after which its last token is there.
        var lastStep: Int
        var request: Int
    }

    let model: LayoutModel
    /// Whose keys and values are there, or for a replica of both phases whose prompts wait.
    private(set) var waiting: [Int] = []
    private var waitingHead = 0
    /// A heap by last step.
    private var running: [Running] = []
    /// Steps done since the beginning.
    private var steps = 0
    /// Tokens of all contexts.
    private var context = 0
    /// Tokens that are promised to requests that run.
    private var reserved = 0
    /// Steps of the stretch under way, and when it began; none when 0.
    private var stretch = 0
    private var stretchStart = 0.0
    /// A boundary that was put forward makes the one announced before void.
    private(set) var version = 0

    init(_ model: LayoutModel) { self.model = model }

    var isDecoding: Bool { stretch > 0 }

    var sequences: Int { running.count }

    mutating func wait(_ request: Int) { waiting.append(request) }

    /// The first of those that wait, if its tokens fit.
    func firstFitting(_ tokens: (Int) -> Int) -> Int? {
        guard waitingHead < waiting.count else { return nil }
        let request = waiting[waitingHead]
        return reserved + tokens(request) <= model.kvTokens ? request : nil
    }

    /// Takes the first of those that wait.
    mutating func popFirst() {
        waitingHead += 1
        if waitingHead > 1024, 2 * waitingHead > waiting.count {
            waiting.removeFirst(waitingHead)
            waitingHead = 0
        }
    }

    /// A request whose first token is there begins to decode.
    mutating func start(_ request: Int, _ size: RequestSize) {
        reserved += size.prompt + size.output
        context += size.prompt + 1
        running.append(Running(lastStep: steps + size.output - 1, request: request))
        var child = running.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard isBefore(child, parent) else { return }
            running.swapAt(child, parent)
            child = parent
        }
    }

    /// Steps until the next sequence ends begin now.
    ///
    /// - Returns: when they end; nil when nothing runs.
    mutating func beginStretch(at now: Double) -> Double? {
        guard let first = running.first else { return nil }
        stretch = first.lastStep - steps
        stretchStart = now
        version += 1
        return now + seconds(stretch)
    }

    /// Ends the stretch with the step that is under way at a time.
    ///
    /// - Returns: when that step ends; nil when the stretch ends with it anyway.
    mutating func cutStretch(at now: Double) -> Double? {
        guard stretch > 1 else { return nil }
        let elapsed = now - stretchStart
        let done = LayoutCosts.largest(upTo: stretch) { seconds($0) < elapsed }
        guard done + 1 < stretch else { return nil }
        stretch = done + 1
        version += 1
        return stretchStart + seconds(stretch)
    }

    /// Boundaries announced so far are void.
    mutating func interrupt() { version += 1 }

    /// The stretch is over.
    ///
    /// - Parameter size: of a request.
    /// - Returns: requests that ended with it.
    mutating func endStretch(_ size: (Int) -> RequestSize) -> [Int] {
        steps += stretch
        context += stretch * running.count
        stretch = 0
        var ended: [Int] = []
        while let first = running.first, first.lastStep <= steps {
            ended.append(first.request)
            let size = size(first.request)
            reserved -= size.prompt + size.output
            context -= size.prompt + size.output
            removeFirst()
        }
        return ended
    }

    /// Of the first so many steps of the stretch: contexts grow by one token per sequence and step.
    private func seconds(_ steps: Int) -> Double {
        let count = Double(running.count)
        let first = model.step(sequences: count, context: Double(context))
        let last = model.step(sequences: count, context: Double(context) + count * Double(steps - 1))
        return Double(steps) * (first + last) / 2
    }

    private mutating func removeFirst() {
        guard let last = running.popLast(), !running.isEmpty else { return }
        running[0] = last
        var parent = 0
        while true {
            var least = parent
            let left = 2 * parent + 1
            if left < running.count, isBefore(left, least) { least = left }
            if left + 1 < running.count, isBefore(left + 1, least) { least = left + 1 }
            guard least != parent else { return }
            running.swapAt(parent, least)
            parent = least
        }
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        let (a, b) = (running[left], running[right])
        return a.lastStep != b.lastStep ? a.lastStep < b.lastStep : a.request < b.request
    }
}
