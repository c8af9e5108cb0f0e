public import Fleet
internal import VMPlacement

/// What a fleet remembers of its VMs, as a trace: policies are tried on what really came.
public struct FleetHistory: Sendable, Hashable {
    /// A host as it is now.
    public struct Host: Sendable, Hashable {
        public var name: String
        /// What VMs may take of it, oversubscription included.
        public var usable: Resources

        public init(name: String, usable: Resources) {
            self.name = name
            self.usable = usable
        }
    }

    /// In the order of their starts.
    public let vms: [VMHistoryRecord]
    /// By name.
    public let hosts: [Host]
    /// The fleet clock when it was read: VMs that run are seen until then.
    public let now: Timestamp

    public init(vms: [VMHistoryRecord], hosts: [Host], now: Timestamp) {
        self.vms = vms.sorted { ($0.startedAt, $0.uid) < ($1.startedAt, $1.uid) }
        self.hosts = hosts.sorted { $0.name < $1.name }
        self.now = now
    }

    /// Instant 0 of the trace: the first start.
    public var origin: Timestamp { vms.first?.startedAt ?? now }

    /// Whole seconds of the trace's clock at a time of the fleet's.
    public func seconds(at time: Timestamp) -> Int { max(0, Int(time.since(origin).inSeconds)) }

    /// Names of columns that say something else than a label of that name would.
    private static let reserved: Set<String> = [
        "arrive_s", "depart_s", "vcpu", "mem_gb", "batch_id", "project", "class", "pool", "name",
        VMTrace.censoredColumn,
    ]

    /// Labels that VMs carry, as columns, sorted.
    private var labelColumns: [String] {
        let keys = Set(vms.flatMap { VMFeatures.attributes(ofLabels: $0.labels).keys })
        return keys.subtracting(Self.reserved).filter { !$0.contains(where: \.isNewline) }.sorted()
    }

    /// The trace; a VM that runs departs now, with 1 in the column `censored`.
    public var trace: VMTrace {
        let labels = labelColumns
        var columns = (["project", "class", VMTrace.censoredColumn] + labels).map(TraceColumn.init)
        var rows: [TraceVM] = []
        for vm in vms {
            let attributes = VMFeatures.attributes(ofLabels: vm.labels)
            let values =
                [vm.project, vm.class.rawValue, vm.endedAt == nil ? "1" : "0"] + labels.map { attributes[$0] }
            for (index, value) in values.enumerated() { columns[index].append(value) }
            rows.append(
                TraceVM(
                    arrival: vm.startedAt.since(origin).microseconds,
                    departure: max(vm.endedAt ?? now, vm.startedAt).since(origin).microseconds,
                    milliCPU: Int32(clamping: vm.resources.milliCPU),
                    memoryMiB: Int32(clamping: vm.resources.memoryMiB)))
        }
        return VMTrace(vms: rows, columns: columns)
    }
}

// MARK: File

extension FleetHistory {
    /// The trace as `VMTraceReader` and `basalt model train` read it.
    public var text: String {
        let labels = labelColumns
        let fixed = [
            "arrive_s", "depart_s", "vcpu", "mem_gb", "project", "class", "pool", "name",
            VMTrace.censoredColumn,
        ]
        var lines = [(fixed + labels).map(Self.quoted).joined(separator: ",")]
        for vm in vms {
            let attributes = VMFeatures.attributes(ofLabels: vm.labels)
            let end = max(vm.endedAt ?? now, vm.startedAt)
            let fields =
                [
                    Self.seconds(vm.startedAt.since(origin)), Self.seconds(end.since(origin)),
                    Self.decimal(vm.resources.milliCPU * 1000),
                    Self.decimal(vm.resources.memoryMiB * 1_000_000 / 1024),
                    vm.project, vm.class.rawValue, vm.pool, vm.name, vm.endedAt == nil ? "1" : "0",
                ] + labels.map { attributes[$0] ?? "" }
            lines.append(fields.map(Self.quoted).joined(separator: ","))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// With six decimals: microseconds stay what they are.
    private static func seconds(_ duration: Duration) -> String { decimal(Int(duration.microseconds)) }

    /// Millionths. Readers round amounts up, so that what was cut off comes back.
    private static func decimal(_ millionths: Int) -> String {
        let (whole, rest) = millionths.quotientAndRemainder(dividingBy: 1_000_000)
        let digits = String(rest)
        let fraction = "." + String(repeating: "0", count: 6 - digits.count) + digits
        return rest == 0 ? "\(whole)" : "\(whole)\(fraction)"
    }

    private static func quoted(_ field: String) -> String {
        guard field.contains(where: { $0 == "," || $0 == "\"" }) || field != field.trimmingSpaces else {
            return field
        }
        return "\"" + field.replacing("\"", with: "\"\"") + "\""
    }
}

extension String {
    fileprivate var trimmingSpaces: Substring {
        let first = firstIndex { !$0.isWhitespace } ?? endIndex
        let last = lastIndex { !$0.isWhitespace }.map { index(after: $0) } ?? first
        return self[first..<max(first, last)]
    }
}
