/// Exit codes of a rank.
enum TrainerExit {
    static let done: Int32 = 0
    /// The step that `--fail-at` names.
    static let failed: Int32 = 1
    /// Settings or a checkpoint that make no sense.
    static let refused: Int32 = 2
}

struct TrainerError: Error, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}

/// What a rank is told by its environment, and by the flags of a test.
struct TrainerSettings {
    var rank: Int
    var worldSize: Int
    var plan: String
    var steps: Int
    var globalBatch: Int
    var stepSeconds: Double
    /// Nil keeps nothing.
    var checkpointDirectory: String?
    /// Nil tells nobody.
    var progressFile: String?
    /// Steps from one checkpoint to the next; one is written at the end of each run besides.
    var checkpointEvery = 20
    /// Ends with an error at this step, once: when it was not reached before.
    var failAt: Int?
    /// Directory that says what goes wrong; nil watches none.
    var faultSeam: String?

    /// - Parameter arguments: `--speed N` runs N times as fast as the plan says, `--checkpoint-every STEPS`,
    ///   `--fail-at STEP`, `--fault-seam DIR`.
    init(environment: [String: String], arguments: some Sequence<String>) throws {
        func number<Value: LosslessStringConvertible & Comparable>(
            _ name: String, _ fallback: Value?, from least: Value
        ) throws -> Value {
            guard let text = environment[name] else {
                guard let fallback else { throw TrainerError("\(name) is not set") }
                return fallback
            }
            guard let value = Value(text), value >= least else {
                throw TrainerError("\(name)=\(text) is no number from \(least) on")
            }
            return value
        }
        rank = try number("RANK", 0, from: 0)
        worldSize = try number("WORLD_SIZE", 1, from: 1)
        steps = try number("BASALT_STEPS", nil, from: 1)
        globalBatch = try number("BASALT_GLOBAL_BATCH", 1, from: 1)
        stepSeconds = try number("BASALT_STEP_SECONDS", 1, from: 0)
        plan = environment["BASALT_PLAN"] ?? "ga"
        checkpointDirectory = environment["BASALT_CHECKPOINT_DIR"]
        progressFile = environment["BASALT_PROGRESS_FILE"]
        try read(arguments)
    }

    private mutating func read(_ arguments: some Sequence<String>) throws {
        var words = Array(arguments)[...]
        while let flag = words.popFirst() {
            if flag == "--fault-seam" {
                guard let directory = words.popFirst() else {
                    throw TrainerError("\(flag) needs a directory")
                }
                faultSeam = directory
                continue
            }
            guard let text = words.popFirst(), let value = Double(text), value > 0 else {
                throw TrainerError("\(flag) needs a number above 0")
            }
            switch flag {
            case "--speed": stepSeconds /= value
            case "--checkpoint-every": checkpointEvery = max(1, Int(value))
            case "--fail-at": failAt = Int(value)
            default:
                throw TrainerError(
                    "\(flag) is not known; there are --speed, --checkpoint-every, --fail-at, --fault-seam")
            }
        }
    }
}
