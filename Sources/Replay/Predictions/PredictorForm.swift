internal import Oversubscription

/// One predictor with its numbers.
enum PredictorForm: Sendable, Hashable {
    case limit(Double)
    case largest
    case vm(Double, Int)
    case machine(Double, Int)
    case sigmas(Double, Int)
    case chance(ChanceBound, Double, Int)
    case windows(Int, Double)
    case histogram(Double)

    /// Some years of samples.
    private static let historyLimit = 1_000_000

    /// Reads one of `PredictorName.forms`; nil for anything else.
    init?(_ text: String) {
        guard let form = Self.parse(text) else { return nil }
        self = form
    }

    private static func parse(_ text: String) -> PredictorForm? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let number = parts.count > 1 ? Double(parts[1]) : nil
        let share = parts.count > 1 ? PercentileName.share(parts[1]) : nil
        let history =
            parts.count == 3 ? Int(parts[2]).flatMap { (1...historyLimit).contains($0) ? $0 : nil } : nil
        let risk = number.flatMap { $0 >= 1e-12 && $0 < 1 ? $0 : nil }
        switch (parts[0], parts.count) {
        case ("limit", 1): return .limit(1)
        case ("max", 1): return .largest
        case ("phi", 2): return number.flatMap { (0...1).contains($0) ? .limit($0) : nil }
        case ("vm", 3): return pair(share, history).map { .vm($0, $1) }
        case ("machine", 3): return pair(share, history).map { .machine($0, $1) }
        case ("n-sigma", 3):
            return pair(number.flatMap { (0...1000).contains($0) ? $0 : nil }, history).map {
                .sigmas($0, $1)
            }
        case ("chance", 3): return pair(risk, history).map { .chance(.gaussian, $0, $1) }
        case ("cantelli", 3): return pair(risk, history).map { .chance(.cantelli, $0, $1) }
        case ("hoeffding", 3): return pair(risk, history).map { .chance(.hoeffding, $0, $1) }
        case ("window", 3):
            guard case .windows(let count, let percentile) = try? PackingPolicyName(parsing: text).policy
            else { return nil }
            return .windows(count, percentile)
        case ("histogram", 2): return share.map { .histogram($0) }
        default: return nil
        }
    }

    private static func pair(_ value: Double?, _ history: Int?) -> (Double, Int)? {
        guard let value, let history else { return nil }
        return (value, history)
    }

    /// Days of history that a window of the day looks at.
    private static let windowDays = 7

    func predictor(_ minimum: Int, _ stepsPerDay: Int) -> any PeakPredictor {
        func host(_ rule: some PeakRule) -> any PeakPredictor { HostPredictor(rule, minimumSamples: minimum) }
        return switch self {
        case .limit(let share): host(LimitRule(share: share))
        case .largest: host(LargestSeenRule())
        case .vm(let q, let history): host(VMPercentileRule(percentile: q, history: history))
        case .machine(let q, let history): host(MachinePercentileRule(percentile: q, history: history))
        case .sigmas(let count, let history): host(NSigmaRule(sigmas: count, history: history))
        case .chance(let bound, let chance, let history):
            host(ChanceRule(bound, chance: chance, history: history))
        case .windows(let count, let q):
            host(
                WindowRule(DayWindows(count, stepsPerDay: stepsPerDay), percentile: q, days: Self.windowDays))
        case .histogram(let q):
            host(HistogramRule(.init(halfLife: Double(stepsPerDay) / 2), percentile: q))
        }
    }

    func column(_ minimum: Int) -> String {
        let warm = "_w\(minimum)"
        return switch self {
        case .limit(1): "limit"
        case .limit(let share): "limit_phi\(share)\(warm)"
        case .largest: "max\(warm)"
        case .vm(let q, let history): "pervm_p\(Self.short(q * 100))_h\(history)\(warm)"
        case .machine(let q, let history): "permachine_p\(Self.short(q * 100))_h\(history)\(warm)"
        case .sigmas(let count, let history): "nsigma_n\(Self.short(count))_h\(history)\(warm)"
        case .chance(let bound, let chance, let history): "\(bound.rawValue)_r\(chance)_h\(history)\(warm)"
        case .windows(let count, let q): "window_\(count)_p\(Self.short(q * 100))\(warm)"
        case .histogram(let q): "histogram_p\(Self.short(q * 100))\(warm)"
        }
    }

    /// To a millionth, without a point where there is nothing after it.
    private static func short(_ value: Double) -> String {
        let rounded = (value * 1e6).rounded() / 1e6
        return rounded == rounded.rounded() ? String(Int(rounded)) : String(rounded)
    }
}
