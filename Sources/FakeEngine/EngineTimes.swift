public import ServingPlanning

/// How long an engine takes.
public struct EngineTimes: Sendable {
    /// Seconds that a prompt of so many tokens takes.
    public var prefill: @Sendable (_ tokens: Int) -> Double
    /// Seconds from a token of a sequence to its next, with so many sequences under way that hold so many
    /// tokens together.
    public var step: @Sendable (_ sequences: Int, _ context: Int) -> Double

    /// Times that grow evenly.
    ///
    /// - Parameters: seconds.
    public init(
        prefill: Double = 0.005, perPromptToken: Double = 0.000_02, step: Double = 0.005,
        perSequence: Double = 0.000_1
    ) {
        self.prefill = { prefill + Double($0) * perPromptToken }
        self.step = { sequences, _ in step + Double(sequences) * perSequence }
    }

    /// Times of the cost model.
    public init(_ model: LayoutModel, requestSeconds: Double) {
        prefill = { tokens in
            let tokens = Double(tokens)
            return model.prefill(tokens: tokens, squares: tokens * tokens).latency + requestSeconds
        }
        step = { model.step(sequences: Double($0), context: Double($1)) }
    }

    /// Times that are so many times as short.
    public func faster(by factor: Double) -> EngineTimes {
        var times = self
        let (prefill, step) = (prefill, step)
        times.prefill = { prefill($0) / factor }
        times.step = { step($0, $1) / factor }
        return times
    }
}
