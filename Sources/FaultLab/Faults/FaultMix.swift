/// Which faults happen how often: a rate per host and day, and shares of kinds.
public struct FaultMix: Sendable, Hashable {
    public struct Share: Sendable, Hashable {
        public var kind: FaultKind
        /// Relative to the mix's other shares.
        public var weight: Double
        /// Lower and upper bound of how long it lasts, seconds; drawn evenly on a logarithmic scale.
        public var seconds: ClosedRange<Double>

        public init(_ kind: FaultKind, _ weight: Double, _ seconds: ClosedRange<Double>) {
            self.kind = kind
            self.weight = weight
            self.seconds = seconds
        }
    }

    public var name: String
    public var perHostDay: Double
    public var shares: [Share]

    public init(name: String, perHostDay: Double, shares: [Share]) {
        self.name = name
        self.perHostDay = perHostDay
        self.shares = shares
    }
}

extension FaultMix {
    /// Interruptions of Llama 3's training: 419 that were not planned in 54 days on 16,384 GPUs of 2,048
    /// hosts (arXiv 2407.21783, table 5). Weights are its counts; how a cause looks to a control plane that
    /// does not train is our reading of it.
    public static let llama3 = FaultMix(
        name: "llama-3", perHostDay: 419 / 54 / 2048,
        shares: [
            // GPU 148, HBM3 72, SRAM 19, system processor 17, silent corruption 6, thermal 6.
            Share(.vmCrashLoop, 134, 60...1800), Share(.wrongInventory, 134, 300...7200),
            // Software bug 54, dependency 2.
            Share(.agentCrash, 28, 1...120), Share(.agentHang, 28, 5...300),
            // Switch or cable 35.
            Share(.linkPartition, 15, 5...900), Share(.linkLoss, 10, 30...900),
            Share(.rackPartition, 5, 5...300), Share(.linkAnswerLoss, 5, 5...300),
            // Maintenance 32; power supply, chassis, SSD, CPU, memory, board 14.
            Share(.hostPowerOff, 46, 120...7200),
            // NIC 7, NCCL watchdog 7.
            Share(.linkDelay, 7, 30...900), Share(.heartbeatDrop, 7, 5...300),
        ])

    /// InfiniteHBD's trace: 584 faults of 400 nodes in 349 days (SIGCOMM 2025, arXiv 2502.03885). Weights are
    /// its counts by class; the trace's repairs take days, and are cut to what a simulated day can hold.
    public static let infiniteHBD = FaultMix(
        name: "infinitehbd", perHostDay: 584 / 400 / 349.0,
        shares: [
            // GPU 158.
            Share(.wrongInventory, 80, 300...14400), Share(.vmCrashLoop, 78, 60...1800),
            // Cable 40, NIC 30.
            Share(.linkPartition, 25, 5...900), Share(.linkLoss, 20, 30...1800),
            Share(.linkDelay, 15, 30...1800), Share(.rackPartition, 5, 5...600),
            Share(.linkDuplicate, 5, 30...900),
            // Power 26, fan 33, boards, CPU, RAID and others 12.
            Share(.hostPowerOff, 71, 120...14400),
            // Software 24.
            Share(.agentCrash, 12, 1...300), Share(.agentHang, 6, 5...600), Share(.clockOffset, 6, 60...3600),
            // Unknown 144 and 1, stress test 97, change and test 20.
            Share(.heartbeatDrop, 87, 5...600), Share(.vmStartFailure, 87, 60...3600),
            Share(.hostUnreachable, 88, 5...600),
        ])

    /// What the published mixes do not count: faults of the control plane itself. The rate is a choice, of
    /// the order of the others.
    public static let controlPlane = FaultMix(
        name: "control-plane", perHostDay: 0.004,
        shares: [
            Share(.controllerCrash, 4, 1...120), Share(.controllerStall, 3, 1...60),
            Share(.storeConflict, 2, 5...300), Share(.storeOutcomeUnknown, 2, 5...300),
            Share(.storeReadOnly, 1, 5...120), Share(.storeOutage, 2, 1...120),
            Share(.storeRestart, 2, 1...10),
            Share(.storeSlow, 1, 10...300), Share(.storeLockHeld, 1, 5...60),
            Share(.storeConnectionsExhausted, 1, 5...120), Share(.storeRoleLimit, 1, 5...120),
        ])

    /// Mistakes of people, who notice after a while. The rate is a choice.
    public static let people = FaultMix(
        name: "people", perHostDay: 0.001,
        shares: [Share(.quotaTooLow, 1, 60...1800), Share(.labelDrift, 1, 60...3600)])

    /// The published ones, and what they do not count.
    public static let published = [llama3, infiniteHBD, controlPlane, people]
}
