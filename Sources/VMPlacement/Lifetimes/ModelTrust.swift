public import Fleet

/// Whether a pool's model earns to be asked, by how often the class that it predicted for VMs was the one
/// they lived to, over those that ended in the last week.
public struct ModelTrust: Sendable, Hashable, Codable {
    /// Names the model, so that another one begins anew.
    public var model: ID<Document>
    /// VMs that started before were predicted by another model.
    public var since: Timestamp
    public private(set) var accuracy = ClassAccuracy()
    /// Once lost, trust comes back with another model, or with another promotion of this one.
    public private(set) var isLost = false

    /// Below this share right a model is worse than age alone (LAVA, §4.4 of the paper's reconstruction).
    public static let leastShare = 0.5

    public init(model: ID<Document>, since: Timestamp) {
        self.model = model
        self.since = since
    }

    /// - Parameters:
    ///   - startedAt: of the VM that ended, microseconds.
    ///   - time: its end, microseconds.
    mutating func judge(isRight: Bool, startedAt: Int64, at time: Int64) {
        guard !isLost, startedAt >= since.microseconds else { return }
        accuracy.add(isRight: isRight, at: time)
        isLost = accuracy.share.map { $0 < Self.leastShare } ?? false
    }
}
