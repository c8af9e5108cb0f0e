import Testing

/// Suites with real processes, one scenario after another: parts of two would be told apart by their ids
/// only, and those are the same in every scenario.
@Suite("Processes", .serialized)
enum ProcessSuites {}
