import VMPlacement

/// A VM with the lifetime that is taken for its own.
struct LabelledVM {
    let features: VMFeatures
    /// As seen or, for one that still runs, as expected, seconds; above 0.
    let lifetime: Double
    /// Uptimes that were seen are below this, seconds.
    let seen: Double

    /// Labels VMs in their order. One that still runs is given its age and what those of its kind that got as
    /// old had left on average (Buckley and James 1979 by Kaplan-Meier, per project and size as far as 50
    /// ended, else per size, else of all). What is past the cap makes no difference.
    static func label(_ vms: [TrainingVM], capSeconds: Double) -> [LabelledVM] {
        let longest = vms.reduce(0) { max($0, $1.observation.seconds) }
        let curves = StratifiedModel.kaplanMeier(
            vms.map(\.observation), levels: [[.project, .size], [.project], [.size]], shape: .steps,
            horizon: longest + capSeconds)
        return vms.map { vm in
            let seen = max(vm.observation.seconds, LifetimePredictor.least)
            guard !vm.observation.hasEnded else {
                return LabelledVM(features: vm.observation.features, lifetime: seen, seen: seen)
            }
            let left = curves.expectedRemaining(uptime: seen, of: vm.observation.features)
            return LabelledVM(
                features: vm.observation.features,
                lifetime: seen + min(max(left, LifetimePredictor.least), capSeconds), seen: seen)
        }
    }
}
