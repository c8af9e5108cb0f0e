DO $$ BEGIN
    CREATE TYPE ledger_directive AS (
        grp int, ix int, action text, allocation uuid, host uuid, host_generation bigint,
        workload_kind text, workload uuid, workload_generation bigint, project text, name text, part text,
        class text, cpu bigint, mem bigint, guaranteed boolean, devices text[], on_partition text,
        anti_affinity jsonb, reason text, message text, cell text
    );
EXCEPTION WHEN duplicate_object THEN NULL; END $$;

-- Reads the directives of a plan, in order. PL/pgSQL keeps the plan of its query; a function in SQL would be
-- planned in every transaction.
CREATE OR REPLACE FUNCTION ledger_directives(p_plan jsonb) RETURNS ledger_directive[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(array_agg(
        ROW (g.n, e.n, v ->> 'directive',
             CASE v ->> 'directive' WHEN 'allocate' THEN v #>> '{allocation,id}' ELSE v ->> 'allocation' END,
             CASE v ->> 'directive' WHEN 'allocate' THEN v #>> '{allocation,host}' ELSE a.host::text END,
             CASE WHEN v #>> '{allocation,cell}' = p_plan ->> 'cell' THEN v ->> 'hostGeneration' END,
             coalesce(v #>> '{allocation,workload,kind}', a.workload_kind),
             coalesce(v #>> '{allocation,workload,uid}', a.workload::text),
             v ->> 'workloadGeneration',
             coalesce(v #>> '{allocation,workload,project}', a.project),
             coalesce(v #>> '{allocation,workload,name}', a.name),
             coalesce(v #>> '{allocation,workload,part}', a.part),
             v #>> '{allocation,class}', v #>> '{allocation,resources,milliCPU}',
             v #>> '{allocation,resources,memoryMiB}',
             v #>> '{allocation,class}' = 'guaranteed' OR v #>> '{allocation,workload,kind}' <> 'VM',
             ARRAY(SELECT u FROM jsonb_array_elements_text(v #> '{allocation,devices}') u ORDER BY u COLLATE "C"),
             v #>> '{allocation,onPartition}', v #> '{allocation,antiAffinity}',
             coalesce(v ->> 'reason', 'Scheduled'), v ->> 'message', p_plan ->> 'cell')::ledger_directive
        ORDER BY g.n, e.n), '{}')
    FROM jsonb_array_elements(p_plan -> 'groups') WITH ORDINALITY g (directives, n)
    CROSS JOIN LATERAL jsonb_array_elements(g.directives) WITH ORDINALITY e (v, n)
    LEFT JOIN allocation a ON a.id = CASE v ->> 'directive' WHEN 'release' THEN (v ->> 'allocation')::uuid END
        AND a.cell = p_plan ->> 'cell');
END $$;

-- Why a directive cannot be applied on top of those before it: the first rule that it breaks. Rows that
-- admission reads are locked by the caller.
CREATE OR REPLACE FUNCTION ledger_refusals(p_directives ledger_directive[])
RETURNS TABLE (grp int, ix int, reason text, host uuid) LANGUAGE sql STABLE AS $$
    WITH d AS (SELECT * FROM unnest(p_directives)),
    summed AS (
        SELECT d.*,
            -- Whole numbers, so that the division by the ratio rounds.
            coalesce(sum(cpu) FILTER (WHERE guaranteed) OVER on_host, 0)::bigint AS host_guaranteed,
            coalesce(sum(cpu) FILTER (WHERE NOT guaranteed) OVER on_host, 0)::bigint AS host_shared,
            sum(mem) OVER on_host AS host_mem,
            sum(cpu) OVER in_project AS project_cpu,
            sum(mem) OVER in_project AS project_mem,
            sum(cardinality(devices)) OVER in_project AS project_devices,
            row_number() OVER (PARTITION BY workload, part ORDER BY d.grp, d.ix) AS nth,
            row_number() OVER (PARTITION BY allocation ORDER BY d.grp, d.ix) AS nth_id
        FROM d WHERE action = 'allocate'
        WINDOW on_host AS (PARTITION BY d.host ORDER BY d.grp, d.ix),
            in_project AS (PARTITION BY project ORDER BY d.grp, d.ix)
    ),
    judged AS (
        SELECT s.grp, s.ix, s.host, CASE
            WHEN h.host IS NULL OR h.cell <> s.cell OR h.generation IS DISTINCT FROM s.host_generation
                OR h.cordoned OR h.draining OR h.contact <> 'Ready' THEN 'HostChanged'
            WHEN w.uid IS NULL OR w.deletion_at IS NOT NULL THEN 'WorkloadGone'
            WHEN w.generation <> s.workload_generation THEN 'WorkloadChanged'
            -- An id that was used before names another allocation, released or not.
            WHEN s.nth > 1 OR s.nth_id > 1 OR EXISTS (
                SELECT 1 FROM allocation a
                WHERE a.workload = s.workload AND a.part = s.part AND a.state <> 'released')
                OR EXISTS (SELECT 1 FROM allocation a WHERE a.id = s.allocation) THEN 'AlreadyAllocated'
            WHEN cardinality(s.devices) > 0 AND (
                (SELECT count(*) FROM device v
                 WHERE v.uuid = ANY (s.devices) AND v.host = s.host AND v.facts ->> 'health' = 'healthy'
                   AND NOT EXISTS (SELECT 1 FROM allocation_device t
                                   WHERE t.device = v.uuid AND t.state <> 'released')) <> cardinality(s.devices)
                OR EXISTS (SELECT 1 FROM d e WHERE e.devices && s.devices AND (e.grp, e.ix) < (s.grp, s.ix))
                ) THEN 'DeviceTaken'
            WHEN h.cpu_guaranteed + s.host_guaranteed
                + ((h.cpu_shared + s.host_shared) * 1000 + h.cpu_ratio - 1) / h.cpu_ratio
                > h.cpu_total - h.cpu_reserved THEN 'InsufficientCPU'
            WHEN h.mem_used + s.host_mem > h.mem_total - h.mem_reserved THEN 'InsufficientMemory'
            WHEN EXISTS (
                SELECT 1 FROM quota_usage q
                WHERE q.project = s.project AND q.used + CASE q.resource
                    WHEN 'milliCPU' THEN s.project_cpu WHEN 'memoryMiB' THEN s.project_mem
                    ELSE s.project_devices END > q.bound) THEN 'QuotaExceeded'
            END AS reason
        FROM summed s
        LEFT JOIN host_ledger h ON h.host = s.host
        LEFT JOIN document w ON w.uid = s.workload
        UNION ALL
        SELECT d.grp, d.ix, NULL, CASE
            WHEN NOT EXISTS (SELECT 1 FROM allocation a
                             WHERE a.id = d.allocation AND a.cell = d.cell AND a.state <> 'released')
            THEN 'AllocationGone' END
        FROM d WHERE action = 'release'
    )
    SELECT judged.grp, judged.ix, judged.reason,
        CASE WHEN judged.reason IN ('HostChanged', 'DeviceTaken', 'InsufficientCPU', 'InsufficientMemory')
             THEN judged.host END
    FROM judged WHERE judged.reason IS NOT NULL ORDER BY judged.grp, judged.ix
$$;

-- A sign of life of any controller. After a gap in which none could commit, host leases count from its end; the
-- renewals stay as they are, for an extension spares the silent and does not bring them back. Every cell that
-- ever had a lease is told.
CREATE OR REPLACE FUNCTION control_pulse_1() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_last timestamptz;
BEGIN
    SELECT at INTO v_last FROM control_pulse;
    -- Once a second is enough to see a gap of ten, and spares the row.
    IF v_last > v_now - interval '1 second' THEN RETURN; END IF;
    SELECT at INTO v_last FROM control_pulse FOR NO KEY UPDATE;
    IF v_last < v_now - interval '10 seconds' THEN
        UPDATE control_pulse SET lease_floor = v_now;
        INSERT INTO event (at, kind, name, uid, reason, message, source)
        SELECT v_now, 'Cell', l.cell, cell_uid(l.cell), 'LeaseExtended',
            format('no controller could commit since %s; host leases count from now', rfc3339(v_last)), 'control'
        FROM cell_lease l ORDER BY l.cell;
    END IF;
    UPDATE control_pulse SET at = v_now WHERE at < v_now;
END $$;

CREATE OR REPLACE FUNCTION lease_check(p_cell text, p_token bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM cell_lease WHERE cell = p_cell AND token = p_token AND expires_at > basalt_now() FOR KEY SHARE;
    IF NOT FOUND THEN PERFORM refuse('BA001', p_cell); END IF;
END $$;

CREATE OR REPLACE FUNCTION lease_acquire_1(p_cell text, p_holder text, p_duration interval) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_token bigint;
BEGIN
    INSERT INTO cell_lease (cell, token, holder, expires_at) VALUES (p_cell, 0, '', '-infinity')
    ON CONFLICT DO NOTHING;
    UPDATE cell_lease SET token = token + 1, holder = p_holder, expires_at = basalt_now() + p_duration
    WHERE cell = p_cell AND (expires_at <= basalt_now() OR holder = p_holder)
    RETURNING token INTO v_token;
    IF v_token IS NOT NULL THEN PERFORM control_pulse_1(); END IF;
    RETURN v_token;
END $$;

CREATE OR REPLACE FUNCTION lease_renew_1(p_cell text, p_token bigint, p_duration interval) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE cell_lease SET expires_at = basalt_now() + p_duration
    WHERE cell = p_cell AND token = p_token AND expires_at > basalt_now();
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM control_pulse_1();
    RETURN true;
END $$;

-- Applies a plan: each group whole or not at all, in order. Rows are locked in one order everywhere: lease,
-- head, hosts by id, quotas, workloads by id.
CREATE OR REPLACE FUNCTION ledger_commit_1(p_cell text, p_token bigint, p_content text, p_statuses jsonb)
RETURNS TABLE (o_xid xid8, o_refusals jsonb) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz;
    v_xid xid8;
    v_floor xid8;
    v_input jsonb := p_content::jsonb;
    v_plan uuid := (v_input ->> 'id')::uuid;
    v_engine text := v_input ->> 'engine';
    v_parent uuid := (v_input ->> 'parent')::uuid;
    v_head uuid;
    v_all ledger_directive[];
    v_refusal record;
    v_refused jsonb := '[]';
    -- Workloads of refused groups, and of accepted groups alone: only the latter get their status.
    v_spurned uuid[] := '{}';
    v_accepted uuid[];
    v_hosts int;
    v_moved int;
    -- Small plans are many: what they have none of is not run.
    v_releases boolean := v_input @? '$.groups[*][*] ? (@.directive == "release")';
    v_devices boolean := v_input @? '$.groups[*][*].allocation.devices[*]';
BEGIN
    PERFORM lease_check(p_cell, p_token);
    -- The lease covers one cell; a plan for another has no lease at all.
    IF v_input ->> 'cell' <> p_cell THEN PERFORM refuse('BA001', v_input ->> 'cell'); END IF;
    SELECT h.plan INTO v_head FROM plan_head h WHERE h.cell = p_cell AND h.engine = v_engine FOR UPDATE;
    IF EXISTS (SELECT 1 FROM plan WHERE id = v_plan) THEN PERFORM refuse('BA003', v_plan::text); END IF;
    IF v_head IS DISTINCT FROM v_parent THEN PERFORM refuse('BA002', coalesce(v_head::text, '')); END IF;

    v_all := ledger_directives(v_input);
    PERFORM 1 FROM host_ledger h WHERE h.host IN (SELECT d.host FROM unnest(v_all) d)
    ORDER BY h.host FOR NO KEY UPDATE;
    PERFORM 1 FROM quota_usage q
    WHERE q.project IN (SELECT d.project FROM unnest(v_all) d WHERE d.action = 'allocate')
    ORDER BY q.project, q.resource FOR NO KEY UPDATE;
    PERFORM 1 FROM document w WHERE w.uid IN (SELECT d.workload FROM unnest(v_all) d)
    ORDER BY w.uid FOR NO KEY UPDATE;

    -- The earliest refused group is refused for certain, since all before it are accepted. Taking it out may
    -- admit later ones, so the rest is judged again; without refusals this is one pass.
    LOOP
        SELECT r.grp, r.reason, r.host INTO v_refusal FROM ledger_refusals(v_all) r LIMIT 1;
        EXIT WHEN NOT FOUND;
        v_refused := v_refused || jsonb_build_object('group', v_refusal.grp - 1, 'reason', v_refusal.reason,
                                                     'host', v_refusal.host);
        v_spurned := v_spurned || ARRAY(SELECT d.workload FROM unnest(v_all) d WHERE d.grp = v_refusal.grp);
        v_all := ARRAY(SELECT d FROM unnest(v_all) d WHERE d.grp <> v_refusal.grp ORDER BY d.grp, d.ix);
    END LOOP;
    IF cardinality(v_spurned) = 0 THEN
        v_accepted := ARRAY(SELECT d.workload FROM unnest(v_all) d);
    ELSE
        v_accepted := ARRAY(SELECT d.workload FROM unnest(v_all) d
                            WHERE NOT EXISTS (SELECT 1 FROM unnest(v_spurned) s WHERE s = d.workload));
    END IF;
    -- A release of what is releasing already changes nothing, and neither does the second of two.
    IF v_releases THEN
        v_all := ARRAY(SELECT d FROM (
                SELECT d, row_number() OVER (PARTITION BY (d).allocation ORDER BY (d).grp, (d).ix) AS nth
                FROM unnest(v_all) d) e
            WHERE (d).action = 'allocate' OR (nth = 1 AND EXISTS (
                SELECT 1 FROM allocation a WHERE a.id = (d).allocation AND a.state <> 'releasing'))
            ORDER BY (d).grp, (d).ix);
    END IF;

    v_now := basalt_now();
    v_xid := pg_current_xact_id();
    v_floor := pg_snapshot_xmin(pg_current_snapshot());

    INSERT INTO plan (id, cell, engine, parent, content, created_at)
    VALUES (v_plan, p_cell, v_engine, v_parent, p_content, v_now);
    INSERT INTO plan_head (cell, engine, plan) VALUES (p_cell, v_engine, v_plan)
    ON CONFLICT (cell, engine) DO UPDATE SET plan = excluded.plan;

    INSERT INTO allocation (id, workload_kind, workload, project, name, part, cell, host, class, cpu, mem, devices,
                            state, plan, on_partition, anti_affinity, created_at)
    SELECT allocation, workload_kind, workload, project, name, part, p_cell, host, class, cpu, mem, devices,
        'reserved', v_plan, on_partition, anti_affinity, v_now
    FROM unnest(v_all) d WHERE action = 'allocate';
    IF v_devices THEN
        INSERT INTO allocation_device (allocation, device, state)
        SELECT allocation, unnest(devices), 'reserved' FROM unnest(v_all) d
        WHERE action = 'allocate' AND cardinality(devices) > 0;
    END IF;
    IF v_releases THEN
        UPDATE allocation SET state = 'releasing'
        WHERE id IN (SELECT allocation FROM unnest(v_all) d WHERE action = 'release') AND state <> 'released';
        UPDATE allocation_device SET state = 'releasing'
        WHERE allocation IN (SELECT allocation FROM unnest(v_all) d WHERE action = 'release' AND state <> 'released');
    END IF;

    -- Room once more, in the update itself: a host that would be overfilled is not updated, and then nothing is.
    WITH taken AS (
        SELECT host, coalesce(sum(cpu) FILTER (WHERE action = 'allocate' AND guaranteed), 0)::bigint AS guaranteed,
            coalesce(sum(cpu) FILTER (WHERE action = 'allocate' AND NOT guaranteed), 0)::bigint AS shared,
            coalesce(sum(mem) FILTER (WHERE action = 'allocate'), 0) AS mem,
            bool_or(action = 'allocate') AS takes
        FROM unnest(v_all) d GROUP BY host
    ), updated AS (
        UPDATE host_ledger h SET cpu_guaranteed = h.cpu_guaranteed + t.guaranteed,
            cpu_shared = h.cpu_shared + t.shared, mem_used = h.mem_used + t.mem, assignment = h.assignment + 1
        FROM taken t
        WHERE h.host = t.host AND (NOT t.takes OR (
            h.cpu_guaranteed + t.guaranteed + ((h.cpu_shared + t.shared) * 1000 + h.cpu_ratio - 1) / h.cpu_ratio
                <= h.cpu_total - h.cpu_reserved
            AND h.mem_used + t.mem <= h.mem_total - h.mem_reserved))
        RETURNING 1
    )
    SELECT (SELECT count(*) FROM taken), (SELECT count(*) FROM updated) INTO v_hosts, v_moved;
    IF v_hosts <> v_moved THEN PERFORM refuse('BA014', 'room changed under lock'); END IF;

    UPDATE quota_usage q SET used = q.used + t.amount
    FROM (
        SELECT project, 'milliCPU' AS resource, sum(cpu) AS amount FROM unnest(v_all) d
        WHERE action = 'allocate' GROUP BY project
        UNION ALL SELECT project, 'memoryMiB', sum(mem) FROM unnest(v_all) d WHERE action = 'allocate' GROUP BY project
        UNION ALL SELECT project, 'devices', sum(cardinality(devices)) FROM unnest(v_all) d
        WHERE action = 'allocate' GROUP BY project
    ) t WHERE q.project = t.project AND q.resource = t.resource AND t.amount <> 0;

    INSERT INTO change (xid, seq, floor, at, change, kind, uid, project, name, cell, host)
    SELECT v_xid, nextval('change_seq'), v_floor, v_now,
        CASE action WHEN 'allocate' THEN 'created' ELSE 'updated' END, 'Allocation', allocation, project, name,
        p_cell, host
    FROM unnest(v_all) d ORDER BY grp, ix;
    WITH written AS (
        UPDATE document w SET status = p_statuses -> w.uid::text, rv_xid = v_xid, rv_seq = nextval('change_seq')
        WHERE w.uid = ANY (v_accepted) AND p_statuses ? w.uid::text
        RETURNING w.kind, w.uid, w.project, w.name, w.cell, w.rv_seq
    )
    INSERT INTO change (xid, seq, floor, at, change, kind, uid, project, name, cell)
    SELECT v_xid, rv_seq, v_floor, v_now, 'updated', kind, uid, project, name, cell FROM written;
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    SELECT v_now, workload_kind, project, name, workload, reason, message, v_engine
    FROM unnest(v_all) d ORDER BY grp, ix;
    RETURN QUERY SELECT v_xid, v_refused;
END $$;

CREATE OR REPLACE FUNCTION status_write_1(p_cell text, p_token bigint, p_writes jsonb) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
BEGIN
    PERFORM lease_check(p_cell, p_token);
    PERFORM 1 FROM document w WHERE w.uid IN (SELECT (v ->> 'uid')::uuid FROM jsonb_array_elements(p_writes) v)
    ORDER BY w.uid FOR NO KEY UPDATE;
    -- Of several writes of one workload the first that names the version in force counts.
    WITH asked AS (
        SELECT DISTINCT ON (w.uid) w.uid, n, v -> 'status' AS status, v -> 'event' AS event
        FROM jsonb_array_elements(p_writes) WITH ORDINALITY e (v, n)
        JOIN document w ON w.uid = (v ->> 'uid')::uuid AND w.rv_xid = (v ->> 'xid')::xid8
            AND w.rv_seq = (v ->> 'seq')::bigint
        ORDER BY w.uid, n
    ), written AS (
        UPDATE document w SET status = a.status, rv_xid = pg_current_xact_id(), rv_seq = nextval('change_seq')
        FROM asked a WHERE w.uid = a.uid
        RETURNING a.n, w.kind, w.uid, w.project, w.name, w.cell, w.rv_xid, w.rv_seq, a.event
    ), changes AS (
        INSERT INTO change (xid, seq, floor, at, change, kind, uid, project, name, cell)
        SELECT rv_xid, rv_seq, pg_snapshot_xmin(pg_current_snapshot()), v_now, 'updated', kind, uid, project, name,
            cell
        FROM written
    )
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    SELECT v_now, event ->> 'kind', event ->> 'project', event ->> 'name', (event ->> 'uid')::uuid,
        event ->> 'reason', event ->> 'message', event ->> 'source'
    FROM written WHERE jsonb_typeof(event) = 'object' ORDER BY n;
END $$;

CREATE OR REPLACE FUNCTION workload_finalize_1(p_cell text, p_token bigint, p_uids uuid[]) RETURNS SETOF uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_document document;
BEGIN
    PERFORM lease_check(p_cell, p_token);
    FOR v_document IN
        SELECT * FROM document w
        WHERE w.uid = ANY (p_uids) AND w.deletion_at IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM allocation a WHERE a.workload = w.uid AND a.state <> 'released')
          AND NOT EXISTS (SELECT 1 FROM allocation a WHERE a.host = w.uid AND a.state <> 'released')
        ORDER BY w.uid FOR UPDATE
    LOOP
        PERFORM document_remove(v_document, 'every allocation is released', 'controller');
        RETURN NEXT v_document.uid;
    END LOOP;
END $$;

-- Use of projects by allocations, per resource.
CREATE OR REPLACE FUNCTION quota_sums(p_allocations allocation[])
RETURNS TABLE (project text, resource text, amount numeric) LANGUAGE sql IMMUTABLE AS $$
    SELECT a.project, r.resource, sum(r.amount)
    FROM unnest(p_allocations) a CROSS JOIN LATERAL (
        VALUES ('devices', cardinality(a.devices)::bigint), ('memoryMiB', a.mem), ('milliCPU', a.cpu)
    ) r (resource, amount)
    GROUP BY 1, 2 HAVING sum(r.amount) <> 0 ORDER BY 1, 2
$$;

-- Adds to the room that hosts have given away.
CREATE OR REPLACE FUNCTION host_charge(p_allocations allocation[], p_sign int) RETURNS void LANGUAGE sql AS $$
    UPDATE host_ledger h SET cpu_guaranteed = h.cpu_guaranteed + p_sign * t.guaranteed,
        cpu_shared = h.cpu_shared + p_sign * t.shared, mem_used = h.mem_used + p_sign * t.mem
    FROM (
        SELECT host, coalesce(sum(cpu) FILTER (WHERE class = 'guaranteed' OR workload_kind <> 'VM'), 0) AS guaranteed,
            coalesce(sum(cpu) FILTER (WHERE class <> 'guaranteed' AND workload_kind = 'VM'), 0) AS shared,
            sum(mem) AS mem
        FROM unnest(p_allocations) GROUP BY host
    ) t WHERE h.host = t.host
$$;

-- Enters changed allocations into the feed, unless this transaction has an entry of them already.
CREATE OR REPLACE FUNCTION allocation_changes(p_allocations allocation[], p_change text) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO change (xid, seq, floor, at, change, kind, uid, project, name, cell, host)
    SELECT pg_current_xact_id(), nextval('change_seq'), pg_snapshot_xmin(pg_current_snapshot()), basalt_now(),
        p_change, 'Allocation', a.id, a.project, a.name, a.cell, a.host
    FROM unnest(p_allocations) a
    WHERE NOT EXISTS (SELECT 1 FROM change c WHERE c.xid = pg_current_xact_id() AND c.uid = a.id)
    ORDER BY a.id
$$;

-- Frees allocations whose hosts the caller has locked, with room, devices, quota, feed and events. Raises no
-- assignment: the caller does it once per host.
CREATE OR REPLACE FUNCTION allocation_release(p_ids uuid[], p_reasons text[], p_messages text[], p_source text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_freed allocation[];
BEGIN
    PERFORM 1 FROM quota_usage q
    WHERE q.project IN (SELECT a.project FROM allocation a WHERE a.id = ANY (p_ids))
    ORDER BY q.project, q.resource FOR NO KEY UPDATE;
    WITH freed AS (
        UPDATE allocation a SET state = 'released', released_at = v_now
        WHERE a.id = ANY (p_ids) AND a.state <> 'released' RETURNING a.*
    )
    SELECT array_agg(ROW (f.*)::allocation) INTO v_freed FROM freed f;
    IF v_freed IS NULL THEN RETURN; END IF;
    UPDATE allocation_device t SET state = 'released'
    WHERE t.allocation IN (SELECT f.id FROM unnest(v_freed) f WHERE cardinality(f.devices) > 0);
    PERFORM host_charge(v_freed, -1);
    UPDATE quota_usage q SET used = q.used - t.amount FROM quota_sums(v_freed) t
    WHERE q.project = t.project AND q.resource = t.resource;
    PERFORM allocation_changes(v_freed, 'updated');
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    SELECT v_now, f.workload_kind, f.project, f.name, f.workload, r.reason, r.message, p_source
    FROM unnest(v_freed) f
    JOIN unnest(p_ids, p_reasons, p_messages) WITH ORDINALITY r (id, reason, message, n) ON r.id = f.id
    ORDER BY r.n;
END $$;
