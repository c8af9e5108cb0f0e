/// What became of hosts that were packed by what was known, in the time after.
public struct PackingOutcome: Sendable, Hashable {
    public var hosts: Int
    /// vCPUs of all VMs over cores of all hosts.
    public var ratio: Double
    /// Steps of hosts in which the VMs wanted more than the host has, of all steps of hosts.
    public var hotHostSampleRate: Double
    /// Hosts with at least one such step, of all hosts.
    public var hotHosts: Double
    /// Steps of hosts above nine tenths, of all steps of hosts.
    public var nearlyHotHostSampleRate: Double
    /// Core time that was wanted above what hosts have, of all core time that was wanted.
    public var unmetCoreFraction: Double

    private static let nearlyHot = 0.9
    /// As for placement: the last bits of a sum make no host hot.
    private static let tolerance = 1e-9

    /// - Parameters:
    ///   - members: the VMs of each host.
    ///   - cores: of each VM.
    ///   - hostCores: of one host.
    ///   - used: cores that each VM wants, step by step, equally many of each.
    public init(members: [[Int]], cores: [Double], hostCores: Double, used: [[Double]]) {
        var hot = 0
        var everHot = 0
        var nearlyHot = 0
        var unmet = 0.0
        var wanted = 0.0
        var samples = 0
        for vms in members {
            let load = Self.sum(vms, used)
            let hotSteps = load.count { $0 > hostCores + Self.tolerance }
            hot += hotSteps
            everHot += hotSteps > 0 ? 1 : 0
            nearlyHot += load.count { $0 > hostCores * Self.nearlyHot }
            unmet += load.reduce(0) { $0 + max(0, $1 - hostCores) }
            wanted += load.reduce(0, +)
            samples += load.count
        }
        let placed = members.joined().reduce(0) { $0 + cores[$1] }
        hosts = members.count
        ratio = members.isEmpty ? 0 : placed / (Double(members.count) * hostCores)
        hotHostSampleRate = samples == 0 ? 0 : Double(hot) / Double(samples)
        hotHosts = members.isEmpty ? 0 : Double(everHot) / Double(members.count)
        nearlyHotHostSampleRate = samples == 0 ? 0 : Double(nearlyHot) / Double(samples)
        unmetCoreFraction = wanted > 0 ? unmet / wanted : 0
    }

    private static func sum(_ vms: [Int], _ used: [[Double]]) -> [Double] {
        guard let first = vms.first else { return [] }
        var load = used[first]
        for vm in vms.dropFirst() {
            let values = used[vm]
            for step in load.indices { load[step] += values[step] }
        }
        return load
    }
}
