/// One NOTIFY.
public struct PostgresNotification: Sendable, Hashable {
    public let channel: String
    public let payload: String
    /// The session that sent it.
    public let processID: Int32
}
