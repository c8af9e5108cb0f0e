import Fleet
import Foundation
import VMPlacement

/// The model of one experiment, made once and shared by its policies.
struct ExperimentLifetimes {
    let model: any LifetimeModel
    /// What owners say, per row; empty when nobody says anything.
    private let hints: [Duration]

    /// Age at which integrals of survival curves are cut, seconds: nothing older than 6.7 days is seen in the
    /// ten days that the lifetimes of the Azure trace span.
    private static let horizon = 6.7 * 86_400

    /// Microseconds: no VM is said to live a thousand years, which keeps times inside 64 bits.
    private static let hintLimit = 3e16

    /// - Throws: `TraceError` for a file of lifetimes that cannot be used, `LifetimeModelError` for one of a
    ///   model.
    init(
        _ prediction: LifetimePrediction, trace: VMTrace, warmUp: Int64, seed: UInt64
    ) throws {
        switch prediction {
        case .oracle(let sigma):
            model = HintModel(spread: sigma)
            hints = Self.hints(trace, sigma: sigma, noise: OracleNoise(seed: seed))
        case .kaplanMeier(let file):
            let seen = try Self.observations(file, trace: trace, until: warmUp)
            model = StratifiedModel.kaplanMeier(seen, horizon: Self.horizon)
            hints = []
        case .age(let file):
            let seen = try Self.observations(file, trace: trace, until: warmUp)
            model = StratifiedModel.kaplanMeier(seen, levels: [], horizon: Self.horizon)
            hints = []
        case .logNormal(let file):
            model = StratifiedModel.logNormal(try Self.observations(file, trace: trace, until: warmUp))
            hints = []
        case .boosted(let file):
            model = try LifetimeModelFile(readingFile: file).model
            hints = []
        }
    }

    func hint(_ row: Int) -> Duration? { hints.isEmpty ? nil : hints[row] }

    private static func hints(_ trace: VMTrace, sigma: Double, noise: OracleNoise) -> [Duration] {
        trace.vms.indices.map { row in
            let factor = sigma > 0 ? exp(sigma * noise.normal(row)) : 1
            return .microseconds(Int64(min(Double(trace.vms[row].lifetime) * factor, hintLimit).rounded()))
        }
    }

    private static func observations(
        _ file: String?, trace: VMTrace, until: Int64
    ) throws(TraceError) -> [LifetimeObservation] {
        if let file { return try LifetimeReader().read(TraceSource(argument: file)) }
        return trace.vms.filter { $0.arrival < until }.map { vm in
            LifetimeObservation(
                features: VMFeatures(resources: vm.resources),
                seconds: Double(min(vm.departure, until) - vm.arrival) / 1e6, hasEnded: vm.departure <= until)
        }
    }
}

extension TraceVM {
    /// Microseconds; a VM that departs when it arrives lives for one.
    var lifetime: Int64 { max(1, departure - arrival) }
}
