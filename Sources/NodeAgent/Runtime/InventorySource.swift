public import Fleet

/// Tells which hosts a session carries and what they are.
public protocol InventorySource: Sendable {
    /// Sorted by name.
    func hosts() async throws -> [InventoriedHost]
}

/// A host as it was found.
public struct InventoriedHost: Sendable, Hashable {
    /// Name of the host.
    public var name: String
    public var inventory: HostInventory

    public init(name: String, inventory: HostInventory) {
        self.name = name
        self.inventory = inventory
    }
}

/// Names of substrates that carry meaning for both sides.
public enum SubstrateName {
    /// The host is reported but nothing can be run on it.
    public static let observe = "observe"
    public static let simulated = "simulated"
    /// Parts are processes of the machine.
    public static let process = "process"
}
