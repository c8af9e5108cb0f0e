/// Why an image cannot be used; for the owner of the workload.
struct ImageError: Error, Equatable, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
