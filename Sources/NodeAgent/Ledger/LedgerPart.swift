public import AgentProtocol

/// One part in the agent's ledger.
public struct LedgerPart: Sendable, Equatable, Codable {
    /// How far the agent got. Written before the step that makes it matter.
    public enum Progress: Sendable, Equatable, Codable {
        /// The directive is accepted; a start may be under way. A runtime that does not know the part tells
        /// that it never ran.
        case accepted
        /// The runtime confirmed the start. If it no longer knows the part, the part is lost, not unstarted.
        case launched
        /// The part does not run and is never started again.
        case ended(PartEnd)
    }

    public var directive: PartDirective
    public var progress: Progress
    /// Whether the newest assignment names the part.
    public var listed: Bool

    public init(directive: PartDirective, progress: Progress, listed: Bool) {
        self.directive = directive
        self.progress = progress
        self.listed = listed
    }
}
