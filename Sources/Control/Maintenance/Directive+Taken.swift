internal import Fleet

extension Directive {
    /// What it takes of a host, and what was predicted of that; nil for what only gives back.
    var taken: (allocation: Allocation, lifetime: PredictedLifetime?)? {
        switch self {
        case .allocate(let directive): (directive.allocation, directive.lifetime)
        case .migrate(let directive): (directive.allocation, directive.lifetime)
        case .release: nil
        }
    }
}
