import AgentProtocol
import Fleet

/// The controllers' side of the contract, in memory.
struct ControlModel {
    struct Host {
        var number = 0
        var changedAt = 0
        var parts: [ID<Allocation>: PartDirective] = [:]
    }

    enum Failure { case none, unreachable, answerLost }

    private(set) var epoch = 1
    private(set) var incarnation = 0
    private(set) var hosts: [String: Host] = [:]
    private(set) var hellos: [HelloRequest] = []
    private(set) var reports: [ReportRequest] = []
    /// The last report of each allocation.
    private(set) var observed: [ID<Allocation>: PartReport] = [:]
    var failure = Failure.none
    var isSuperseded = false
    var lease = LeaseTerms.standard
    var limits = SessionLimits.standard
    private var sequence = 0
    private var change = 0

    // MARK: What controllers do

    mutating func assign(_ host: String, _ directive: PartDirective) {
        edit(host) { $0[directive.allocation] = directive }
    }

    mutating func stop(_ host: String, _ allocation: ID<Allocation>) {
        edit(host) { $0[allocation]?.action = .stop }
    }

    /// No longer lists the part, whether or not it ended.
    mutating func drop(_ host: String, _ allocation: ID<Allocation>) {
        edit(host) { $0[allocation] = nil }
    }

    mutating func raiseEpoch() {
        epoch += 1
        for host in hosts.keys.sorted() { edit(host) { _ in } }
    }

    private mutating func edit(_ name: String, _ body: (inout [ID<Allocation>: PartDirective]) -> Void) {
        change += 1
        var host = hosts[name] ?? Host()
        host.number += 1
        host.changedAt = change
        body(&host.parts)
        hosts[name] = host
    }

    // MARK: What agents call

    mutating func hello(_ request: HelloRequest) throws -> HelloResponse {
        if failure == .unreachable { throw ControlPlaneError.unavailable("down") }
        if isSuperseded { throw ControlPlaneError.superseded }
        incarnation += 1
        sequence = 0
        hellos.append(request)
        for host in request.hosts {
            for part in host.parts { observed[part.allocation] = part }
            if hosts[host.name] == nil { edit(host.name) { _ in } }
        }
        if failure == .answerLost { throw ControlPlaneError.unavailable("answer lost") }
        return HelloResponse(
            incarnation: incarnation, epoch: epoch, lease: lease, limits: limits, refused: [])
    }

    /// Nil when there is nothing new: the poll waits.
    func poll(_ request: PollRequest) throws -> PollResponse? {
        if failure != .none { throw ControlPlaneError.unavailable("down") }
        if isSuperseded || request.incarnation != incarnation { throw ControlPlaneError.superseded }
        let seen = request.cursor.flatMap { Int($0) }
        if let seen, seen == change { return nil }
        let changed = hosts.filter { $0.value.changedAt > seen ?? -1 }.sorted { $0.key < $1.key }
        return PollResponse(
            cursor: "\(change)", epoch: epoch,
            assignments: changed.map { name, host in
                let parts = host.parts.values.sorted { $0.allocation < $1.allocation }
                return HostAssignment(
                    host: name, generation: Generation(epoch: epoch, number: host.number),
                    hash: HostAssignment.hash(of: parts), parts: parts)
            })
    }

    mutating func report(_ request: ReportRequest) throws -> ReportResponse {
        if failure == .unreachable { throw ControlPlaneError.unavailable("down") }
        if isSuperseded || request.incarnation != incarnation { throw ControlPlaneError.superseded }
        if request.sequence > sequence {
            precondition(request.sequence == sequence + 1, "a sequence was skipped")
            sequence = request.sequence
            reports.append(request)
            for part in request.parts { observed[part.allocation] = part }
        } else {
            precondition(reports.last == request, "a repeat differs")
        }
        if failure == .answerLost { throw ControlPlaneError.unavailable("answer lost") }
        return ReportResponse(acknowledged: request.sequence, epoch: epoch)
    }
}
