public import DeviceHealth
public import Fleet
public import Logging
public import ServiceLifecycle
internal import Synchronization

/// Follows the kernel's log and the devices' counters of a session's hosts, and judges the inventory by them.
///
/// What decides is `DeviceHealthModel`; this reads, remembers and tells. A host whose log or counters cannot
/// be read keeps what is known of it.
public final class DeviceHealthWatch: Service {
    /// Where one host's devices are told of.
    public struct Sources: Sendable {
        public var log: (any KernelLog)?
        public var counters: (any DeviceCounterSource)?
        public var memory: DeviceHealthMemory

        public init(
            log: (any KernelLog)?, counters: (any DeviceCounterSource)?, memory: DeviceHealthMemory
        ) {
            self.log = log
            self.counters = counters
            self.memory = memory
        }
    }

    private struct Host {
        var contents: DeviceHealthMemory.Contents
        /// UUIDs by address, and by themselves.
        var addresses: [String: String] = [:]
        var devices: [Device] = []
        var told: [String: DeviceVerdict] = [:]
        /// What could not be read at the last look; said once.
        var trouble: String?
    }

    private let inventory: any InventorySource
    private let sources: @Sendable (String) -> Sources?
    private let rules: HealthRules
    private let interval: Duration
    private let clock: any AgentClock
    private let logger: Logger
    private let catalogue = XIDCatalogue()
    private let hosts = Mutex<[String: Host]>([:])
    private let changed = Mailbox<Void>()

    /// - Parameters:
    ///   - inventory: what the hosts are, before they are judged.
    ///   - sources: of a host by its name; nil for one whose devices are not watched.
    public init(
        inventory: any InventorySource, sources: @escaping @Sendable (String) -> Sources?,
        rules: HealthRules = HealthRules(), interval: Duration = .seconds(5), clock: any AgentClock,
        logger: Logger
    ) {
        self.inventory = inventory
        self.sources = sources
        self.rules = rules
        self.interval = interval
        self.clock = clock
        self.logger = logger
    }

    /// Works until graceful shutdown or cancellation.
    public func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await self.work() }
        } catch is CancellationError {
            return
        }
    }

    /// Works until cancelled.
    public func work() async throws {
        while true {
            try await clock.sleep(until: clock.now().advanced(by: interval))
            look()
        }
    }

    /// Reads what is new of all hosts that have devices.
    public func look() {
        let isNews = hosts.withLock { hosts in
            var isNews = false
            for name in hosts.keys.sorted() {
                guard var host = hosts[name], !host.devices.isEmpty, let sources = sources(name) else {
                    continue
                }
                isNews = look(name, &host, sources) || isNews
                hosts[name] = host
            }
            return isNews
        }
        if isNews { changed.post(()) }
    }

    /// - Returns: whether a verdict is another one than was told.
    private func look(_ name: String, _ host: inout Host, _ sources: Sources) -> Bool {
        let now = clock.wallTime()
        let before = host.contents
        var trouble: String?
        do {
            host.contents.model.booted(clock.bootID)
            if let log = sources.log { try follow(log, &host, now) }
        } catch {
            trouble = "\(error)"
        }
        do {
            let samples = try sources.counters?.counters() ?? []
            let known = Set(host.devices.map(\.uuid))
            host.contents.model.take(samples.filter { known.contains($0.uuid) }, at: now, rules: rules)
        } catch {
            trouble = trouble ?? "\(error)"
        }
        let hasMoved =
            host.contents.cursor != before.cursor || host.contents.model != before.model
        if hasMoved {
            do {
                try sources.memory.write(host.contents)
            } catch {
                // What is not on disk did not happen: the lines are read again.
                host.contents = before
                trouble = "\(error)"
            }
        }
        note(trouble, of: name, &host)
        return verdicts(of: host, now) != host.told
    }

    private func follow(_ log: any KernelLog, _ host: inout Host, _ now: Timestamp) throws {
        let batch = try log.read(after: host.contents.cursor, bootID: clock.bootID)
        host.contents.cursor = batch.cursor
        if batch.lost > 0 { host.contents.model.noteLost(batch.lost) }
        for line in batch.lines {
            host.contents.model.take(
                line: line, at: now, devices: host.addresses, catalogue: catalogue, rules: rules)
        }
    }

    private func note(_ trouble: String?, of name: String, _ host: inout Host) {
        if let trouble, trouble != host.trouble {
            logger.warning(
                "the health of devices cannot be followed",
                metadata: ["host": "\(name)", "error": "\(trouble)"])
        }
        host.trouble = trouble
    }

    private func verdicts(of host: Host, _ now: Timestamp) -> [String: DeviceVerdict] {
        var verdicts: [String: DeviceVerdict] = [:]
        for device in host.devices {
            verdicts[device.uuid] = host.contents.model.verdict(of: device.uuid, at: now, rules: rules)
        }
        return verdicts
    }

    /// Returns once a verdict is another one than `hosts` told last. One caller at a time.
    public func changes() async throws { _ = try await changed.take() }

    // MARK: Telemetry

    /// What was seen, over all hosts.
    public var tally: DeviceHealthModel.Tally {
        hosts.withLock { hosts in
            hosts.values.reduce(into: DeviceHealthModel.Tally()) { $0.add($1.contents.model.tally) }
        }
    }

    /// Devices by their health.
    public var health: [Device.Health: Int] {
        let now = clock.wallTime()
        return hosts.withLock { hosts in
            hosts.values.reduce(into: [:]) { counts, host in
                for device in host.devices {
                    counts[host.contents.model.judged(device, at: now, rules: rules).health, default: 0] += 1
                }
            }
        }
    }
}

extension DeviceHealthWatch: InventorySource {
    /// The inventory with what is known of its devices now.
    /// - Throws: what the inventory throws; `JournalError` when what was known cannot be read: nothing is
    ///   reported sound then that may not be.
    public func hosts() async throws -> [InventoriedHost] {
        let found = try await inventory.hosts()
        let now = clock.wallTime()
        return try hosts.withLock { hosts in
            try found.map { found in
                guard !found.inventory.devices.isEmpty, let sources = sources(found.name) else {
                    return found
                }
                var host = try hosts[found.name] ?? Host(contents: sources.memory.read())
                host.devices = found.inventory.devices
                host.addresses = Self.addresses(found.inventory)
                _ = look(found.name, &host, sources)
                host.told = verdicts(of: host, now)
                hosts[found.name] = host
                var judged = found
                judged.inventory.devices = host.devices.map {
                    host.contents.model.judged($0, at: now, rules: rules)
                }
                return judged
            }
        }
    }

    private static func addresses(_ inventory: HostInventory) -> [String: String] {
        var addresses: [String: String] = [:]
        for device in inventory.devices { addresses[KernelLogEvent.address(device.uuid)] = device.uuid }
        for gpu in inventory.machine?.gpus ?? [] {
            addresses[KernelLogEvent.address(gpu.pciBusID)] = gpu.uuid
        }
        return addresses
    }
}

extension DeviceHealthModel.Tally {
    fileprivate mutating func add(_ other: Self) {
        xids.merge(other.xids, uniquingKeysWith: +)
        malformed += other.malformed
        lost += other.lost
        strangers.merge(other.strangers, uniquingKeysWith: +)
    }
}
