import Testing

/// Scenarios on the built programs, one after another: each has the machine for itself.
@Suite(.serialized)
enum EndToEndTests {}
