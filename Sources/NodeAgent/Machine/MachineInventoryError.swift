/// What the machine did not tell.
public struct MachineInventoryError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Relative to the root.
    public var path: String
    public var message: String

    public init(path: String, message: String) {
        self.path = path
        self.message = message
    }

    public var description: String { "\(path): \(message)" }
}
