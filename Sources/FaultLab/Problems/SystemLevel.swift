public import Fleet

/// Where a cause lies, in the words that answers are compared with.
public enum SystemLevel: String, Sendable, Hashable, ClosedWord {
    case hardware = "Hardware"
    case operatingSystem = "Operating System"
    case network = "Network"
    case storage = "Storage"
    case virtualization = "Virtualization"
    case dataStore = "Data Store"
    case controlPlane = "Control Plane"
    case application = "Application"

    /// The one of AIOpsLab's four levels that this is counted under there.
    public var inAIOpsLab: SystemLevel {
        switch self {
        case .network, .storage: .operatingSystem
        case .controlPlane: .virtualization
        case .dataStore: .application
        case .hardware, .operatingSystem, .virtualization, .application: self
        }
    }
}

/// What kind of mistake or failure a cause is. The first six are AIOpsLab's.
public enum FaultType: String, Sendable, Hashable, ClosedWord {
    case misconfiguration = "Misconfiguration"
    case codeDefect = "Code Defect"
    case authentication = "Authentication Issue"
    case networkOrStorage = "Network/Storage Issue"
    case operation = "Operation Error"
    case dependency = "Dependency Problem"
    case hardware = "Hardware Fault"
    case exhaustion = "Resource Exhaustion"
    case overload = "Capacity/Overload"
    case consistency = "Consistency Violation"
    case clock = "Clock Fault"
    case prediction = "Model/Prediction Error"
}
