import Fleet
public import VMPlacement

extension VMTrace {
    /// Columns that are no attributes: 1 in `censored` is a VM that still ran when it was last seen.
    public static let censoredColumn = "censored"
    static let projectColumn = "project"
    private static let classColumn = "class"

    /// What a prediction goes by, of the columns that were kept.
    public func features(_ row: Int) -> VMFeatures {
        var features = VMFeatures(resources: vms[row].resources)
        for column in columns {
            guard let value = column[row] else { continue }
            switch column.name {
            case Self.projectColumn: features.project = value
            case Self.classColumn: features.class = WorkloadClass(rawValue: value) ?? features.class
            case Self.censoredColumn: break
            default: features.attributes[column.name] = value
            }
        }
        return features
    }

    /// How long a VM lived, or was seen to live.
    public func observation(_ row: Int) -> LifetimeObservation {
        let isCensored = columns.first { $0.name == Self.censoredColumn }?[row] == "1"
        return LifetimeObservation(
            features: features(row), seconds: Double(vms[row].lifetime) / 1e6, hasEnded: !isCensored)
    }
}
