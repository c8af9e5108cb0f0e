extension PostgresError {
    /// A serialization failure or a deadlock: the whole transaction may be run again.
    public var isRetryableSerialization: Bool { sqlState == "40001" || sqlState == "40P01" }

    public var isDeadlock: Bool { sqlState == "40P01" }

    public var isUniqueViolation: Bool { sqlState == "23505" }

    public var isForeignKeyViolation: Bool { sqlState == "23503" }

    public var isCheckViolation: Bool { sqlState == "23514" }

    /// A lock was not had: `lock_timeout` or NOWAIT.
    public var isLockNotAvailable: Bool { sqlState == "55P03" }

    /// The server stopped a statement: a cancel request or `statement_timeout`.
    public var isQueryCanceled: Bool { sqlState == "57014" }

    /// There is no session any more, or there never was one.
    public var isConnectionLost: Bool {
        switch code {
        case .connectionLost, .connectionFailed, .connectTimeout, .connectionClosed: true
        default: sqlState?.hasPrefix("08") == true || isAdminShutdown
        }
    }

    /// An administrator or a crash ended the session, or the server is starting or stopping.
    public var isAdminShutdown: Bool {
        switch sqlState {
        case "57P01", "57P02", "57P03", "57P05": true
        default: false
        }
    }

    /// A prepared plan no longer fits the schema; the connection prepares it anew on the next use.
    public var isStalePlan: Bool {
        sqlState == "26000" || (sqlState == "0A000" && message.contains("cached plan must not change"))
    }

    /// The table, schema, column or function does not exist.
    public var isUndefinedObject: Bool {
        switch sqlState {
        case "42P01", "3F000", "42703", "42883": true
        default: false
        }
    }
}
