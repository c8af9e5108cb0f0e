-- Small plans and single documents are most of what is written: what they pay for is kept to what they need.

-- What a document refers to, in the order in which a missing one is reported.
CREATE OR REPLACE FUNCTION document_references(p_kind text, p_project text, p_spec jsonb)
RETURNS TABLE (rank int, field text, target text, target_name text) LANGUAGE sql IMMUTABLE AS $$
    SELECT m.rank, m.field, m.target, m.target_name
    FROM (VALUES
        (1, 'metadata.project', 'Project', CASE WHEN p_kind = 'VM' THEN p_project END),
        (2, 'spec.cell', 'Cell', CASE WHEN p_kind IN ('VM', 'Host', 'Pool') THEN p_spec ->> 'cell' END),
        (3, 'spec.pool', 'Pool', CASE WHEN p_kind IN ('VM', 'Host') THEN p_spec ->> 'pool' END),
        (4, 'spec.flavor', 'Flavor', CASE WHEN p_kind = 'VM' THEN p_spec ->> 'flavor' END)
    ) m (rank, field, target, target_name)
    WHERE m.target_name IS NOT NULL
$$;

-- Refuses drafts for the first of them that cannot be created: its name or uid is taken, or what it refers to is
-- neither stored nor among the drafts up to it. Rows of this transaction are the drafts themselves.
CREATE OR REPLACE FUNCTION document_defect(p_drafts jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_xid xid8 := pg_current_xact_id();
    v_defect record;
BEGIN
    WITH draft AS MATERIALIZED (
        SELECT n, v ->> 'kind' AS kind, v ->> 'project' AS project, v ->> 'name' AS name,
            (v ->> 'uid')::uuid AS uid, v -> 'spec' AS spec
        FROM jsonb_array_elements(p_drafts) WITH ORDINALITY e (v, n)
    ), named AS (
        SELECT d.*, row_number() OVER (PARTITION BY kind, project, name ORDER BY n) AS nth,
            row_number() OVER (PARTITION BY uid ORDER BY n) AS nth_uid
        FROM draft d
    ), defect AS (
        SELECT n, 0 AS rank, kind, name, NULL AS field FROM named f
        WHERE nth > 1 OR nth_uid > 1
           OR EXISTS (SELECT 1 FROM document d WHERE d.kind = f.kind AND d.project = f.project AND d.name = f.name
                      AND d.rv_xid <> v_xid)
           OR EXISTS (SELECT 1 FROM document d WHERE d.uid = f.uid AND d.rv_xid <> v_xid)
        UNION ALL
        SELECT f.n, r.rank, r.target, r.target_name, r.field
        FROM draft f CROSS JOIN LATERAL document_references(f.kind, f.project, f.spec) r
        WHERE NOT EXISTS (SELECT 1 FROM document d WHERE d.kind = r.target AND d.project = ''
                          AND d.name = r.target_name AND d.deletion_at IS NULL AND d.rv_xid <> v_xid)
          AND NOT EXISTS (SELECT 1 FROM draft o WHERE o.n <= f.n AND o.kind = r.target AND o.project = ''
                          AND o.name = r.target_name)
    )
    SELECT * INTO v_defect FROM defect ORDER BY n, rank LIMIT 1;
    IF v_defect.n IS NULL THEN RETURN; END IF;
    PERFORM refuse(CASE v_defect.rank WHEN 0 THEN 'BA005' ELSE 'BA009' END,
        json_build_object('kind', v_defect.kind, 'name', v_defect.name, 'field', v_defect.field)::text);
END $$;

-- Creates all drafts or none. What nearly always holds is counted; why it does not hold is looked for only then.
CREATE OR REPLACE FUNCTION document_create_1(p_drafts jsonb, p_actor text, p_request text, p_verb text)
RETURNS TABLE (o_uid uuid, o_xid xid8, o_seq bigint, o_at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_xid xid8 := pg_current_xact_id();
    v_floor xid8 := pg_snapshot_xmin(pg_current_snapshot());
    v_missing bigint;
    v_made bigint;
BEGIN
    -- Each distinct reference once: a thousand VMs of one project take one lock. References of drafts to drafts
    -- are missing here.
    WITH wanted AS MATERIALIZED (
        SELECT DISTINCT r.target, r.target_name FROM jsonb_array_elements(p_drafts) v
        CROSS JOIN LATERAL document_references(v ->> 'kind', v ->> 'project', v -> 'spec') r
    ), locked AS (
        SELECT 1 FROM document d JOIN wanted w ON d.kind = w.target AND d.name = w.target_name
        WHERE d.project = '' AND d.deletion_at IS NULL
        ORDER BY d.uid FOR KEY SHARE OF d
    )
    SELECT (SELECT count(*) FROM wanted) - (SELECT count(*) FROM locked) INTO v_missing;
    IF v_missing > 0 THEN PERFORM document_defect(p_drafts); END IF;

    RETURN QUERY
    WITH draft AS (
        SELECT (v ->> 'uid')::uuid AS uid, v ->> 'kind' AS kind, v ->> 'project' AS project,
            v ->> 'name' AS name, v -> 'labels' AS labels, v -> 'annotations' AS annotations,
            ARRAY(SELECT jsonb_array_elements_text(v -> 'finalizers')) AS finalizers,
            v -> 'spec' AS spec, v -> 'status' AS status, n
        FROM jsonb_array_elements(p_drafts) WITH ORDINALITY e (v, n)
    ), made AS (
        INSERT INTO document AS m (uid, kind, project, name, labels, annotations, rv_xid, rv_seq, created_at,
                              finalizers, spec, status)
        SELECT uid, kind, project, name, labels, annotations, v_xid, nextval('change_seq'), v_now, finalizers,
            spec, status
        FROM draft ORDER BY n
        ON CONFLICT DO NOTHING
        RETURNING m.uid, m.kind, m.project, m.name, m.rv_seq, m.cell
    ), changes AS (
        INSERT INTO change (xid, seq, floor, at, change, kind, uid, project, name, cell)
        SELECT v_xid, made.rv_seq, v_floor, v_now, 'created', made.kind, made.uid, made.project, made.name,
            made.cell
        FROM made
    ), audits AS (
        INSERT INTO audit (at, actor, request_id, verb, kind, project, name)
        SELECT v_now, p_actor, p_request, p_verb, made.kind, made.project, made.name FROM made
    ), events AS (
        INSERT INTO event (at, kind, project, name, uid, reason, message, source)
        SELECT v_now, made.kind, made.project, made.name, made.uid, 'Created', 'created by ' || p_actor, p_actor
        FROM made
    )
    SELECT made.uid, v_xid, made.rv_seq, v_now FROM made;
    GET DIAGNOSTICS v_made = ROW_COUNT;
    IF v_made <> jsonb_array_length(p_drafts) THEN
        PERFORM document_defect(p_drafts);
        -- What was in the way is gone already.
        RAISE EXCEPTION 'a document was removed while another took its name' USING ERRCODE = '40001';
    END IF;
    PERFORM document_rows(p_drafts);
END $$;
DROP FUNCTION IF EXISTS document_check(jsonb);

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
    -- The key decides, not a search: a search would be planned for the table's size of long ago.
    INSERT INTO plan (id, cell, engine, parent, content, created_at)
    VALUES (v_plan, p_cell, v_engine, v_parent, p_content, basalt_now()) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN PERFORM refuse('BA003', v_plan::text); END IF;
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

    UPDATE plan_head SET plan = v_plan WHERE cell = p_cell AND engine = v_engine;
    IF NOT FOUND THEN
        -- Of two first plans at once one finds the other's.
        INSERT INTO plan_head (cell, engine, plan) VALUES (p_cell, v_engine, v_plan) ON CONFLICT DO NOTHING;
        IF NOT FOUND THEN PERFORM refuse('BA002', ''); END IF;
    END IF;

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
