internal import Synchronization

/// Which of several controllers to talk to: the last one that answered, until it fails.
final class EndpointRotation: Sendable {
    private let addresses: [ServerAddress]
    private let index = Mutex(0)

    /// - Parameter addresses: at least one.
    init(_ addresses: [ServerAddress]) {
        precondition(!addresses.isEmpty, "a client needs a server, got \(addresses.count)")
        self.addresses = addresses
    }

    var count: Int { addresses.count }
    var current: ServerAddress { addresses[index.withLock { $0 }] }

    /// Moves on from `failed`, unless a request beside this one has done so already.
    func leave(_ failed: ServerAddress) {
        index.withLock { index in
            if addresses[index] == failed { index = (index + 1) % addresses.count }
        }
    }
}
