package import Fleet
internal import struct Foundation.UUID

extension ID {
    /// Names nothing.
    package static var zero: ID { ID(UUID(uuid: (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0))) }
}
