public import Fleet
public import Logging

/// Keeps each event in a buffer, and hands it on to the handler that writes it.
public struct SignalLogHandler: LogHandler {
    public var logLevel: Logger.Level {
        get { base.logLevel }
        set { base.logLevel = newValue }
    }
    public var metadata: Logger.Metadata {
        get { base.metadata }
        set { base.metadata = newValue }
    }
    public var metadataProvider: Logger.MetadataProvider? {
        get { base.metadataProvider }
        set { base.metadataProvider = newValue }
    }
    private var base: any LogHandler
    private let buffer: SignalBuffer
    private let now: @Sendable () -> Timestamp

    public init(_ base: any LogHandler, into buffer: SignalBuffer, now: @escaping @Sendable () -> Timestamp) {
        self.base = base
        self.buffer = buffer
        self.now = now
    }

    public subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { base[metadataKey: key] }
        set { base[metadataKey: key] = newValue }
    }

    public func log(event: LogEvent) {
        base.log(event: event)
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let given = event.metadata { all.merge(given) { $1 } }
        let line = LogLine(time: now(), event: event, metadata: all)
        let fields = line.fields.map { " \($0.key)=\(LogField.logfmt($0.value))" }.joined()
        buffer.add(
            SignalBuffer.Line(
                at: line.time, level: line.level.rawValue, component: line.component,
                message: line.message + fields))
    }
}
