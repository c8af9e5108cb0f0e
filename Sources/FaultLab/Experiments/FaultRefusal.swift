/// Why a fault is not injected, or not changed.
public struct FaultRefusal: Error, Sendable, Hashable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The specification is no good.
        case invalid
        case nameTaken
        case unknown
        /// All faults are switched off.
        case switchedOff
        /// No injector has a target that it could be done to.
        case noTarget
        /// A target may not be hit.
        case protected
        /// A target is under another fault.
        case busy
        case blastRadius
        /// The fleet is not well enough.
        case unsteady
        /// It is over.
        case finished
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
