import Fleet
import Foundation

/// A database with hosts in use, written by set-based SQL: what a store holds after a long life.
struct FilledFleet {
    static let hostShape = Resources(milliCPU: 64_000, memoryMiB: 192 * 1024)

    /// Names of the cells; hosts are dealt to them in turn, and each has a project of its own name.
    let cells: [String]
    let hosts: Int
    let vmsPerHost: Int
    /// Of each VM; all of a host together use `usePct` of it.
    let shape: Resources

    init(cells: [String], hosts: Int, vmsPerHost: Int, usePct: Int) {
        self.cells = cells
        self.hosts = hosts
        self.vmsPerHost = vmsPerHost
        shape = Resources(
            milliCPU: Self.hostShape.milliCPU * usePct / 100 / vmsPerHost,
            memoryMiB: Self.hostShape.memoryMiB * usePct / 100 / vmsPerHost)
    }

    func fill(_ cluster: BenchmarkCluster) async throws {
        try await cluster.script([places, hostRows, vmRows, quotas].joined(separator: ";\n"))
        try await cluster.script("VACUUM (ANALYZE)")
        try await cluster.script("CHECKPOINT")
    }

    private var cellArray: String {
        "(ARRAY[" + cells.map { "'\($0)'" }.joined(separator: ",") + "])"
    }

    private func uid(_ prefix: Int, _ number: String) -> String {
        "('0000000\(prefix)-0000-7000-8000-' || lpad(to_hex(\(number)), 12, '0'))::uuid"
    }

    private var places: String {
        """
        INSERT INTO document (uid, kind, project, name, rv_xid, rv_seq, created_at, spec)
        SELECT gen_random_uuid(), kind, '', name, pg_current_xact_id(), nextval('change_seq'), basalt_now(),
            spec
        FROM unnest(\(cellArray)) cell CROSS JOIN LATERAL (VALUES
            ('Cell', cell, '{}'::jsonb), ('Project', cell, '{}'::jsonb),
            ('Pool', cell || '-vms', jsonb_build_object('cell', cell, 'admits', '["vm"]'::jsonb))
        ) v (kind, name, spec)
        """
    }

    private var hostRows: String {
        """
        INSERT INTO document (uid, kind, name, rv_xid, rv_seq, created_at, spec)
        SELECT \(uid(1, "n")), 'Host', 'host-' || n, pg_current_xact_id(), nextval('change_seq'),
            basalt_now(), jsonb_build_object('cell', cell, 'pool', cell || '-vms')
        FROM generate_series(0, \(hosts - 1)) n,
            LATERAL (SELECT \(cellArray)[n % \(cells.count) + 1] AS cell) c;
        INSERT INTO host_ledger (host, name, cell, pool, zone, rack, substrate, contact,
            cpu_total, mem_total, cpu_shared, mem_used)
        SELECT uid, name, cell, cell || '-vms', 'z1', 'r1', 'simulated', 'Ready',
            \(Self.hostShape.milliCPU), \(Self.hostShape.memoryMiB),
            \(shape.milliCPU * vmsPerHost), \(shape.memoryMiB * vmsPerHost)
        FROM document WHERE kind = 'Host'
        """
    }

    /// VMs that run, with their allocations.
    private var vmRows: String {
        """
        INSERT INTO document (uid, kind, project, name, rv_xid, rv_seq, created_at, finalizers, spec, status)
        SELECT \(uid(2, "n")), 'VM', h.cell, 'vm-' || n, pg_current_xact_id(), nextval('change_seq'),
            basalt_now(), '{allocations}', jsonb_build_object('cell', h.cell, 'resources',
                jsonb_build_object('milliCPU', \(shape.milliCPU), 'memoryMiB', \(shape.memoryMiB))),
            jsonb_build_object('state', 'Running', 'observedGeneration', 1, 'cell', h.cell, 'host', h.name,
                'allocation', \(uid(3, "n")), 'restarts', 0, 'conditions', '[]'::jsonb)
        FROM generate_series(0, \(hosts * vmsPerHost - 1)) n
        JOIN host_ledger h ON h.host = \(uid(1, "n % \(hosts)"));
        INSERT INTO allocation (id, workload_kind, workload, project, name, part, cell, host, class, cpu, mem,
            state, created_at)
        SELECT \(uid(3, "n")), 'VM', d.uid, d.project, d.name, 'vm', d.cell,
            \(uid(1, "n % \(hosts)")), 'standard',
            \(shape.milliCPU), \(shape.memoryMiB), 'active', basalt_now()
        FROM generate_series(0, \(hosts * vmsPerHost - 1)) n JOIN document d ON d.uid = \(uid(2, "n"))
        """
    }

    /// SQL that adds VMs which lived for 1 min to 30 days and are gone, for controllers to learn from.
    func endedVMs(_ count: Int) -> String {
        """
        INSERT INTO allocation (id, workload_kind, workload, project, name, part, cell, host, class, cpu, mem,
            state, created_at, released_at)
        SELECT \(uid(4, "n")), 'VM', \(uid(5, "n")), h.cell, 'gone-' || n, 'vm', h.cell, h.host, 'standard',
            \(shape.milliCPU), \(shape.memoryMiB), 'released',
            basalt_now() - interval '1 minute' * power(43200, (n % 1000) / 1000.0), basalt_now()
        FROM generate_series(0, \(count - 1)) n JOIN host_ledger h ON h.host = \(uid(1, "n % \(hosts)"))
        """
    }

    /// SQL that adds what every VM and every host told of an hour.
    ///
    /// - Parameter hour: seconds since 1970, of today or yesterday.
    func bins(ofHour hour: Int) -> String {
        """
        SELECT usage_partitions(floor(extract(epoch FROM fleet_time(basalt_now())))::bigint);
        INSERT INTO usage_bin (vm, host, start, sold, mean, p90, max)
        SELECT \(uid(2, "n")), \(uid(1, "n % \(hosts)")), \(hour) + b * 300, \(shape.milliCPU),
            n % 200, n % 400 + b, n % 800 + b
        FROM generate_series(0, \(hosts * vmsPerHost - 1)) n, generate_series(0, 11) b;
        INSERT INTO usage_host_bin (host, start, samples, hot)
        SELECT \(uid(1, "n")), \(hour) + b * 300, 60, 0
        FROM generate_series(0, \(hosts - 1)) n, generate_series(0, 11) b
        """
    }

    private var quotas: String {
        """
        INSERT INTO quota_usage (project, resource, used)
        SELECT project, resource, CASE resource WHEN 'milliCPU' THEN cpu WHEN 'memoryMiB' THEN mem ELSE 0 END
        FROM (SELECT project, sum(cpu) AS cpu, sum(mem) AS mem FROM allocation GROUP BY project) a,
            unnest(ARRAY['milliCPU', 'memoryMiB', 'devices']) resource
        """
    }
}
