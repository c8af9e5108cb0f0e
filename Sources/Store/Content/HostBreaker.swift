/// When losing hosts looks like a fault of the network or of the controllers rather than of the hosts.
package enum HostBreaker {
    /// How long a lost host counts.
    package static let window = Duration.seconds(60)
    /// Fewer lost hosts never trip: in a small domain one host is already a large fraction.
    package static let fewest = 3

    package static func trips(lost: Int, of hosts: Int, fraction: Double) -> Bool {
        lost >= fewest && Double(lost) > fraction * Double(hosts)
    }
}
