CREATE OR REPLACE FUNCTION pattern_covers(p_pattern text, p_name text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN right(p_pattern, 1) = '*' THEN starts_with(p_name, left(p_pattern, -1))
                ELSE p_name = p_pattern END
$$;

CREATE OR REPLACE FUNCTION session_join_1(
    p_token_hash text, p_session uuid, p_name text, p_substrate text, p_hosts text[], p_credential_hash text
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_token join_token;
    v_stray text;
BEGIN
    SELECT * INTO v_token FROM join_token WHERE secret_hash = p_token_hash FOR UPDATE;
    IF NOT FOUND THEN PERFORM refuse('BA013', 'the join token is not known'); END IF;
    IF v_token.spent_by IS NOT NULL THEN PERFORM refuse('BA013', 'the join token was used already'); END IF;
    IF v_token.expires_at <= basalt_now() THEN PERFORM refuse('BA013', 'the join token has expired'); END IF;
    SELECT h INTO v_stray FROM unnest(p_hosts) h WHERE NOT pattern_covers(v_token.host_pattern, h) ORDER BY h LIMIT 1;
    IF FOUND THEN
        PERFORM refuse('BA013', format('the join token covers hosts "%s", not "%s"', v_token.host_pattern, v_stray));
    END IF;
    IF EXISTS (SELECT 1 FROM agent_session WHERE id = p_session OR credential_hash = p_credential_hash) THEN
        PERFORM refuse('BA013', 'the session exists');
    END IF;
    UPDATE join_token SET spent_by = p_session WHERE secret_hash = p_token_hash;
    INSERT INTO agent_session (id, name, cell, pool, substrate, host_pattern, credential_hash, created_at)
    VALUES (p_session, p_name, v_token.cell, v_token.pool, p_substrate, v_token.host_pattern, p_credential_hash,
            basalt_now());
    INSERT INTO audit (at, actor, verb, kind, name)
    VALUES (basalt_now(), 'agent/' || p_session, 'join', 'Token', p_name);
END $$;

DO $$ BEGIN
    CREATE TYPE seen_part AS (
        n bigint, round bigint, host_name text, host uuid, cell text, allocation uuid, state text, message text,
        directive jsonb
    );
EXCEPTION WHEN duplicate_object THEN NULL; END $$;

-- Writes down that a session was refused: about each name once.
CREATE OR REPLACE FUNCTION session_refused(
    p_session uuid, p_names text[], p_messages text[], p_verb text, p_reason text
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO audit (at, actor, verb, kind, name)
    SELECT basalt_now(), 'agent/' || p_session, p_verb, 'Host', r.name
    FROM unnest(p_names) WITH ORDINALITY r (name, n) ORDER BY r.n;
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    SELECT basalt_now(), 'Host', r.name, coalesce(d.uid, no_uid()), p_reason, r.message, 'agent/' || p_session
    FROM unnest(p_names, p_messages) WITH ORDINALITY r (name, message, n)
    LEFT JOIN document d ON d.kind = 'Host' AND d.project = '' AND d.name = r.name
    ORDER BY r.n;
$$;

-- Reads the parts of a report in order. Parts of one round do not touch each other, so a round is a few
-- statements; a part that was named before, or that may be quarantined, begins a new one.
CREATE OR REPLACE FUNCTION parts_seen(p_session uuid, p_parts jsonb) RETURNS seen_part[] LANGUAGE sql STABLE AS $$
    WITH part AS (
        SELECT e.n, v, h.name, h.host, h.cell, (v ->> 'allocation')::uuid AS allocation,
            CASE jsonb_typeof(v -> 'directive') WHEN 'object' THEN v -> 'directive' END AS directive
        FROM jsonb_array_elements(p_parts) WITH ORDINALITY e (v, n)
        LEFT JOIN host_ledger h ON h.name = v ->> 'host' AND h.session = p_session
    ), told AS (
        SELECT p.*, row_number() OVER (PARTITION BY p.allocation ORDER BY n) > 1 AS again,
            directive IS NOT NULL AND NOT EXISTS (SELECT 1 FROM allocation a WHERE a.id = p.allocation) AS lost
        FROM part p
    ), broken AS (
        SELECT t.*, (again OR lost OR lag(lost, 1, false) OVER (ORDER BY n))::int AS breaks FROM told t
    )
    SELECT array_agg(ROW (n, sum, v ->> 'host', host, cell, allocation, v ->> 'state',
                          concat_ws(', ', v ->> 'message', 'exit code ' || (v ->> 'exitCode')),
                          directive)::seen_part ORDER BY n)
    FROM (SELECT b.*, sum(breaks) OVER (ORDER BY n) FROM broken b) r
$$;

-- Refuses parts that contradict the ledger, as it is before them.
CREATE OR REPLACE FUNCTION parts_refused(p_parts seen_part[])
RETURNS TABLE (n bigint, host text, allocation uuid, reason text, message text) LANGUAGE sql STABLE AS $$
    SELECT p.n, p.host_name, p.allocation, 'AllocationGone', CASE
        WHEN a.id IS NULL THEN 'the allocation is not known'
        WHEN a.host <> p.host THEN 'the allocation is on another host'
        ELSE 'runs on ' || p.host_name || ' although its allocation is released' END
    FROM unnest(p_parts) p LEFT JOIN allocation a ON a.id = p.allocation
    WHERE (a.id IS NULL AND p.directive IS NULL) OR a.host <> p.host
       OR (a.state = 'released' AND p.state IN ('starting', 'running'))
$$;

-- Runs without being in the ledger: it holds room even past the limit, and nobody stops it on a suspicion.
-- Devices that others hold stay with them.
CREATE OR REPLACE FUNCTION parts_quarantine(p_parts seen_part[], p_source text) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_made allocation[];
BEGIN
    WITH made AS (
        INSERT INTO allocation (id, workload_kind, workload, project, name, part, cell, host, class, cpu, mem,
                                devices, state, quarantined, on_partition, created_at)
        SELECT p.allocation, directive #>> '{workload,kind}', (directive #>> '{workload,uid}')::uuid,
            directive #>> '{workload,project}', directive #>> '{workload,name}', directive #>> '{workload,part}',
            p.cell, p.host, 'standard', (directive #>> '{resources,milliCPU}')::bigint,
            (directive #>> '{resources,memoryMiB}')::bigint,
            ARRAY(SELECT v.uuid FROM jsonb_array_elements_text(directive -> 'devices') u
                  JOIN device v ON v.uuid = u AND v.host = p.host
                  WHERE NOT EXISTS (SELECT 1 FROM allocation_device t
                                    WHERE t.device = v.uuid AND t.state <> 'released')
                  ORDER BY v.uuid COLLATE "C"),
            'active', true, directive ->> 'onPartition', basalt_now()
        FROM unnest(p_parts) p
        WHERE p.state IN ('starting', 'running') AND p.directive IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM allocation a WHERE a.id = p.allocation)
        RETURNING *
    )
    SELECT array_agg(m::allocation) INTO v_made FROM made m;
    IF v_made IS NULL THEN RETURN '{}'; END IF;
    INSERT INTO allocation_device (allocation, device, state)
    SELECT m.id, unnest(m.devices), 'active' FROM unnest(v_made) m;
    PERFORM host_charge(v_made, 1);
    -- A project may have no document: what was found running counts all the same.
    INSERT INTO quota_usage AS q (project, resource, used)
    SELECT t.project, t.resource, t.amount FROM quota_sums(v_made) t
    ON CONFLICT (project, resource) DO UPDATE SET used = q.used + excluded.used;
    PERFORM allocation_changes(v_made, 'created');
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    SELECT basalt_now(), m.workload_kind, m.project, m.name, m.workload, 'Quarantined',
        'found on ' || p.host_name || ' without an allocation', p_source
    FROM unnest(v_made) m JOIN unnest(p_parts) p ON p.allocation = m.id ORDER BY p.n;
    RETURN ARRAY(SELECT DISTINCT m.host FROM unnest(v_made) m);
END $$;

CREATE OR REPLACE FUNCTION parts_start(p_parts seen_part[], p_source text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_started allocation[];
BEGIN
    WITH started AS (
        UPDATE allocation a SET state = 'active' FROM unnest(p_parts) p
        WHERE a.id = p.allocation AND p.host = a.host AND p.state = 'running' AND a.state = 'reserved'
        RETURNING a.*
    )
    SELECT array_agg(s::allocation) INTO v_started FROM started s;
    IF v_started IS NOT NULL THEN
        UPDATE allocation_device t SET state = 'active'
        WHERE t.allocation IN (SELECT s.id FROM unnest(v_started) s WHERE cardinality(s.devices) > 0);
        PERFORM allocation_changes(v_started, 'updated');
        INSERT INTO event (at, kind, project, name, uid, reason, message, source)
        SELECT basalt_now(), s.workload_kind, s.project, s.name, s.workload, 'Running', 'runs on ' || p.host_name,
            p_source
        FROM unnest(v_started) s JOIN unnest(p_parts) p ON p.allocation = s.id ORDER BY p.n;
    END IF;
    -- It runs on capacity that others may hold by now: somebody has to look.
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    SELECT basalt_now(), a.workload_kind, a.project, a.name, a.workload, 'AllocationGone',
        'runs on ' || p.host_name || ' although its allocation is released', p_source
    FROM unnest(p_parts) p JOIN allocation a ON a.id = p.allocation
    WHERE p.host = a.host AND p.state = 'running' AND a.state = 'released'
    ORDER BY p.n;
END $$;

CREATE OR REPLACE FUNCTION parts_end(p_parts seen_part[], p_source text) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_ended record;
BEGIN
    SELECT array_agg(a.id ORDER BY p.n) AS ids, array_agg(DISTINCT a.host) AS hosts,
        array_agg(CASE WHEN p.state = 'failed' THEN 'StartFailed' WHEN a.state = 'releasing' THEN 'Released'
                       ELSE 'Exited' END ORDER BY p.n) AS reasons,
        array_agg(p.message ORDER BY p.n) AS messages
    INTO v_ended
    FROM unnest(p_parts) p JOIN allocation a ON a.id = p.allocation
    WHERE p.host = a.host AND p.state IN ('stopped', 'failed') AND a.state <> 'released';
    IF v_ended.ids IS NULL THEN RETURN '{}'; END IF;
    PERFORM allocation_release(v_ended.ids, v_ended.reasons, v_ended.messages, p_source);
    RETURN v_ended.hosts;
END $$;

-- Moves allocations to what an agent saw of them, part by part in order. The caller has locked the session.
-- Answers refused parts.
CREATE OR REPLACE FUNCTION session_parts(p_session uuid, p_parts jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_source text := 'agent/' || p_session;
    v_parts seen_part[];
    v_round seen_part[];
    v_refused jsonb := '[]';
    v_found jsonb;
    v_changed uuid[] := '{}';
BEGIN
    IF jsonb_array_length(p_parts) = 0 THEN RETURN '[]'; END IF;
    PERFORM 1 FROM host_ledger h
    WHERE h.session = p_session AND h.name IN (SELECT v ->> 'host' FROM jsonb_array_elements(p_parts) v)
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
        v_changed := v_changed || parts_quarantine(v_round, v_source);
        PERFORM parts_start(v_round, v_source);
        v_changed := v_changed || parts_end(v_round, v_source);
    END LOOP;
    IF v_changed <> '{}' THEN
        UPDATE host_ledger SET assignment = assignment + 1 WHERE host = ANY (v_changed);
    END IF;
    RETURN (SELECT coalesce(jsonb_agg(r - 'n' ORDER BY (r ->> 'n')::bigint), '[]')
            FROM jsonb_array_elements(v_refused) r);
END $$;

CREATE OR REPLACE FUNCTION session_report_1(
    p_session uuid, p_incarnation bigint, p_sequence bigint, p_parts jsonb, p_unreachable text[]
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_session agent_session;
    v_repeat boolean;
BEGIN
    SELECT * INTO v_session FROM agent_session WHERE id = p_session FOR NO KEY UPDATE;
    IF NOT FOUND THEN PERFORM refuse('BA013', 'the session is not known'); END IF;
    IF v_session.incarnation <> p_incarnation THEN PERFORM refuse('BA012', v_session.incarnation::text); END IF;
    v_repeat := p_sequence <= v_session.sequence;
    UPDATE agent_session SET renewed_at = basalt_now(), sequence = greatest(sequence, p_sequence)
    WHERE id = p_session;
    -- A host keeps the renewal it had when its session stopped reaching it.
    IF cardinality(p_unreachable) > 0 OR EXISTS (
        SELECT 1 FROM host_ledger WHERE session = p_session AND unreachable) THEN
        UPDATE host_ledger SET unreachable = name = ANY (p_unreachable),
            renewed_at = CASE WHEN name = ANY (p_unreachable) THEN v_session.renewed_at END
        WHERE session = p_session AND unreachable <> (name = ANY (p_unreachable));
    END IF;
    IF v_repeat THEN RETURN '[]'; END IF;
    RETURN session_parts(p_session, p_parts);
END $$;
