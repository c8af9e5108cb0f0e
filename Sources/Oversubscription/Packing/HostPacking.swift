/// Hosts that are filled one VM after another by best fit: a VM goes where the least room is, and opens a
/// host where it fits nowhere.
public struct HostPacking: Sendable {
    /// The VMs of each host, in the order in which they came.
    public private(set) var members: [[Int]] = []

    private let room: PackingRoom
    private var loads: [PackingDemand] = []
    /// In cores, per host.
    private var residuals: [Double] = []

    /// Sums of many shares miss a capacity by their last bits.
    private static let tolerance = 1e-9

    public init(_ room: PackingRoom) { self.room = room }

    /// - Parameters:
    ///   - vm: any number.
    ///   - demand: of as many windows as that of every other VM. What is larger than a host gets one for
    ///     itself.
    public mutating func place(_ vm: Int, _ demand: PackingDemand) {
        var best: Int?
        var least = Double.infinity
        for host in loads.indices {
            let left = residual(loads[host], with: demand)
            if left >= -Self.tolerance, left < least { best = host; least = left }
        }
        if let best {
            Self.add(demand, to: &loads[best])
            members[best].append(vm)
            residuals[best] = residual(loads[best], with: nil)
        } else {
            loads.append(demand)
            members.append([vm])
            residuals.append(residual(demand, with: nil))
        }
    }

    /// Cores that are left in the fullest window.
    private func residual(_ load: PackingDemand, with demand: PackingDemand?) -> Double {
        var fullest = -Double.infinity
        for window in load.peaks.indices {
            fullest = max(fullest, load.peaks[window] + (demand?.peaks[window] ?? 0))
        }
        let variance = load.variance + (demand?.variance ?? 0)
        return room.capacity - fullest - room.factor * variance.squareRoot()
    }

    private static func add(_ demand: PackingDemand, to load: inout PackingDemand) {
        for window in load.peaks.indices { load.peaks[window] += demand.peaks[window] }
        load.variance += demand.variance
    }
}
