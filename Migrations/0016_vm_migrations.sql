-- Migrations of parts from host to host: a reservation on the target and what runs on the source, under one id. The
-- reservation stands by, and no agent is told of it; it becomes the part's writer in the transaction that frees the
-- source, whatever frees it.

-- The migration that brought the part here, or is to; kept when it is over.
ALTER TABLE allocation ADD COLUMN IF NOT EXISTS arrival uuid;
-- Holds room for a part that is still written elsewhere.
ALTER TABLE allocation ADD COLUMN IF NOT EXISTS standby boolean NOT NULL DEFAULT false;
-- The migration that takes the part away from here.
ALTER TABLE allocation ADD COLUMN IF NOT EXISTS departure uuid;
CREATE UNIQUE INDEX IF NOT EXISTS allocation_standby ON allocation (arrival) WHERE standby AND state <> 'released';
CREATE INDEX IF NOT EXISTS allocation_departure ON allocation (host)
    WHERE departure IS NOT NULL AND state <> 'released';
-- One writer of a part at any time, beside which a reservation may stand by.
CREATE UNIQUE INDEX IF NOT EXISTS allocation_writes ON allocation (workload, part)
    WHERE state <> 'released' AND NOT quarantined AND NOT standby;
DROP INDEX IF EXISTS allocation_writer;

-- As before, but for reservations that stand by: quotas count a part once.
CREATE OR REPLACE FUNCTION quota_sums(p_allocations allocation[])
RETURNS TABLE (project text, resource text, amount numeric) LANGUAGE sql IMMUTABLE AS $$
    SELECT a.project, r.resource, sum(r.amount)
    FROM unnest(p_allocations) a CROSS JOIN LATERAL (
        VALUES ('devices', cardinality(a.devices)::bigint), ('memoryMiB', a.mem), ('milliCPU', a.cpu)
    ) r (resource, amount)
    WHERE NOT a.standby
    GROUP BY 1, 2 HAVING sum(r.amount) <> 0 ORDER BY 1, 2
$$;

-- As before, but for reservations that stand by.
CREATE OR REPLACE FUNCTION allocation_withheld(p_allocation allocation) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT p_allocation.state IN ('reserved', 'active') AND NOT p_allocation.quarantined AND (
        p_allocation.standby
        OR EXISTS (SELECT 1 FROM quarantined_cell q, cluster c
                WHERE q.cell = p_allocation.cell AND p_allocation.created_at < c.raised_at)
        OR EXISTS (SELECT 1 FROM allocation t
                   WHERE t.workload = p_allocation.workload AND t.part = p_allocation.part
                     AND t.quarantined AND t.state <> 'released'))
$$;

-- Hosts, with those that parts of them migrate to: an end on the former changes the latter.
CREATE OR REPLACE FUNCTION migration_hosts(p_hosts uuid[]) RETURNS uuid[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN p_hosts || ARRAY(
        SELECT t.host FROM allocation s JOIN allocation t ON t.arrival = s.departure
        WHERE s.host = ANY (p_hosts) AND s.departure IS NOT NULL AND s.state <> 'released'
          AND t.standby AND t.state <> 'released');
END $$;

-- What the end of allocations means for migrations. The end of a source hands its part over to the reservation,
-- whose agent is told from now on; where that host can take nothing any more, or the workload is to go, the
-- reservation is freed. The end of a reservation leaves the source as it was.
CREATE OR REPLACE FUNCTION migration_settle(p_freed allocation[], p_source text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_waiting allocation[];
    v_handed allocation[];
    v_left allocation[];
BEGIN
    IF NOT EXISTS (SELECT 1 FROM unnest(p_freed) f WHERE f.departure IS NOT NULL OR f.standby) THEN RETURN; END IF;
    WITH kept AS (
        UPDATE allocation s SET departure = NULL FROM unnest(p_freed) f
        WHERE f.standby AND s.departure = f.arrival AND s.workload = f.workload AND s.state <> 'released'
        RETURNING s.*
    )
    SELECT array_agg(ROW (k.*)::allocation) INTO v_left FROM kept k;
    IF v_left IS NOT NULL THEN PERFORM allocation_changes(v_left, 'updated'); END IF;

    v_waiting := ARRAY(
        SELECT t FROM unnest(p_freed) f JOIN allocation t ON t.arrival = f.departure
        WHERE t.standby AND t.state <> 'released' ORDER BY t.id);
    IF v_waiting = '{}' THEN RETURN; END IF;
    PERFORM 1 FROM host_ledger h WHERE h.host IN (SELECT w.host FROM unnest(v_waiting) w)
    ORDER BY h.host FOR NO KEY UPDATE;
    WITH handed AS (
        UPDATE allocation t SET standby = false
        FROM unnest(v_waiting) w JOIN host_ledger h ON h.host = w.host JOIN document d ON d.uid = w.workload
        WHERE t.id = w.id AND w.state = 'reserved' AND h.contact = 'Ready' AND NOT h.draining
          AND d.deletion_at IS NULL
        RETURNING t.*
    )
    SELECT array_agg(ROW (h.*)::allocation) INTO v_handed FROM handed h;
    IF v_handed IS NOT NULL THEN
        UPDATE quota_usage q SET used = q.used + t.amount FROM quota_sums(v_handed) t
        WHERE q.project = t.project AND q.resource = t.resource;
        UPDATE host_ledger SET assignment = assignment + 1 WHERE host IN (SELECT h.host FROM unnest(v_handed) h);
        PERFORM allocation_changes(v_handed, 'updated');
        INSERT INTO event (at, kind, project, name, uid, reason, message, source)
        SELECT v_now, a.workload_kind, a.project, a.name, a.workload, 'Migrated', 'goes on on ' || h.name, p_source
        FROM unnest(v_handed) a JOIN host_ledger h ON h.host = a.host ORDER BY a.id;
    END IF;
    v_left := ARRAY(SELECT w FROM unnest(v_waiting) w
                    WHERE v_handed IS NULL OR w.id NOT IN (SELECT h.id FROM unnest(v_handed) h) ORDER BY w.id);
    IF v_left <> '{}' THEN
        PERFORM allocation_release(
            ARRAY(SELECT l.id FROM unnest(v_left) l),
            array_fill('MigrationCancelled'::text, ARRAY[cardinality(v_left)]),
            array_fill('its target takes nothing any more, or it is to go'::text, ARRAY[cardinality(v_left)]),
            p_source);
    END IF;
END $$;

-- As before; migrations of what is freed are settled with it.
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
    PERFORM migration_settle(v_freed, p_source);
END $$;

-- Reservations whose part runs already, which an agent from before a restore may say: it is found running beside
-- what writes, and somebody has to look.
CREATE OR REPLACE FUNCTION parts_premature(p_parts seen_part[], p_source text) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_found allocation[];
    v_sources allocation[];
BEGIN
    WITH found AS (
        UPDATE allocation a SET standby = false, quarantined = true, state = 'active' FROM unnest(p_parts) p
        WHERE a.id = p.allocation AND p.host = a.host AND a.standby AND a.state = 'reserved'
          AND p.state IN ('starting', 'running')
        RETURNING a.*
    )
    SELECT array_agg(ROW (f.*)::allocation) INTO v_found FROM found f;
    IF v_found IS NULL THEN RETURN '{}'; END IF;
    UPDATE allocation_device t SET state = 'active' WHERE t.allocation IN (SELECT f.id FROM unnest(v_found) f);
    UPDATE quota_usage q SET used = q.used + t.amount FROM quota_sums(v_found) t
    WHERE q.project = t.project AND q.resource = t.resource;
    WITH kept AS (
        UPDATE allocation s SET departure = NULL FROM unnest(v_found) f
        WHERE s.departure = f.arrival AND s.workload = f.workload AND s.state <> 'released' RETURNING s.*
    )
    SELECT array_agg(ROW (k.*)::allocation) INTO v_sources FROM kept k;
    PERFORM allocation_changes(v_found || v_sources, 'updated');
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    SELECT basalt_now(), f.workload_kind, f.project, f.name, f.workload, 'Quarantined',
        'runs on ' || p.host_name || ' before it was handed over', p_source
    FROM unnest(v_found) f JOIN unnest(p_parts) p ON p.allocation = f.id ORDER BY p.n;
    -- The source is told of to its agent no more while the copy runs.
    RETURN ARRAY(SELECT DISTINCT f.host FROM unnest(v_found || v_sources) f);
END $$;

-- As before; hosts that parts of a report migrate to are locked with it.
CREATE OR REPLACE FUNCTION session_parts(p_session uuid, p_parts jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_source text := 'agent/' || p_session;
    v_parts seen_part[];
    v_round seen_part[];
    v_refused jsonb := '[]';
    v_found jsonb;
    v_ended uuid[];
    v_changed uuid[] := '{}';
BEGIN
    IF jsonb_array_length(p_parts) = 0 THEN RETURN '[]'; END IF;
    PERFORM 1 FROM host_ledger h
    WHERE h.host = ANY (migration_hosts(ARRAY(
        SELECT l.host FROM (SELECT DISTINCT v ->> 'host' AS name FROM jsonb_array_elements(p_parts) v) n
        CROSS JOIN LATERAL (
            SELECT host FROM host_ledger WHERE session = p_session AND name = n.name OFFSET 0
        ) l)))
    ORDER BY h.host FOR NO KEY UPDATE;
    v_parts := parts_seen(p_session, p_parts);

    SELECT coalesce(jsonb_agg(jsonb_build_object('n', n, 'host', host_name, 'allocation', allocation, 'reason',
            'ReportRefused', 'message', 'the session does not hold host ' || host_name) ORDER BY n), '[]')
    INTO v_refused FROM unnest(v_parts) WHERE host IS NULL;
    IF v_refused <> '[]' THEN
        PERFORM session_refused(p_session, array_agg(name ORDER BY n),
            array_agg('the session does not hold host ' || name ORDER BY n), 'report', 'ReportRefused')
        FROM (SELECT host_name, min(n) FROM unnest(v_parts) WHERE host IS NULL GROUP BY 1) r (name, n);
    END IF;

    FOR v_round IN
        SELECT array_agg(p::seen_part ORDER BY p.n) FROM unnest(v_parts) p WHERE p.host IS NOT NULL
        GROUP BY p.round ORDER BY p.round
    LOOP
        SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.n), '[]') INTO v_found FROM parts_refused(v_round) r;
        v_refused := v_refused || v_found;
        v_changed := v_changed || parts_stray(v_round, v_source);
        v_changed := v_changed || parts_quarantine(v_round, v_source);
        v_changed := v_changed || parts_premature(v_round, v_source);
        PERFORM parts_start(v_round, v_source);
        v_ended := parts_end(v_round, v_source);
        v_changed := v_changed || v_ended;
        IF v_ended <> '{}' THEN v_changed := v_changed || parts_unveil(v_round); END IF;
    END LOOP;
    IF v_changed <> '{}' THEN
        UPDATE host_ledger SET assignment = assignment + 1 WHERE host = ANY (v_changed);
    END IF;
    RETURN (SELECT coalesce(jsonb_agg(r - 'n' ORDER BY (r ->> 'n')::bigint), '[]')
            FROM jsonb_array_elements(v_refused) r);
END $$;

-- Applies a plan in which parts migrate and none is placed. The ledger's own admission takes the targets, while the
-- sources step aside; then the sources write again, and the targets stand by.
CREATE OR REPLACE FUNCTION ledger_commit_migrations_1(
    p_cell text, p_token bigint, p_content text, p_statuses jsonb, p_note jsonb, p_hosts jsonb)
RETURNS TABLE (o_xid xid8, o_refusals jsonb) LANGUAGE plpgsql AS $$
DECLARE
    v_plan uuid := (p_content::jsonb ->> 'id')::uuid;
    v_moves jsonb;
    v_sources uuid[];
    v_taken allocation[];
    v_admitted text;
    v_bounds quota_usage[];
BEGIN
    PERFORM lease_check(p_cell, p_token);
    PERFORM 1 FROM plan_head h WHERE h.cell = p_cell AND h.engine = p_content::jsonb ->> 'engine' FOR UPDATE;
    PERFORM 1 FROM host_ledger h WHERE h.host IN (
        SELECT x FROM jsonb_array_elements(p_content::jsonb -> 'groups') g CROSS JOIN jsonb_array_elements(g) v
        LEFT JOIN allocation a ON a.id = CASE v ->> 'directive' WHEN 'migrate' THEN (v ->> 'from')::uuid
                                         WHEN 'release' THEN (v ->> 'allocation')::uuid END
        CROSS JOIN LATERAL (VALUES (a.host), (CASE WHEN v ->> 'directive' = 'migrate'
                                              THEN (v #>> '{allocation,host}')::uuid END)) y (x))
    ORDER BY h.host FOR NO KEY UPDATE;

    -- One that cannot move asks for what does not exist, and is refused for it.
    SELECT jsonb_set(p_content::jsonb, '{groups}', coalesce(jsonb_agg(t.directives ORDER BY t.n), '[]'))::text,
        coalesce(jsonb_agg(t.moves) FILTER (WHERE t.moves IS NOT NULL), '[]')
    INTO v_admitted, v_moves
    FROM (
        SELECT g.n, coalesce(jsonb_agg(CASE WHEN v ->> 'directive' <> 'migrate' THEN v
                WHEN a.id IS NOT NULL THEN v || '{"directive": "allocate"}'
                ELSE jsonb_build_object('directive', 'release', 'allocation', no_uid(), 'reason', 'Migrating',
                                        'message', '') END ORDER BY e.n)
                FILTER (WHERE v IS NOT NULL), '[]') AS directives,
            jsonb_agg(jsonb_build_object('source', a.id, 'target', v #> '{allocation,id}', 'migration',
                v #> '{allocation,arrival,migration}')) FILTER (WHERE a.id IS NOT NULL) AS moves
        FROM jsonb_array_elements(p_content::jsonb -> 'groups') WITH ORDINALITY g (list, n)
        LEFT JOIN LATERAL jsonb_array_elements(g.list) WITH ORDINALITY e (v, n) ON true
        LEFT JOIN LATERAL (
            SELECT l.id FROM allocation l
            WHERE l.id = CASE WHEN v ->> 'directive' = 'migrate' THEN (v ->> 'from')::uuid END
              AND l.cell = p_cell AND l.state IN ('reserved', 'active') AND NOT l.quarantined AND NOT l.standby
              AND l.departure IS NULL AND l.host::text <> v #>> '{allocation,host}'
              AND l.workload::text = v #>> '{allocation,workload,uid}' AND l.part = v #>> '{allocation,workload,part}'
            OFFSET 0
        ) a ON true
        GROUP BY g.n
    ) t;
    v_sources := ARRAY(SELECT (m ->> 'source')::uuid FROM jsonb_array_elements(v_moves) l, jsonb_array_elements(l) m);
    v_bounds := ARRAY(SELECT q FROM quota_usage q WHERE q.bound IS NOT NULL AND q.project IN (
        SELECT a.project FROM allocation a WHERE a.id = ANY (v_sources))
        ORDER BY q.project, q.resource FOR NO KEY UPDATE);

    UPDATE allocation SET standby = true WHERE id = ANY (v_sources);
    UPDATE quota_usage q SET bound = NULL FROM unnest(v_bounds) b
    WHERE q.project = b.project AND q.resource = b.resource;
    SELECT c.o_xid, c.o_refusals INTO o_xid, o_refusals
    FROM ledger_commit_lifetimes_1(p_cell, p_token, v_admitted, p_statuses, p_note, p_hosts) c;
    v_taken := ARRAY(SELECT a FROM jsonb_array_elements(v_moves) l CROSS JOIN jsonb_array_elements(l) m
                     JOIN allocation a ON a.id = (m ->> 'target')::uuid AND a.plan = v_plan);
    UPDATE quota_usage q SET used = q.used - t.amount FROM quota_sums(v_taken) t
    WHERE q.project = t.project AND q.resource = t.resource;
    UPDATE quota_usage q SET bound = b.bound FROM unnest(v_bounds) b
    WHERE q.project = b.project AND q.resource = b.resource;
    UPDATE allocation t SET standby = true, arrival = (m ->> 'migration')::uuid
    FROM jsonb_array_elements(v_moves) l, jsonb_array_elements(l) m
    WHERE t.plan = v_plan AND t.id = (m ->> 'target')::uuid;
    UPDATE allocation s SET standby = false, departure = (
        SELECT t.arrival FROM jsonb_array_elements(v_moves) l CROSS JOIN jsonb_array_elements(l) m
        JOIN allocation t ON t.id = (m ->> 'target')::uuid AND t.plan = v_plan
        WHERE (m ->> 'source')::uuid = s.id)
    WHERE s.id = ANY (v_sources);
    PERFORM allocation_changes(ARRAY(
        SELECT s FROM allocation s WHERE s.id = ANY (v_sources) AND s.departure IS NOT NULL), 'updated');
    UPDATE plan SET content = p_content WHERE id = v_plan;
    RETURN NEXT;
END $$;

-- Takes migrations back whose source still runs, or goes on stopping: the reservations are freed at once, for no agent
-- was told of them. Answers those that were.
CREATE OR REPLACE FUNCTION migration_cancel_1(
    p_cell text, p_token bigint, p_targets uuid[], p_message text, p_source text
) RETURNS SETOF uuid LANGUAGE plpgsql AS $$
DECLARE
    v_targets uuid[];
BEGIN
    PERFORM lease_check(p_cell, p_token);
    PERFORM 1 FROM host_ledger h
    WHERE h.host IN (SELECT a.host FROM allocation a WHERE a.id = ANY (p_targets))
    ORDER BY h.host FOR NO KEY UPDATE;
    v_targets := ARRAY(SELECT a.id FROM allocation a
                       WHERE a.id = ANY (p_targets) AND a.cell = p_cell AND a.standby AND a.state <> 'released'
                       ORDER BY a.id FOR NO KEY UPDATE);
    IF v_targets = '{}' THEN RETURN; END IF;
    PERFORM allocation_release(v_targets, array_fill('MigrationCancelled'::text, ARRAY[cardinality(v_targets)]),
                               array_fill(p_message, ARRAY[cardinality(v_targets)]), p_source);
    RETURN QUERY SELECT unnest(v_targets);
END $$;
