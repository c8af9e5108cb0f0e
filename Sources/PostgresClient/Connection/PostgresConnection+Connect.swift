import CLibPQ
public import Logging

extension PostgresConnection {
    /// Opens a session.
    ///
    /// Throws `connection.failed` (with the SQLSTATE where the server refused), `connection.timeout`, or
    /// `CancellationError`. Name look-up happens on the connection's own queue and is outside the timeout.
    public static func connect(
        _ configuration: PostgresConfiguration,
        logger: Logger
    ) async throws -> PostgresConnection {
        let connection = PostgresConnection(configuration: configuration, logger: logger)
        try await connection.open()
        return connection
    }

    func open() async throws {
        do {
            try await operation(.connecting) { try await establish() }
            if let setup = configuration.sessionSetup { try await runScript(setup) }
        } catch {
            await close()
            throw error
        }
    }

    private func establish() async throws {
        let timer = executor.timer(after: configuration.connectTimeout) { [weak self] in
            self?.assumeIsolated { connection in
                connection.connectDeadlinePassed = true
                connection.wake()
            }
        }
        defer { timer.cancel() }
        let handle = try startConnecting()
        self.handle = handle
        var wanted = PGRES_POLLING_WRITING
        while wanted != PGRES_POLLING_OK {
            guard wanted == PGRES_POLLING_READING || wanted == PGRES_POLLING_WRITING else {
                throw connectFailure(handle)
            }
            // Each step may continue on another socket: further addresses, or TLS refused.
            startWatching()
            if wanted == PGRES_POLLING_READING { watch?.resumeReading() } else { watch?.resumeWriting() }
            await waitForEvent()
            if isCancelRequested { throw CancellationError() }
            if connectDeadlinePassed {
                throw PostgresError(
                    .connectTimeout, "no session within \(configuration.connectTimeout)")
            }
            wanted = PQconnectPoll(handle.pointer)
        }
        PQsetErrorVerbosity(handle.pointer, PQERRORS_DEFAULT)
        guard PQsetnonblocking(handle.pointer, 1) == 0 else { throw connectFailure(handle) }
        startWatching()
        becomeOpen(handle)
    }

    private func startConnecting() throws -> LibPQHandle {
        let parameters = configuration.connectionParameters
        let pointer = withCStrings(parameters.map(\.keyword)) { keywords in
            withCStrings(parameters.map(\.value)) { values in
                PQconnectStartParams(keywords, values, 1)
            }
        }
        guard let pointer else { throw PostgresError(.connectionFailed, "out of memory") }
        let handle = LibPQHandle(pointer: pointer, notices: NoticeReceiver(logger: logger))
        guard PQstatus(pointer) != CONNECTION_BAD else { throw connectFailure(handle) }
        // The only way to learn the SQLSTATE of a refused session is to have it in the text.
        PQsetErrorVerbosity(pointer, PQERRORS_VERBOSE)
        return handle
    }

    private func connectFailure(_ handle: LibPQHandle) -> PostgresError {
        let message = PostgresError.connectionMessage(handle.pointer)
        let match = message.firstMatch(of: #/(?:FATAL|PANIC|ERROR): +([0-9A-Z]{5}): /#)
        var text = message
        if let location = text.firstRange(of: #/; LOCATION: .*/#) { text.removeSubrange(location) }
        return PostgresError(.connectionFailed, text, sqlState: match.map { String($0.1) })
    }
}

/// Calls `body` with a NULL-terminated array of C strings.
private func withCStrings<Result>(
    _ strings: [String],
    _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
) -> Result {
    var bytes: [CChar] = []
    var starts: [Int] = []
    for string in strings {
        starts.append(bytes.count)
        bytes.append(contentsOf: string.utf8CString)
    }
    return bytes.withUnsafeBufferPointer { bytes in
        var pointers = starts.map { start in bytes.baseAddress?.advanced(by: start) }
        pointers.append(nil)
        return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
    }
}
