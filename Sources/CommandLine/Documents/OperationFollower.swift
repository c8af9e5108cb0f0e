internal import Client
internal import Fleet

/// Follows a slow verb to its end.
struct OperationFollower {
    let client: RESTClient
    let surroundings: Surroundings
    /// Whether every new message stays on the screen.
    var tellsMessages = false

    /// Operations change with what agents report, at most once a second.
    static let interval = Duration.seconds(1)

    /// - Throws: ``CommandFailure`` with status 3 when `timeout` passes first; the operation goes on then.
    func follow(_ operation: OperationRecord, timeout: Duration) async throws -> OperationRecord {
        var progress = ProgressLine(surroundings)
        defer { progress.end() }
        var operation = operation
        var told = ""
        let deadline = surroundings.uptime() + timeout
        do {
            while operation.state == .running {
                guard surroundings.uptime() < deadline else {
                    throw CommandFailure(
                        "\(operation.verb) of \(operation.target) goes on as operation \(operation.id)",
                        status: .timedOut)
                }
                progress.show(
                    "\(operation.verb) \(operation.target): \(operation.progress) \(operation.message)",
                    fraction: Self.fraction(operation))
                if tellsMessages, operation.message != told {
                    told = operation.message
                    progress.end()
                    surroundings.console.writeError(Printable.clean("\(operation.progress) \(told)") + "\n")
                }
                try await surroundings.seams.sleep(Self.interval)
                operation = try await client.operation(operation.id)
            }
        } catch is CancellationError {
            throw CommandFailure(
                "\(operation.verb) of \(operation.target) goes on as operation \(operation.id)",
                status: .interrupted)
        }
        return operation
    }

    private static func fraction(_ operation: OperationRecord) -> Double? {
        guard let done = operation.done, let total = operation.total, total > 0 else { return nil }
        return Double(done) / Double(total)
    }
}
