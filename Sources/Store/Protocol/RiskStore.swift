public import AgentProtocol
public import Fleet

/// What use made of decisions about ratios, and what is done about it: hours and days of scopes, trials of
/// ratios on a few hosts, and what the guards of hosts ask for.
///
/// Times of use are those of the fleet clock.
public protocol RiskStore: Sendable {
    /// Hours of scopes that start at a time or later, ascending; scopes without any are left out.
    func scopeHours(of scopes: [RateScope], since: Timestamp) async throws -> [RateScope: [ScopeHour]]

    /// Writes down what became of scopes on days; a day that is told again replaces what was told of it.
    /// Unknown scopes are left out.
    ///
    /// - Throws: `leaseLost`.
    func recordDays(_ days: [RateScope: [RiskDay]], lease: CellLease) async throws

    /// Days of scopes from one on, ascending; scopes without any are left out.
    func riskDays(of scopes: [RateScope], since day: Int) async throws -> [RateScope: [RiskDay]]

    /// Lets hosts go by an approved decision before the others of its scope do, with an event about the
    /// scope.
    ///
    /// - Parameters:
    ///   - startedAt: fleet time, in whole seconds.
    /// - Returns: false, and nothing is written, unless the decision is approved and tried nowhere.
    /// - Throws: `leaseLost`.
    func beginTrial(
        of decision: ID<ScopeDecision>, on hosts: [ID<Document>], startedAt: Timestamp,
        event: EventWords, lease: CellLease
    ) async throws -> Bool

    /// Takes an approved decision back, and its trial with it, with an event about the scope.
    ///
    /// - Returns: false, and nothing is written, unless the decision is approved.
    /// - Throws: `leaseLost`.
    func withdraw(_ decision: ID<ScopeDecision>, event: EventWords, lease: CellLease) async throws -> Bool

    /// Trials under way, sorted by scope.
    func trials() async throws -> [RateTrial]

    /// What guards of a cell's hosts ask for and nobody has done yet, sorted by allocation.
    func guardAsks(cell: String) async throws -> [GuardAskRecord]

    /// Notes that what guards asked for was done, or cannot be.
    ///
    /// - Throws: `leaseLost`.
    func closeGuardAsks(_ allocations: [ID<Allocation>], lease: CellLease) async throws
}

/// What an event says.
public struct EventWords: Sendable, Hashable {
    public var reason: Reason
    public var message: String

    public init(_ reason: Reason, _ message: String) {
        self.reason = reason
        self.message = message
    }
}

/// An hour of a scope.
public struct ScopeHour: Sendable, Hashable {
    /// Seconds since 1970 on the fleet clock, a multiple of 3600.
    public var start: Int
    /// Of the bin in which the greatest share of the shared vCPUs was in use: how much was, of how much,
    /// and what the largest VM had.
    public var usedMilliCPU: Int
    public var soldMilliCPU: Int
    public var largestMilliCPU: Int
    /// Bins of hosts, and those of them that were hot.
    public var bins: Int
    public var hotBins: Int
    /// vCPUs sold above the cores that hosts have for them, mean of the bins.
    public var savedMilliCPU: Int

    public init(
        start: Int, usedMilliCPU: Int, soldMilliCPU: Int, largestMilliCPU: Int, bins: Int, hotBins: Int,
        savedMilliCPU: Int
    ) {
        self.start = start
        self.usedMilliCPU = usedMilliCPU
        self.soldMilliCPU = soldMilliCPU
        self.largestMilliCPU = largestMilliCPU
        self.bins = bins
        self.hotBins = hotBins
        self.savedMilliCPU = savedMilliCPU
    }

    /// Greatest share of the vCPUs in use at once; nil where nothing was sold.
    public var peak: Double? {
        soldMilliCPU > 0 ? min(1, Double(usedMilliCPU) / Double(soldMilliCPU)) : nil
    }
}

/// What the guard of a host asks for.
public struct GuardAskRecord: Sendable, Hashable {
    public var ask: GuardAsk
    public var host: ID<Document>
    /// What the guard said of it, with its signals.
    public var message: String
    public var at: Timestamp

    public init(ask: GuardAsk, host: ID<Document>, message: String, at: Timestamp) {
        self.ask = ask
        self.host = host
        self.message = message
        self.at = at
    }
}
