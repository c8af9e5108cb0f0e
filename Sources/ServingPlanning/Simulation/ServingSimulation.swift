/// Serves requests by a plan, event by event: what a formula predicts is measured here.
///
/// Prompts queue per prefill replica, keys and values travel one after another over the path of each pair,
/// sequences join a decode replica when all their tokens fit, and as long as they wait they hold room on the
/// prefill side. What no route is for is turned away.
public struct ServingSimulation {
    private enum Event {
        case prompts(Int)
        case firstToken(prefill: Int, requests: [Int])
        case arrived(decode: Int, request: Int)
        case boundary(decode: Int, version: Int)
    }

    private let shares: [[Double]]
    private let paths: [[KVPath?]]
    private let isBoth: [Bool]
    private let overhead: Double
    private var prompts: [PromptEngine]
    private var tokens: [TokenEngine]
    private var pathFree: [[Double]]
    /// Where a replica of both phases decodes.
    private let ownDecode: [Int?]
    private let ownPrefill: [Int?]

    private var requests: [TimedRequest] = []
    private var times: [RequestTimes] = []
    private var firstAt: [Double] = []
    /// Prefill and decode replica of each request.
    private var origin: [Int] = []
    private var target: [Int] = []
    private var events = EventQueue<Event>()
    /// Of a replica of both phases: whether a batch of prompts is under way.
    private var isPrompting: [Bool]

    /// - Parameters:
    ///   - prefill: layouts of the replicas that take prompts; those of both phases first or last, as they
    ///     come.
    ///   - decode: layouts of the replicas that decode.
    ///   - own: for each prefill replica of both phases, the position of the same group in `decode`.
    ///   - shares: of all requests, rows and columns.
    public init(
        prefill: [LayoutModel], decode: [LayoutModel], own: [Int?], shares: [[Double]],
        on hardware: ServingHardware
    ) {
        self.shares = shares
        prompts = prefill.map { PromptEngine($0) }
        tokens = decode.map { TokenEngine($0) }
        ownDecode = own
        ownPrefill = decode.indices.map { column in own.firstIndex(of: column) }
        isBoth = ownPrefill.map { $0 != nil }
        isPrompting = decode.map { _ in false }
        overhead = hardware.settings.requestSeconds
        paths = prefill.indices.map { row in
            decode.indices.map { column in
                shares[row][column] > 0 && own[row] == nil
                    ? KVPath(from: prefill[row].layout, to: decode[column].layout, on: hardware) : nil
            }
        }
        pathFree = prefill.map { _ in decode.map { _ in 0 } }
    }

    /// - Parameter requests: by arrival.
    /// - Returns: what became of each, in their order.
    public mutating func run(_ requests: [TimedRequest]) -> [RequestTimes] {
        self.requests = requests
        times = [RequestTimes](repeating: RequestTimes(), count: requests.count)
        firstAt = [Double](repeating: 0, count: requests.count)
        origin = [Int](repeating: 0, count: requests.count)
        target = origin
        let routed = shares.map { $0.reduce(0, +) }
        let rest = max(0, 1 - routed.reduce(0, +))
        var front = SmoothRoundRobin(routed + [rest > 1e-6 ? rest : 0])
        var back = shares.map { SmoothRoundRobin($0) }
        for index in requests.indices {
            let now = requests[index].arrival
            while let time = events.nextTime, time <= now { advance() }
            guard let row = front.next(), row < shares.count, let column = back[row].next() else {
                times[index].isShed = true
                continue
            }
            accept(index, row: row, column: column, now: now)
        }
        while events.nextTime != nil { advance() }
        return times
    }

    /// The decode replica is chosen here too, so that shares are those of requests.
    private mutating func accept(_ request: Int, row: Int, column: Int, now: Double) {
        let size = requests[request].size
        guard size.prompt + size.output <= tokens[column].model.kvTokens,
            size.prompt <= prompts[row].model.kvTokens
        else {
            times[request].isShed = true
            return
        }
        origin[request] = row
        if let own = ownDecode[row] {
            tokens[own].wait(request)
            wake(own, now)
        } else {
            target[request] = column
            prompts[row].enqueue(request)
            schedulePrompts(row, now)
        }
    }

    private mutating func advance() {
        guard let (now, event) = events.next() else { return }
        switch event {
        case .prompts(let row):
            prompts[row].isScheduled = false
            runPrompts(row, now)
        case .firstToken(let row, let batch):
            for request in batch { finishPrompt(request, row, now) }
        case .arrived(let column, let request):
            tokens[column].wait(request)
            wake(column, now)
        case .boundary(let column, let version):
            if tokens[column].version == version { boundary(column, now) }
        }
    }

    private mutating func schedulePrompts(_ row: Int, _ now: Double) {
        guard !prompts[row].isScheduled else { return }
        prompts[row].isScheduled = true
        events.add(.prompts(row), at: max(now, prompts[row].freeAt))
    }

    private mutating func runPrompts(_ row: Int, _ now: Double) {
        let requests = requests
        let batch = prompts[row].nextBatch { requests[$0].size.prompt }
        guard !batch.isEmpty else { return }
        let end = prompts[row].run(tokens: sum(batch), squares: squares(batch), at: now)
        events.add(.firstToken(prefill: row, requests: batch), at: end)
        schedulePrompts(row, now)
    }

    private func sum(_ batch: [Int]) -> Double {
        batch.reduce(0) { $0 + Double(requests[$1].size.prompt) }
    }

    private func squares(_ batch: [Int]) -> Double {
        batch.reduce(0) { $0 + Double(requests[$1].size.prompt * requests[$1].size.prompt) }
    }

    private mutating func finishPrompt(_ request: Int, _ row: Int, _ now: Double) {
        let size = requests[request].size
        recordFirst(request, now)
        let column = target[request]
        guard size.output > 1, let path = paths[row][column] else {
            finish(request, now)
            release(row, size.prompt, now)
            return
        }
        let start = max(now, pathFree[row][column])
        let end = start + path.seconds(prompt: Double(size.prompt))
        pathFree[row][column] = start + path.busy(prompt: Double(size.prompt))
        events.add(.arrived(decode: column, request: request), at: end)
    }

    private mutating func recordFirst(_ request: Int, _ now: Double) {
        firstAt[request] = now
        times[request].ttft = now - requests[request].arrival + overhead
    }

    private mutating func finish(_ request: Int, _ now: Double) {
        times[request].e2e = now - requests[request].arrival + overhead
        let output = requests[request].size.output
        if output > 1 { times[request].tpot = (now - firstAt[request]) / Double(output - 1) }
    }

    private mutating func release(_ row: Int, _ prompt: Int, _ now: Double) {
        prompts[row].release(prompt)
        schedulePrompts(row, now)
    }

    /// Something came for a replica: it looks at it after the step that is under way.
    private mutating func wake(_ column: Int, _ now: Double) {
        guard !isPrompting[column] else { return }
        if tokens[column].isDecoding {
            guard let end = tokens[column].cutStretch(at: now) else { return }
            events.add(.boundary(decode: column, version: tokens[column].version), at: end)
        } else {
            boundary(column, now)
        }
    }

    private mutating func boundary(_ column: Int, _ now: Double) {
        isPrompting[column] = false
        let requests = requests
        for request in tokens[column].endStretch({ requests[$0].size }) { finish(request, now) }
        if isBoth[column] {
            if runOwnPrompts(column, now) { return }
        } else {
            admit(column, now)
        }
        guard let end = tokens[column].beginStretch(at: now) else { return }
        events.add(.boundary(decode: column, version: tokens[column].version), at: end)
    }

    private mutating func admit(_ column: Int, _ now: Double) {
        let requests = requests
        while let request = tokens[column].firstFitting({ requests[$0].size.tokens }) {
            tokens[column].popFirst()
            tokens[column].start(request, requests[request].size)
            release(origin[request], requests[request].size.prompt, now)
        }
    }

    /// A batch of prompts before further steps, on a replica of both phases.
    ///
    /// - Returns: false when none waits or none fits.
    private mutating func runOwnPrompts(_ column: Int, _ now: Double) -> Bool {
        let requests = requests
        var batch: [Int] = []
        var count = 0
        while let request = tokens[column].firstFitting({ requests[$0].size.tokens }) {
            let size = requests[request].size
            guard batch.isEmpty || count + size.prompt <= PromptEngine.batchTokens else { break }
            tokens[column].popFirst()
            batch.append(request)
            count += size.prompt
            tokens[column].start(request, size)
        }
        guard !batch.isEmpty else { return false }
        let time = tokens[column].model.prefill(tokens: sum(batch), squares: squares(batch)).latency
        for request in batch { recordFirst(request, now + time) }
        isPrompting[column] = true
        tokens[column].interrupt()
        events.add(.boundary(decode: column, version: tokens[column].version), at: now + time)
        return true
    }
}
