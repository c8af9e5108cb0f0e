-- Oversubscription of shared CPU: predicted peaks in the ledger, ratios that follow policies, decisions and people.

-- Most CPU that an allocation is predicted to use at once; all of it while nothing is known.
ALTER TABLE allocation ADD COLUMN IF NOT EXISTS peak bigint CHECK (peak >= 0);
-- Of the shared CPU of a host, what is predicted not to be used: kept as what peaks spare and not as their sum, so
-- that whatever adds an allocation nothing is known of need not write it.
ALTER TABLE host_ledger ADD COLUMN IF NOT EXISTS cpu_spared bigint NOT NULL DEFAULT 0 CHECK (cpu_spared >= 0);
-- How full predicted peaks may make what the guaranteed part leaves, per mille; null where they do not count.
ALTER TABLE host_ledger ADD COLUMN IF NOT EXISTS cpu_max_util bigint CHECK (cpu_max_util BETWEEN 1 AND 1000);

-- The ratio of a scope (a cell, a pool or a host, by its document) as it was decided last.
CREATE TABLE IF NOT EXISTS rate_scope (
    scope      uuid PRIMARY KEY,
    ratio      bigint CHECK (ratio >= 1000),
    generation bigint NOT NULL DEFAULT 0,
    decision   uuid,
    decided_at timestamptz
);
-- What people decided about a scope.
CREATE TABLE IF NOT EXISTS rate_constraint (
    id         uuid PRIMARY KEY,
    scope      uuid NOT NULL,
    verb       text NOT NULL,
    ratio      bigint CHECK (ratio >= 1000),
    prototypes bigint[],
    author     text NOT NULL,
    reason     text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    ended_at   timestamptz
);
CREATE INDEX IF NOT EXISTS rate_constraint_scope ON rate_constraint (scope) WHERE ended_at IS NULL;
-- What was decided; `content` is what the decider wrote, the columns are what came of it.
CREATE TABLE IF NOT EXISTS rate_decision (
    id          uuid PRIMARY KEY,
    scope       uuid NOT NULL,
    cell        text NOT NULL,
    state       text NOT NULL CHECK (state IN ('proposed', 'approved', 'applied', 'superseded', 'rolled_back')),
    content     jsonb NOT NULL,
    created_at  timestamptz NOT NULL,
    closed_at   timestamptz,
    answered_by text,
    realized    jsonb
);
CREATE INDEX IF NOT EXISTS rate_decision_scope ON rate_decision (scope, id);
CREATE INDEX IF NOT EXISTS rate_decision_open ON rate_decision (cell) WHERE state IN ('proposed', 'approved');
-- At most one decision of a scope is in force.
CREATE UNIQUE INDEX IF NOT EXISTS rate_decision_applied ON rate_decision (scope) WHERE state = 'applied';
-- Whoever moves ratios does it alone: each then sees what the one before left, and none goes by a policy or a
-- constraint that is gone.
CREATE TABLE IF NOT EXISTS rate_turn (singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton));
INSERT INTO rate_turn DEFAULT VALUES ON CONFLICT DO NOTHING;

-- The document of a scope; null when there is none that stays.
CREATE OR REPLACE FUNCTION scope_uid(p_level text, p_name text) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT uid FROM document
    WHERE kind = initcap(p_level) AND project = '' AND name = p_name AND deletion_at IS NULL
$$;

-- The ratio that admission on a host goes by, and how full peaks may make it: `EffectiveRate` says how.
CREATE OR REPLACE FUNCTION host_rate(p_host uuid, p_pool text, p_cell text)
RETURNS TABLE (ratio bigint, max_util bigint) LANGUAGE sql STABLE AS $$
    WITH holder AS MATERIALIZED (
        SELECT 1 AS rank, d.uid, d.spec FROM document d WHERE d.uid = p_host
        UNION ALL
        SELECT 2, d.uid, d.spec FROM document d WHERE d.kind = 'Pool' AND d.project = '' AND d.name = p_pool
        UNION ALL
        SELECT 3, d.uid, d.spec FROM document d WHERE d.kind = 'Cell' AND d.project = '' AND d.name = p_cell
    ), named AS (
        SELECT h.rank, h.uid, CASE WHEN h.rank = 2 THEN (h.spec ->> 'cpuRatioPerMille')::bigint END AS plain,
            CASE WHEN p.rules ->> 'mode' <> 'shadow'
                  AND coalesce((p.rules ->> 'expiresAt')::timestamptz > basalt_now(), true) THEN p.rules END AS rules
        FROM holder h LEFT JOIN LATERAL (
            SELECT d.spec -> 'oversubscription' AS rules FROM document d
            WHERE d.kind = 'Policy' AND d.project = '' AND d.name = h.spec #>> '{policies,oversubscription}'
        ) p ON true
    ), nearest AS (
        SELECT n.uid, n.plain, n.rules FROM named n WHERE n.rules IS NOT NULL OR n.plain IS NOT NULL
        ORDER BY n.rank LIMIT 1
    ), base AS (
        SELECT CASE
                WHEN n.rules IS NULL THEN n.plain
                WHEN n.rules ->> 'mode' = 'pinned' THEN (n.rules ->> 'ratioPerMille')::bigint
                WHEN n.rules ->> 'mode' = 'initial' THEN coalesce(s.ratio, (n.rules ->> 'ratioPerMille')::bigint)
                ELSE greatest(coalesce((n.rules ->> 'ratioMinPerMille')::bigint, 1000),
                    least(coalesce(s.ratio, (n.rules ->> 'ratioPerMille')::bigint, 1000),
                          coalesce((n.rules ->> 'ratioMaxPerMille')::bigint, 2000)))
            END AS ratio,
            coalesce((n.rules ->> 'maxUtilizationPerMille')::bigint,
                     CASE WHEN n.rules ->> 'mode' = 'managed' THEN 1000 END) AS max_util
        FROM (VALUES (1)) one (x) LEFT JOIN nearest n ON true LEFT JOIN rate_scope s ON s.scope = n.uid
    ), people AS (
        SELECT coalesce(bool_or(c.verb IN ('kill', 'exclude')), false) AS stopped,
            min(c.ratio) FILTER (WHERE c.verb = 'pin') AS pin, min(c.ratio) FILTER (WHERE c.verb = 'cap') AS cap
        FROM holder h JOIN rate_constraint c ON c.scope = h.uid
        WHERE c.ended_at IS NULL AND coalesce(c.expires_at > basalt_now(), true)
    )
    SELECT CASE WHEN p.stopped THEN 1000
        ELSE greatest(1000, coalesce(p.pin, least(coalesce(b.ratio, 1000), p.cap))) END, b.max_util
    FROM base b CROSS JOIN people p
$$;

-- Hosts of a scope.
CREATE OR REPLACE FUNCTION scope_hosts(p_scope uuid) RETURNS uuid[] LANGUAGE sql STABLE AS $$
    SELECT ARRAY(SELECT h.host FROM document d JOIN host_ledger h
        ON CASE d.kind WHEN 'Host' THEN h.host = d.uid WHEN 'Pool' THEN h.pool = d.name
                       WHEN 'Cell' THEN h.cell = d.name ELSE false END
        WHERE d.uid = p_scope)
$$;

-- Brings hosts to what their policies, decisions and people say. Below what is used it is legal: only worsening
-- is refused.
CREATE OR REPLACE FUNCTION rates_follow(p_hosts uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM rate_turn FOR UPDATE;
    PERFORM 1 FROM host_ledger h CROSS JOIN LATERAL host_rate(h.host, h.pool, h.cell) r
    WHERE h.host = ANY (p_hosts) AND (h.cpu_ratio, h.cpu_max_util) IS DISTINCT FROM (r.ratio, r.max_util)
    ORDER BY h.host FOR NO KEY UPDATE OF h;
    WITH moved AS (
        UPDATE host_ledger h SET cpu_ratio = n.ratio, cpu_max_util = n.max_util, generation = h.generation + 1
        FROM (
            SELECT l.host, r.ratio, r.max_util FROM host_ledger l
            CROSS JOIN LATERAL host_rate(l.host, l.pool, l.cell) r WHERE l.host = ANY (p_hosts)
        ) n
        WHERE h.host = n.host AND (h.cpu_ratio, h.cpu_max_util) IS DISTINCT FROM (n.ratio, n.max_util)
        RETURNING h.host, h.name, h.cell
    )
    INSERT INTO change (xid, seq, floor, at, change, kind, uid, name, cell)
    SELECT pg_current_xact_id(), nextval('change_seq'), pg_snapshot_xmin(pg_current_snapshot()), basalt_now(),
        'updated', 'Host', host, name, cell
    FROM moved;
END $$;

CREATE OR REPLACE FUNCTION rates_follow_1(p_cell text, p_token bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lease_check(p_cell, p_token);
    PERFORM rates_follow(ARRAY(SELECT host FROM host_ledger WHERE cell = p_cell));
END $$;

-- A pool's hosts follow it.
CREATE OR REPLACE FUNCTION pool_follow(p_pool text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM rates_follow(ARRAY(SELECT host FROM host_ledger WHERE pool = p_pool));
END $$;

-- Host rows follow their document: schedulability, pool and ratio move the ledger's generation, labels do not.
CREATE OR REPLACE FUNCTION host_follow(p_uid uuid, p_spec jsonb, p_labels jsonb) RETURNS void LANGUAGE sql AS $$
    UPDATE host_ledger h SET
        cell = n.cell, pool = n.pool, cpu_ratio = n.ratio, cpu_max_util = n.max_util, cordoned = n.cordoned,
        draining = n.draining, labels = coalesce(h.inventory -> 'labels', '{}') || p_labels,
        generation = h.generation + ((h.cell, h.pool, h.cpu_ratio, h.cpu_max_util, h.cordoned, h.draining)
            IS DISTINCT FROM (n.cell, n.pool, n.ratio, n.max_util, n.cordoned, n.draining))::int
    FROM (SELECT p_spec ->> 'cell' AS cell, p_spec ->> 'pool' AS pool, r.ratio, r.max_util,
              coalesce((p_spec ->> 'cordoned')::boolean, false) AS cordoned,
              coalesce((p_spec ->> 'draining')::boolean, false) AS draining
          FROM host_rate(p_uid, p_spec ->> 'pool', p_spec ->> 'cell') r) n
    WHERE h.host = p_uid
$$;

CREATE OR REPLACE FUNCTION host_ledger_rate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT r.ratio, r.max_util INTO NEW.cpu_ratio, NEW.cpu_max_util FROM host_rate(NEW.host, NEW.pool, NEW.cell) r;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER host_ledger_rate BEFORE INSERT ON host_ledger
    FOR EACH ROW EXECUTE FUNCTION host_ledger_rate();

-- Policies and cells: what names them follows.
CREATE OR REPLACE FUNCTION document_rate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind = 'Cell' THEN
        PERFORM rates_follow(scope_hosts(NEW.uid));
    ELSE
        PERFORM rates_follow(ARRAY(
            SELECT h.host FROM document d JOIN host_ledger h
                ON CASE d.kind WHEN 'Host' THEN h.host = d.uid WHEN 'Pool' THEN h.pool = d.name
                               ELSE h.cell = d.name END
            WHERE d.kind IN ('Host', 'Pool', 'Cell') AND d.project = ''
              AND d.spec #>> '{policies,oversubscription}' = NEW.name));
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER document_rate AFTER UPDATE OF spec ON document FOR EACH ROW
    WHEN (NEW.kind IN ('Policy', 'Cell') AND OLD.spec <> NEW.spec) EXECUTE FUNCTION document_rate();

CREATE OR REPLACE FUNCTION document_rate_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM rate_scope WHERE scope = OLD.uid;
    DELETE FROM rate_constraint WHERE scope = OLD.uid;
    DELETE FROM rate_decision WHERE scope = OLD.uid;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER document_rate_forget AFTER DELETE ON document FOR EACH ROW
    WHEN (OLD.kind IN ('Cell', 'Pool', 'Host')) EXECUTE FUNCTION document_rate_forget();

-- What a document refers to, in the order in which a missing one is reported.
CREATE OR REPLACE FUNCTION document_references(p_kind text, p_project text, p_spec jsonb)
RETURNS TABLE (rank int, field text, target text, target_name text) LANGUAGE sql IMMUTABLE AS $$
    SELECT m.rank, CASE WHEN p_kind = 'VMGroup' AND m.rank > 1 THEN 'spec.template.' || m.field ELSE m.field END,
        m.target, m.target_name
    FROM (VALUES
        (1, 'metadata.project', 'Project', CASE WHEN p_kind IN ('VM', 'VMGroup') THEN p_project END),
        (2, 'spec.cell', 'Cell', CASE WHEN p_kind IN ('VM', 'Host', 'Pool') THEN p_spec ->> 'cell'
                                      WHEN p_kind = 'VMGroup' THEN p_spec #>> '{template,spec,cell}' END),
        (3, 'spec.pool', 'Pool', CASE WHEN p_kind IN ('VM', 'Host') THEN p_spec ->> 'pool'
                                      WHEN p_kind = 'VMGroup' THEN p_spec #>> '{template,spec,pool}' END),
        (4, 'spec.flavor', 'Flavor', CASE WHEN p_kind = 'VM' THEN p_spec ->> 'flavor'
                                          WHEN p_kind = 'VMGroup' THEN p_spec #>> '{template,spec,flavor}' END),
        (5, 'spec.policies.placement', 'Policy',
         CASE WHEN p_kind = 'Pool' THEN p_spec #>> '{policies,placement}' END),
        (6, 'spec.policies.oversubscription', 'Policy',
         CASE WHEN p_kind IN ('Cell', 'Pool', 'Host') THEN p_spec #>> '{policies,oversubscription}' END)
    ) m (rank, field, target, target_name)
    WHERE m.target_name IS NOT NULL
$$;

-- What refers to a document, or null. Allocations of a workload, and members of a group, do not hold it while it
-- has finalizers, which wait for them.
CREATE OR REPLACE FUNCTION document_user(p_document document) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT by FROM (
        SELECT d.kind || ' ' || d.name AS by FROM document d
        WHERE (p_document.kind IN ('Cell', 'Pool', 'Flavor') AND d.kind IN ('Host', 'Pool', 'VM', 'VMGroup')
               OR p_document.kind = 'Policy' AND d.kind IN ('Pool', 'Cell', 'Host'))
          AND EXISTS (SELECT 1 FROM document_references(d.kind, d.project, d.spec) r
                      WHERE r.target = p_document.kind AND r.target_name = p_document.name)
        UNION ALL
        SELECT kind || ' ' || name FROM document
        WHERE p_document.kind = 'Project' AND kind IN ('VM', 'VMGroup') AND project = p_document.name
        UNION ALL
        SELECT 'allocation ' || id FROM allocation
        WHERE p_document.kind = 'Host' AND host = p_document.uid AND state <> 'released'
        UNION ALL
        SELECT 'allocation ' || id FROM allocation
        WHERE p_document.kind = 'VM' AND cardinality(p_document.finalizers) = 0
          AND workload = p_document.uid AND state <> 'released'
        UNION ALL
        SELECT 'allocation ' || id FROM allocation
        WHERE p_document.kind = 'Project' AND project = p_document.name AND state <> 'released'
    ) users LIMIT 1
$$;

-- Adds to the room that hosts have given away.
CREATE OR REPLACE FUNCTION host_charge(p_allocations allocation[], p_sign int) RETURNS void LANGUAGE sql AS $$
    UPDATE host_ledger h SET cpu_guaranteed = h.cpu_guaranteed + p_sign * t.guaranteed,
        cpu_shared = h.cpu_shared + p_sign * t.shared, cpu_spared = h.cpu_spared + p_sign * t.spared,
        mem_used = h.mem_used + p_sign * t.mem
    FROM (
        SELECT host, coalesce(sum(cpu) FILTER (WHERE class = 'guaranteed' OR workload_kind <> 'VM'), 0) AS guaranteed,
            coalesce(sum(cpu) FILTER (WHERE class <> 'guaranteed' AND workload_kind = 'VM'), 0) AS shared,
            coalesce(sum(cpu - peak), 0) AS spared, sum(mem) AS mem
        FROM unnest(p_allocations) GROUP BY host
    ) t WHERE h.host = t.host
$$;

-- Why a directive cannot be applied on top of those before it: the first rule that it breaks. Rows that
-- admission reads are locked by the caller. As before, but that a reservation which stands by is in nobody's way, and
-- that predicted peaks must fit where a policy asks; of what is new nothing is known yet, so that all of its CPU counts.
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
                WHERE a.workload = s.workload AND a.part = s.part AND a.state <> 'released' AND NOT a.standby)
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
            WHEN h.cpu_max_util IS NOT NULL AND (h.cpu_shared + s.host_shared - h.cpu_spared) * 1000
                > h.cpu_max_util * (h.cpu_total - h.cpu_reserved - h.cpu_guaranteed - s.host_guaranteed)
                THEN 'InsufficientPeakRoom'
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
        CASE WHEN judged.reason IN ('HostChanged', 'DeviceTaken', 'InsufficientCPU', 'InsufficientPeakRoom',
                                    'InsufficientMemory')
             THEN judged.host END
    FROM judged WHERE judged.reason IS NOT NULL ORDER BY judged.grp, judged.ix
$$;

-- Writes down predicted peaks; null is that nothing is known. What is guaranteed, released or of another cell is
-- left alone. Columns are summed anew from the rows, so that a repeat changes nothing.
CREATE OR REPLACE FUNCTION peak_record_1(p_cell text, p_token bigint, p_peaks jsonb) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_ids uuid[] := ARRAY(SELECT k::uuid FROM jsonb_object_keys(p_peaks) k);
    v_moved allocation[];
BEGIN
    PERFORM lease_check(p_cell, p_token);
    PERFORM 1 FROM host_ledger h WHERE h.host IN (SELECT a.host FROM allocation a WHERE a.id = ANY (v_ids))
    ORDER BY h.host FOR NO KEY UPDATE;
    WITH moved AS (
        UPDATE allocation a SET peak = t.peak
        FROM (SELECT key::uuid AS id, (value #>> '{}')::bigint AS asked FROM jsonb_each(p_peaks)) e
        CROSS JOIN LATERAL (SELECT x.cpu FROM allocation x WHERE x.id = e.id) o
        CROSS JOIN LATERAL (SELECT CASE WHEN e.asked IS NOT NULL
                                   THEN least(greatest(e.asked, 0), o.cpu) END AS peak) t
        WHERE a.id = e.id AND a.cell = p_cell AND a.state <> 'released' AND a.workload_kind = 'VM'
          AND a.class <> 'guaranteed' AND a.peak IS DISTINCT FROM t.peak
        RETURNING a.*
    )
    SELECT array_agg(ROW (m.*)::allocation) INTO v_moved FROM moved m;
    IF v_moved IS NULL THEN RETURN 0; END IF;
    UPDATE host_ledger h SET cpu_spared = (
        SELECT coalesce(sum(a.cpu - a.peak), 0) FROM allocation a WHERE a.host = h.host AND a.state <> 'released')
    WHERE h.host IN (SELECT m.host FROM unnest(v_moved) m);
    PERFORM allocation_changes(v_moved, 'updated');
    RETURN cardinality(v_moved);
END $$;

-- What a scope's document is called in events.
CREATE OR REPLACE FUNCTION rate_event(p_scope uuid, p_reason text, p_message text, p_source text) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    SELECT basalt_now(), d.kind, d.project, d.name, d.uid, p_reason, p_message, p_source
    FROM document d WHERE d.uid = p_scope
$$;

-- Writes a decision down and, when its state says so, applies it: ratio, hosts, history and event together, and
-- only on the version that it was made on. False, and nothing done, when that has passed, so that of two deciders
-- one decides. `p_before`: what becomes of the decision in force so far.
CREATE OR REPLACE FUNCTION rate_decide_1(
    p_cell text, p_token bigint, p_decision jsonb, p_before text, p_reason text, p_message text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_id uuid := (p_decision ->> 'id')::uuid;
    v_state text := p_decision ->> 'state';
    v_scope uuid := scope_uid(p_decision #>> '{scope,level}', p_decision #>> '{scope,name}');
    v_generation bigint;
BEGIN
    PERFORM lease_check(p_cell, p_token);
    IF v_scope IS NULL THEN RETURN false; END IF;
    INSERT INTO rate_scope (scope) VALUES (v_scope) ON CONFLICT DO NOTHING;
    SELECT generation INTO v_generation FROM rate_scope WHERE scope = v_scope FOR UPDATE;
    IF v_generation IS DISTINCT FROM (p_decision ->> 'generation')::bigint THEN RETURN false; END IF;
    -- One that was answered meanwhile is not applied after all, nor is one that was applied.
    IF EXISTS (SELECT 1 FROM rate_decision d WHERE d.id = v_id AND d.state NOT IN ('proposed', 'approved')) THEN
        RETURN false;
    END IF;
    UPDATE rate_decision SET state = 'superseded', closed_at = v_now
    WHERE scope = v_scope AND state IN ('proposed', 'approved') AND id <> v_id;
    IF v_state = 'applied' THEN
        UPDATE rate_decision SET state = p_before, closed_at = v_now WHERE scope = v_scope AND state = 'applied';
        UPDATE rate_scope SET ratio = (p_decision ->> 'ratioPerMille')::bigint, generation = generation + 1,
            decision = v_id, decided_at = (p_decision ->> 'windowStart')::timestamptz
        WHERE scope = v_scope;
    END IF;
    INSERT INTO rate_decision (id, scope, cell, state, content, created_at)
    VALUES (v_id, v_scope, p_cell, v_state, p_decision, v_now)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state;
    IF v_state = 'applied' THEN PERFORM rates_follow(scope_hosts(v_scope)); END IF;
    IF p_reason IS NOT NULL THEN PERFORM rate_event(v_scope, p_reason, p_message, 'oversubscription'); END IF;
    RETURN true;
END $$;

-- A person agrees to a proposal. The state that it has then; null when there is no such decision.
CREATE OR REPLACE FUNCTION rate_approve_1(
    p_id uuid, p_reason text, p_message text, p_actor text, p_request text, p_verb text
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_decision rate_decision;
    v_scope document;
BEGIN
    SELECT * INTO v_decision FROM rate_decision WHERE id = p_id FOR UPDATE;
    IF NOT FOUND THEN RETURN NULL; END IF;
    IF v_decision.state <> 'proposed' OR (v_decision.content ->> 'isShadow')::boolean THEN
        RETURN v_decision.state;
    END IF;
    UPDATE rate_decision SET state = 'approved', answered_by = p_actor WHERE id = p_id;
    SELECT * INTO v_scope FROM document WHERE uid = v_decision.scope;
    INSERT INTO audit (at, actor, request_id, verb, kind, project, name)
    VALUES (basalt_now(), p_actor, p_request, p_verb, v_scope.kind, '', v_scope.name);
    PERFORM rate_event(v_decision.scope, p_reason, p_message, p_actor);
    RETURN 'approved';
END $$;

-- What a person decided about a scope; open proposals of the scope are answered with it. False when there is no
-- such scope.
CREATE OR REPLACE FUNCTION rate_constrain_1(
    p_constraint jsonb, p_reason text, p_message text, p_actor text, p_request text, p_verb text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_level text := p_constraint #>> '{scope,level}';
    v_name text := p_constraint #>> '{scope,name}';
    v_scope uuid := scope_uid(v_level, v_name);
BEGIN
    IF v_scope IS NULL THEN RETURN false; END IF;
    INSERT INTO rate_constraint (id, scope, verb, ratio, prototypes, author, reason, created_at, expires_at)
    VALUES ((p_constraint ->> 'id')::uuid, v_scope, p_constraint ->> 'verb',
            (p_constraint ->> 'ratioPerMille')::bigint,
            CASE WHEN p_constraint ? 'prototypes'
                 THEN ARRAY(SELECT e::bigint FROM jsonb_array_elements_text(p_constraint -> 'prototypes') e) END,
            p_actor, p_constraint ->> 'reason', v_now, (p_constraint ->> 'expiresAt')::timestamptz);
    UPDATE rate_decision SET state = 'superseded', closed_at = v_now, answered_by = p_actor
    WHERE scope = v_scope AND state IN ('proposed', 'approved');
    PERFORM rates_follow(scope_hosts(v_scope));
    INSERT INTO audit (at, actor, request_id, verb, kind, project, name)
    VALUES (v_now, p_actor, p_request, p_verb, initcap(v_level), '', v_name);
    PERFORM rate_event(v_scope, p_reason, p_message, p_actor);
    RETURN true;
END $$;

-- Takes a constraint back. False when there is none in force.
CREATE OR REPLACE FUNCTION rate_unconstrain_1(
    p_id uuid, p_reason text, p_message text, p_actor text, p_request text, p_verb text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_ended rate_constraint;
    v_scope document;
BEGIN
    UPDATE rate_constraint SET ended_at = v_now
    WHERE id = p_id AND ended_at IS NULL AND coalesce(expires_at > v_now, true) RETURNING * INTO v_ended;
    IF NOT FOUND THEN RETURN false; END IF;
    SELECT * INTO v_scope FROM document WHERE uid = v_ended.scope;
    PERFORM rates_follow(scope_hosts(v_ended.scope));
    INSERT INTO audit (at, actor, request_id, verb, kind, project, name)
    VALUES (v_now, p_actor, p_request, p_verb, v_scope.kind, '', v_scope.name);
    PERFORM rate_event(v_ended.scope, p_reason, 
                       format('%s by %s is taken back: %s', v_ended.verb, v_ended.author, p_message), p_actor);
    RETURN true;
END $$;

-- What came of decisions.
CREATE OR REPLACE FUNCTION rate_outcome_1(p_cell text, p_token bigint, p_outcomes jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lease_check(p_cell, p_token);
    UPDATE rate_decision d SET realized = o.value FROM jsonb_each(p_outcomes) o
    WHERE d.id = o.key::uuid AND d.cell = p_cell;
END $$;
