/// Statements that travel together: one trip to the server, one Sync at the end.
public struct PostgresPipeline: Sendable {
    /// Statements of one pipeline. Their answers wait in memory until all are in.
    public static let maximumCount = 16_384

    private(set) var queries: [EncodedQuery] = []

    public init() {}

    public var count: Int { queries.count }

    /// Adds a statement; its result has the index that is returned.
    /// Throws `value.encoding` or `limit.exceeded`.
    @discardableResult
    public mutating func append(
        _ statement: Statement,
        _ parameters: [any PostgresEncodable] = []
    ) throws -> Int {
        guard queries.count < Self.maximumCount else {
            throw PostgresError(
                .limitExceeded, "more than \(Self.maximumCount) statements in a pipeline",
                statement: statement.name)
        }
        queries.append(try EncodedQuery(statement, parameters))
        return queries.count - 1
    }

    mutating func append(contentsOf other: PostgresPipeline) {
        queries += other.queries
    }
}

/// What a pipeline answered, one entry per statement.
public struct PipelineOutcome: Sendable {
    public enum Entry: Sendable {
        case success(PostgresResult)
        case failure(PostgresError)
        /// It did not run, because one before it failed.
        case aborted
    }

    public let entries: [Entry]
    /// The error of the commit that ended the pipeline, as of a deferred constraint.
    public let commitError: PostgresError?

    /// The error of the statement that failed, or of the commit.
    public var firstError: PostgresError? {
        for case .failure(let error) in entries { return error }
        return commitError
    }

    /// All results, or the first error. Statements that succeeded before an error were rolled back with it.
    public func get() throws -> [PostgresResult] {
        if let firstError { throw firstError }
        return try entries.map { entry in
            guard case .success(let result) = entry else {
                throw PostgresError(.pipelineAborted, "the statement did not run")
            }
            return result
        }
    }
}
