public import FaultLab

/// A fault that a program does to itself while it stands in its seam's directory.
public struct SeamFault: Sendable, Hashable, Codable {
    public var kind: FaultKind
    public var target: FaultTarget
    public var parameters: FaultParameters
    /// From here on it is over, whether anybody removes it or not: microseconds of the clock that counts from
    /// the boot.
    public var deadline: Int64
    /// Another boot ends it as well.
    public var bootID: String

    public init(
        kind: FaultKind, target: FaultTarget, parameters: FaultParameters, deadline: Int64, bootID: String
    ) {
        self.kind = kind
        self.target = target
        self.parameters = parameters
        self.deadline = deadline
        self.bootID = bootID
    }
}

/// Why a seam cannot be used.
public struct FaultSeamError: Error, Sendable, Hashable, CustomStringConvertible {
    public var description: String

    init(_ description: String) { self.description = description }
}
