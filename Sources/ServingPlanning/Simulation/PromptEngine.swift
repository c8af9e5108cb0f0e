/// Prompts on one prefill replica: first come, first served, a few at once, through the stages one batch
/// after another.
struct PromptEngine {
    /// Tokens of a batch at most; one longer prompt is a batch of its own. Beyond it, batching buys nothing.
    static let batchTokens = 2048

    let model: LayoutModel
    private var queue: [Int] = []
    private var head = 0
    /// When each stage can take the next batch.
    private var stageFree: [Double]
    /// Tokens whose keys and values are here: being computed, sent, or waited for.
    private(set) var held = 0
    /// Whether something will look at the queue again.
    var isScheduled = false

    init(_ model: LayoutModel) {
        self.model = model
        stageFree = model.layout.stages.map { _ in 0 }
    }

    mutating func enqueue(_ request: Int) { queue.append(request) }

    mutating func release(_ tokens: Int) { held -= tokens }

    /// When the first stage can begin.
    var freeAt: Double { stageFree.first ?? 0 }

    /// Takes the prompts that go together next.
    ///
    /// - Returns: none when nobody waits, or the decode replicas are so far behind that there is no room.
    mutating func nextBatch(_ prompt: (Int) -> Int) -> [Int] {
        var batch: [Int] = []
        var tokens = 0
        while head < queue.count {
            let next = prompt(queue[head])
            guard batch.isEmpty || tokens + next <= Self.batchTokens else { break }
            guard held + next <= model.kvTokens || held == 0 else { break }
            batch.append(queue[head])
            tokens += next
            held += next
            head += 1
        }
        if head > 1024, 2 * head > queue.count {
            queue.removeFirst(head)
            head = 0
        }
        return batch
    }

    /// - Returns: when the batch has passed the last stage.
    mutating func run(tokens: Double, squares: Double, at now: Double) -> Double {
        var end = now
        for stage in stageFree.indices {
            let start = max(end, stageFree[stage])
            end = start + model.prefill(stage: stage, tokens: tokens, squares: squares)
            stageFree[stage] = end
            if stage + 1 < stageFree.count { end += model.hop(after: stage, tokens: tokens) }
        }
        return end
    }
}
