public import Fleet

/// An error answer, `application/problem+json` (RFC 9457) with a closed code.
public struct Problem: Error, Sendable, Hashable, Codable {
    public var type: String
    public var title: String
    public var status: Int
    public var detail: String
    public var code: ProblemCode
    public var retryable: Bool
    public var causes: [FieldDefect]
    public var requestId: String?
    /// Where more is said, such as the `why` of a pending workload.
    public var instance: String?

    public init(
        _ code: ProblemCode, detail: String, causes: [FieldDefect] = [], requestId: String? = nil,
        instance: String? = nil
    ) {
        let entry = code.entry
        type = "https://basalt.dev/problems/\(code.rawValue)"
        title = entry.title
        status = entry.status
        self.detail = detail
        self.code = code
        retryable = entry.retryable
        self.causes = causes
        self.requestId = requestId
        self.instance = instance
    }
}
