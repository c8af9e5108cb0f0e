extension PostgresConnection {
    /// Listens on channels; notifications are kept in a bounded buffer until they are taken.
    func listen(to channels: [String], bufferLimit: Int) async throws {
        notifications.limit = bufferLimit
        let statements = channels.map { "LISTEN \(PostgresIdentifier.quoted($0))" }
        try await runScript(statements.joined(separator: ";"))
    }

    /// Waits for notifications. Throws what ended the session, or `CancellationError`.
    func nextNotifications() async throws -> (notifications: [PostgresNotification], hasOverflowed: Bool) {
        try await operation {
            while notifications.isEmpty {
                _ = try openHandle()
                if isCancelRequested { throw CancellationError() }
                await waitForEvent()
            }
            return notifications.take()
        }
    }
}
