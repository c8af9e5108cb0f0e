internal import AgentProtocol
public import Fleet
internal import FoundationEssentials
internal import PostgresClient

extension PostgresStore {
    public func commit(_ commit: LedgerCommit) async throws -> CommitOutcome {
        try commit.checkMigrations()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let content = String(decoding: try encoder.encode(commit.plan), as: UTF8.self)
        var statuses = JSONWriter.object()
        for (uid, status) in commit.statuses.sorted(by: { $0.key < $1.key }) {
            statuses.member(uid.description, raw: status)
        }
        var parameters: [any PostgresEncodable] = [
            commit.lease.cell, commit.lease.token, content, JSONText(statuses.closed),
        ]
        var statement = Self.commitStatement
        if commit.tellsLifetimes || commit.migrates || commit.bringsTasks {
            statement =
                commit.migrates
                ? Self.commitMigrationsStatement
                : commit.bringsTasks ? Self.commitTasksStatement : Self.commitLifetimesStatement
            let note = commit.lifetimes
            parameters.append(note.map { JSONText($0.cell) })
            parameters.append(note.map { JSONText($0.hostsText) })
        }
        let rows: [PostgresRow]
        if let hold {
            rows = try await transaction("ledger_commit") { [statement, parameters] connection in
                let rows = try await connection.query(statement, parameters)
                await hold(commit.lease.cell)
                return rows
            }
        } else {
            rows = try await write(statement, parameters)
        }
        guard let row = rows.first else { throw StoreError.corrupt("a commit without an answer") }
        return CommitOutcome(
            refusals: try row.json("o_refusals", as: [Refusal].self).map(\.value),
            transaction: try row.decode("o_xid"))
    }

    private struct Refusal: Decodable {
        var group: Int
        var reason: Reason
        var host: ID<Document>?

        var value: GroupRefusal { GroupRefusal(group: group, reason: reason, host: host) }
    }

    public func cancelMigrations(
        _ targets: [ID<Allocation>], message: String, source: String, lease: CellLease
    ) async throws -> [ID<Allocation>] {
        try await write(
            Self.cancelStatement, [lease.cell, lease.token, targets.map(\.uuid), message, source]
        ).map { try $0.id("target") }
    }

    public func writeStatuses(_ writes: [StatusWrite], lease: CellLease) async throws {
        var list = JSONWriter.array()
        for write in writes {
            // What is no version is not the one in force.
            guard let version = FeedCursor(write.expected) else { continue }
            var object = JSONWriter.object()
            object.member("uid", write.uid.description)
            object.member("xid", String(version.transaction))
            object.member("seq", raw: String(version.sequence))
            object.member("status", raw: write.status)
            object.member("event", raw: write.event?.json ?? "null")
            list.element(raw: object.closed)
        }
        _ = try await self.write(Self.statusStatement, [lease.cell, lease.token, JSONText(list.closed)])
    }

    public func finalize(_ workloads: [ID<Document>], lease: CellLease) async throws -> [ID<Document>] {
        try await write(Self.finalizeStatement, [lease.cell, lease.token, workloads.map(\.uuid)])
            .map { try $0.id("uid") }
    }

    public func hosts(_ filter: HostFilter) async throws -> [HostRecord] {
        let rows =
            switch filter {
            case .all: try await read(Self.hostsAllStatement)
            case .cell(let cell): try await read(Self.hostsCellStatement, [cell])
            case .ids(let ids): try await read(Self.hostsIDStatement, [ids.map(\.uuid)])
            case .session(let id): try await read(Self.hostsSessionStatement, [id.uuid])
            }
        return try rows.map(Self.host)
    }

    private static func host(_ row: PostgresRow) throws -> HostRecord {
        let contact: String = try row.decode("contact")
        return HostRecord(
            id: try row.id("host"), name: try row.decode("name"), cell: try row.decode("cell"),
            pool: try row.decode("pool"), labels: try row.json("labels"),
            domain: FailureDomain(zone: try row.decode("zone"), rack: try row.decode("rack")),
            substrate: try row.decode("substrate"), generation: try row.decode("generation"),
            assignment: try row.decode("assignment"), cordoned: try row.decode("cordoned"),
            draining: try row.decode("draining"), contact: HostContact(rawValue: contact) ?? .fenced,
            session: try row.decode("session", as: UUID?.self).map { ID($0) },
            room: HostRoom(
                total: Resources(
                    milliCPU: try row.decode("cpu_total"), memoryMiB: try row.decode("mem_total")),
                reserved: Resources(
                    milliCPU: try row.decode("cpu_reserved"), memoryMiB: try row.decode("mem_reserved")),
                guaranteedMilliCPU: try row.decode("cpu_guaranteed"),
                sharedMilliCPU: try row.decode("cpu_shared"),
                usedMemoryMiB: try row.decode("mem_used"), cpuRatioPerMille: try row.decode("cpu_ratio"),
                sparedMilliCPU: try row.decode("cpu_spared"),
                maxUtilizationPerMille: try row.decode("cpu_max_util", as: Int?.self)),
            devices: try row.decode("device_facts", as: JSONText?.self).map {
                try JSONDecoder().decode([Device].self, from: Data($0.text.utf8))
            } ?? [],
            takenDevices: try row.decode("taken", as: [String]?.self) ?? [],
            frozen: try row.decode("frozen"))
    }

    public func allocations(_ filter: AllocationFilter) async throws -> [Allocation] {
        let rows =
            switch filter {
            case .live: try await read(Self.liveStatement)
            case .cell(let cell): try await read(Self.cellAllocationsStatement, [cell])
            case .hosts(let hosts): try await read(Self.hostAllocationsStatement, [hosts.map(\.uuid)])
            case .workloads(let uids): try await read(Self.workloadAllocationsStatement, [uids.map(\.uuid)])
            case .ids(let ids): try await read(Self.allocationsIDStatement, [ids.map(\.uuid)])
            case .page(let after, let limit):
                try await read(Self.allocationsPageStatement, [after?.uuid, limit])
            case .ended(let cell, let limit):
                try await read(Self.allocationsEndedStatement, [cell, limit])
            }
        return try rows.map { try Self.allocation($0) }
    }

    private static func allocation(_ row: PostgresRow) throws -> Allocation {
        let kind: String = try row.decode("workload_kind")
        let state: String = try row.decode("state")
        let workloadClass: String = try row.decode("class")
        let onPartition: String = try row.decode("on_partition")
        guard let kind = Kind(rawValue: kind), let state = Allocation.State(rawValue: state),
            let workloadClass = WorkloadClass(rawValue: workloadClass),
            let onPartition = PartitionPolicy(rawValue: onPartition)
        else { throw StoreError.corrupt("an allocation holds an unknown word") }
        return Allocation(
            id: try row.id("id"),
            workload: WorkloadReference(
                kind: kind, uid: try row.id("workload"), project: try row.decode("project"),
                name: try row.decode("name"), part: try row.decode("part")),
            cell: try row.decode("cell"), host: try row.id("host"), class: workloadClass,
            resources: Resources(milliCPU: try row.decode("cpu"), memoryMiB: try row.decode("mem")),
            devices: try row.decode("devices"), state: state, quarantined: try row.decode("quarantined"),
            plan: try row.decode("plan", as: UUID?.self).map { ID($0) }, onPartition: onPartition,
            antiAffinity: try row.decode("anti_affinity", as: JSONText?.self).map {
                try JSONDecoder().decode(AntiAffinity.self, from: Data($0.text.utf8))
            },
            createdAt: try row.timestamp("created_at"), releasedAt: try row.optionalTimestamp("released_at"),
            arrival: try row.decode("arrival", as: UUID?.self).map {
                MigrationArrival(migration: ID($0), standsBy: try row.decode("standby"))
            },
            departure: try row.decode("departure", as: UUID?.self).map { ID($0) },
            peakMilliCPU: try row.decode("peak", as: Int?.self),
            task: try row.decode("task", as: JSONText?.self).map {
                try DocumentJSON.decode(PartTask.self, from: $0.text)
            },
            end: try row.decode("end_message", as: String?.self).map {
                AllocationEnd(exitCode: try row.decode("exit_code", as: Int?.self), message: $0)
            })
    }

    public func adopt(
        _ id: ID<Allocation>, draft: DocumentDraft?, context: WriteContext, isTrial: Bool
    ) async throws -> Allocation {
        let rows = try await write(
            isTrial: isTrial, Self.adoptStatement,
            [
                id.uuid, draft.map { JSONText($0.json) }, context.actor, context.requestID,
                context.verb,
            ])
        guard let row = rows.first else { throw StoreError.corrupt("an adoption without an answer") }
        return try Self.allocation(row)
    }

    public func stop(
        _ id: ID<Allocation>, context: WriteContext, isTrial: Bool
    ) async throws -> Allocation {
        let rows = try await write(
            isTrial: isTrial, Self.stopStatement, [id.uuid, context.actor, context.requestID, context.verb])
        guard let row = rows.first else { throw StoreError.corrupt("a stop without an answer") }
        return try Self.allocation(row)
    }

    public func assignments(
        hosts: [ID<Document>], known: [ID<Document>: Int]
    ) async throws -> [HostAssignmentRecord] {
        guard !hosts.isEmpty else { return [] }
        let rows = try await read(
            Self.assignmentsStatement, [hosts.map(\.uuid), hosts.map { known[$0] ?? -1 }])
        var records: [HostAssignmentRecord] = []
        for row in rows {
            let host: ID<Document> = try row.id("host_id")
            if records.last?.host != host {
                records.append(
                    HostAssignmentRecord(
                        host: host, name: try row.decode("host_name"),
                        generation: Generation(
                            epoch: try row.decode("epoch"), number: try row.decode("assignment")),
                        allocations: []))
            }
            if try row.decode("id", as: UUID?.self) != nil {
                let allocation = try Self.allocation(row)
                records[records.count - 1].allocations.append(allocation)
                if let task = try row.decode("told_task", as: JSONText?.self) {
                    records[records.count - 1].tasks[allocation.id] = try DocumentJSON.decode(
                        PartTask.self, from: task.text)
                }
            }
        }
        return records
    }

    public func cellTotals() async throws -> [CellTotals] {
        try await read(Self.totalsStatement).map { row in
            var totals = CellTotals(cell: try row.decode("cell"))
            totals.hosts = try row.decode("hosts")
            totals.readyHosts = try row.decode("ready")
            totals.emptyHosts = try row.decode("empty")
            totals.capacity = Resources(
                milliCPU: try row.decode("cpu_capacity"), memoryMiB: try row.decode("mem_capacity"))
            totals.used = Resources(
                milliCPU: try row.decode("cpu_used"), memoryMiB: try row.decode("mem_used"))
            totals.busyMilliCPU = try row.decode("cpu_busy")
            totals.devices = try row.decode("devices")
            totals.usedDevices = try row.decode("devices_used")
            totals.allocations = try row.decode("allocations")
            totals.running = try row.decode("running")
            return totals
        }
    }

    public func countWaitingVMs() async throws -> [String: Int] {
        let rows = try await read(Self.waitingStatement)
        return Dictionary(
            uniqueKeysWithValues: try rows.map { (try $0.decode("cell"), try $0.decode("waiting")) })
    }

    public func plan(_ id: ID<Plan>) async throws -> Plan? {
        guard let row = try await read(Self.planStatement, [id.uuid]).first else { return nil }
        var plan = try JSONDecoder().decode(
            Plan.self, from: Data(try row.decode("content", as: String.self).utf8))
        plan.createdAt = try row.timestamp("created_at")
        return plan
    }

    public func planHead(cell: String, engine: Plan.Engine) async throws -> ID<Plan>? {
        try await read(Self.planHeadStatement, [cell, engine.rawValue]).first?.id("plan")
    }
}

extension PostgresStore {
    private static let commitStatement = Statement(
        name: "ledger_commit", sql: "SELECT o_xid, o_refusals FROM ledger_commit_1($1, $2, $3, $4::jsonb)")
    private static let commitLifetimesStatement = Statement(
        name: "ledger_commit_lifetimes",
        sql: """
            SELECT o_xid, o_refusals
            FROM ledger_commit_lifetimes_1($1, $2, $3, $4::jsonb, $5::jsonb, $6::jsonb)
            """)
    private static let commitTasksStatement = Statement(
        name: "ledger_commit_tasks",
        sql: """
            SELECT o_xid, o_refusals
            FROM ledger_commit_tasks_1($1, $2, $3, $4::jsonb, $5::jsonb, $6::jsonb)
            """)
    private static let commitMigrationsStatement = Statement(
        name: "ledger_commit_migrations",
        sql: """
            SELECT o_xid, o_refusals
            FROM ledger_commit_migrations_1($1, $2, $3, $4::jsonb, $5::jsonb, $6::jsonb)
            """)
    private static let cancelStatement = Statement(
        name: "migration_cancel", sql: "SELECT c AS target FROM migration_cancel_1($1, $2, $3, $4, $5) c")
    private static let statusStatement = Statement(
        name: "status_write", sql: "SELECT status_write_1($1, $2, $3::jsonb)")
    private static let finalizeStatement = Statement(
        name: "workload_finalize", sql: "SELECT u AS uid FROM workload_finalize_1($1, $2, $3) u")

    private static let hostColumns = """
        SELECT h.*, h.inventory -> 'devices' AS device_facts, t.taken FROM host_ledger h
        LEFT JOIN LATERAL (SELECT array_agg(u ORDER BY u COLLATE "C") AS taken
                           FROM allocation a CROSS JOIN LATERAL unnest(a.devices) u
                           WHERE a.host = h.host AND a.state <> 'released' AND a.devices <> '{}') t ON true
        """
    private static let hostsAllStatement = Statement(name: "hosts_all", sql: "\(hostColumns) ORDER BY h.host")
    private static let hostsCellStatement = Statement(
        name: "hosts_cell", sql: "\(hostColumns) WHERE h.cell = $1 ORDER BY h.host")
    private static let hostsIDStatement = Statement(
        name: "hosts_id", sql: "\(hostColumns) WHERE h.host = ANY ($1) ORDER BY h.host")
    private static let hostsSessionStatement = Statement(
        name: "hosts_session", sql: "\(hostColumns) WHERE h.session = $1 ORDER BY h.host")

    private static let liveStatement = Statement(
        name: "allocations_live", sql: "SELECT a.* FROM allocation a WHERE state <> 'released' ORDER BY id")
    private static let cellAllocationsStatement = Statement(
        name: "allocations_cell",
        sql: "SELECT a.* FROM allocation a WHERE cell = $1 AND state <> 'released' ORDER BY id")
    private static let hostAllocationsStatement = Statement(
        name: "allocations_host",
        sql: "SELECT a.* FROM allocation a WHERE host = ANY ($1) AND state <> 'released' ORDER BY id")
    private static let workloadAllocationsStatement = Statement(
        name: "allocations_workload",
        sql: "SELECT a.* FROM allocation a WHERE workload = ANY ($1) ORDER BY id")
    private static let allocationsIDStatement = Statement(
        name: "allocations_id", sql: "SELECT a.* FROM allocation a WHERE id = ANY ($1) ORDER BY id")
    private static let allocationsPageStatement = Statement(
        name: "allocations_page",
        sql: "SELECT a.* FROM allocation a WHERE ($1::uuid IS NULL OR id < $1) ORDER BY id DESC LIMIT $2")
    private static let allocationsEndedStatement = Statement(
        name: "allocations_ended",
        sql: """
            SELECT a.* FROM allocation a WHERE cell = $1 AND state = 'released' ORDER BY id DESC LIMIT $2
            """)

    private static let adoptStatement = Statement(
        name: "allocation_adopt", sql: "SELECT a.* FROM allocation_adopt_1($1, $2::jsonb, $3, $4, $5) a")
    private static let stopStatement = Statement(
        name: "allocation_stop", sql: "SELECT a.* FROM allocation_stop_1($1, $2, $3, $4) a")
    private static let assignmentsStatement = Statement(
        name: "assignments",
        sql: """
            SELECT h.host AS host_id, h.name AS host_name, h.assignment, (SELECT epoch FROM cluster) AS epoch, a.*,
                CASE WHEN a.state NOT IN ('reserved', 'active') OR a.quarantined THEN NULL
                     WHEN a.task IS NOT NULL THEN a.task
                     WHEN d.spec ? 'run' OR d.spec ? 'image'
                     THEN jsonb_build_object('run', d.spec -> 'run', 'image', d.spec -> 'image') END AS told_task
            FROM unnest($1::uuid[], $2::bigint[]) AS asked(host, known)
            JOIN host_ledger h ON h.host = asked.host AND h.assignment > asked.known
            LEFT JOIN LATERAL (
                SELECT l.* FROM allocation l
                WHERE l.host = h.host AND l.state <> 'released' AND NOT allocation_withheld(l)
                UNION ALL
                SELECT l.* FROM stray_part s JOIN allocation l ON l.id = s.allocation WHERE s.host = h.host
            ) a ON true
            LEFT JOIN document d
                ON d.uid = a.workload AND a.state IN ('reserved', 'active') AND NOT a.quarantined
            ORDER BY h.host, a.id
            """)
    private static let totalsStatement = Statement(
        name: "cell_totals",
        sql: """
            WITH live AS (
                SELECT host, count(*) AS n, count(*) FILTER (WHERE state = 'active') AS active
                FROM allocation WHERE state <> 'released' GROUP BY host
            ), gpus AS (
                SELECT v.host, count(*) AS n, count(t.device) AS taken FROM device v
                LEFT JOIN allocation_device t ON t.device = v.uuid AND t.state <> 'released' GROUP BY v.host
            )
            SELECT c.name AS cell, count(h.host) AS hosts, count(h.host) FILTER (WHERE h.contact = 'Ready') AS ready,
                count(h.host) FILTER (WHERE live.n IS NULL) AS empty,
                coalesce(sum(h.cpu_total - h.cpu_reserved), 0)::bigint AS cpu_capacity,
                coalesce(sum(h.mem_total - h.mem_reserved), 0)::bigint AS mem_capacity,
                coalesce(sum(h.cpu_guaranteed + (h.cpu_shared * 1000 + h.cpu_ratio - 1) / h.cpu_ratio), 0)::bigint
                    AS cpu_used,
                coalesce(sum(h.mem_used), 0)::bigint AS mem_used,
                coalesce(sum(h.cpu_total - h.cpu_reserved) FILTER (WHERE live.n > 0), 0)::bigint AS cpu_busy,
                coalesce(sum(gpus.n), 0)::bigint AS devices, coalesce(sum(gpus.taken), 0)::bigint AS devices_used,
                coalesce(sum(live.n), 0)::bigint AS allocations, coalesce(sum(live.active), 0)::bigint AS running
            FROM document c LEFT JOIN host_ledger h ON h.cell = c.name
            LEFT JOIN live ON live.host = h.host LEFT JOIN gpus ON gpus.host = h.host
            WHERE c.kind = 'Cell' GROUP BY c.name ORDER BY c.name
            """)
    private static let waitingStatement = Statement(
        name: "vms_waiting",
        sql: """
            SELECT coalesce(d.cell, '') AS cell, count(*) AS waiting FROM document d
            WHERE d.kind = 'VM' AND d.deletion_at IS NULL AND NOT EXISTS (
                SELECT 1 FROM allocation a WHERE a.workload = d.uid AND a.state <> 'released')
            GROUP BY 1
            """)
    private static let planStatement = Statement(
        name: "plan_get", sql: "SELECT content, created_at FROM plan WHERE id = $1")
    private static let planHeadStatement = Statement(
        name: "plan_head", sql: "SELECT plan FROM plan_head WHERE cell = $1 AND engine = $2")
}
