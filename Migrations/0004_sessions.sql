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
    UPDATE join_token SET spent_by = p_session WHERE secret_hash = p_token_hash;
    INSERT INTO agent_session (id, name, cell, pool, substrate, host_pattern, credential_hash, created_at)
    VALUES (p_session, p_name, v_token.cell, v_token.pool, p_substrate, v_token.host_pattern, p_credential_hash,
            basalt_now());
    INSERT INTO audit (at, actor, verb, name) VALUES (basalt_now(), 'agent/' || p_name, 'join', p_session::text);
END $$;

-- Moves allocations to what an agent saw of them. The caller has locked the session. Answers refused parts.
CREATE OR REPLACE FUNCTION session_parts(p_session agent_session, p_parts jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_refused jsonb;
BEGIN
    IF jsonb_array_length(p_parts) = 0 THEN RETURN '[]'; END IF;
    PERFORM 1 FROM host_ledger h
    WHERE h.session = p_session.id AND h.name IN (SELECT v ->> 'host' FROM jsonb_array_elements(p_parts) v)
    ORDER BY h.host FOR NO KEY UPDATE;

    CREATE TEMPORARY TABLE IF NOT EXISTS seen_part (
        n bigint, host_name text, host uuid, allocation uuid, state text, message text, exit_code text,
        directive jsonb, known text, known_host uuid
    ) ON COMMIT DELETE ROWS;
    DELETE FROM seen_part;
    INSERT INTO seen_part
    SELECT e.n, v ->> 'host', h.host, (v ->> 'allocation')::uuid, v ->> 'state', v ->> 'message', v ->> 'exitCode',
        CASE jsonb_typeof(v -> 'directive') WHEN 'object' THEN v -> 'directive' END, a.state, a.host
    FROM jsonb_array_elements(p_parts) WITH ORDINALITY e (v, n)
    LEFT JOIN host_ledger h ON h.name = v ->> 'host' AND h.session = p_session.id
    LEFT JOIN allocation a ON a.id = (v ->> 'allocation')::uuid;

    -- Runs without being in the ledger: it consumes capacity, and nobody stops it on a suspicion.
    INSERT INTO allocation (id, workload_kind, workload, project, name, part, cell, host, class, cpu, mem, devices,
                            state, quarantined, on_partition, created_at)
    SELECT DISTINCT ON (p.allocation) p.allocation, p.directive #>> '{workload,kind}',
        (p.directive #>> '{workload,uid}')::uuid, p.directive #>> '{workload,project}',
        p.directive #>> '{workload,name}', (p.directive #>> '{workload,part}') || '#' || p.allocation,
        p_session.cell, p.host, 'guaranteed', (p.directive #>> '{resources,milliCPU}')::bigint,
        (p.directive #>> '{resources,memoryMiB}')::bigint,
        '{}', 'active', true, p.directive ->> 'onPartition', v_now
    FROM seen_part p
    WHERE p.host IS NOT NULL AND p.known IS NULL AND p.state IN ('starting', 'running') AND p.directive IS NOT NULL;
    UPDATE host_ledger h SET cpu_guaranteed = h.cpu_guaranteed + t.cpu, mem_used = h.mem_used + t.mem,
        assignment = h.assignment + 1
    FROM (SELECT a.host, sum(a.cpu) AS cpu, sum(a.mem) AS mem FROM seen_part p
          JOIN allocation a ON a.id = p.allocation AND a.quarantined AND p.known IS NULL GROUP BY a.host) t
    WHERE h.host = t.host;
    INSERT INTO change (xid, seq, floor, at, change, kind, uid, project, name, cell, host)
    SELECT pg_current_xact_id(), nextval('change_seq'), pg_snapshot_xmin(pg_current_snapshot()), v_now, 'created',
        'Allocation', a.id, a.project, a.name, a.cell, a.host
    FROM seen_part p JOIN allocation a ON a.id = p.allocation AND a.quarantined WHERE p.known IS NULL ORDER BY p.n;
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    SELECT v_now, a.workload_kind, a.project, a.name, a.workload, 'Quarantined',
        format('runs on %s without an allocation; it keeps its capacity until an operator decides', p.host_name),
        'agent/' || p_session.name
    FROM seen_part p JOIN allocation a ON a.id = p.allocation AND a.quarantined WHERE p.known IS NULL ORDER BY p.n;

    -- Started.
    WITH started AS (
        UPDATE allocation a SET state = 'active' FROM seen_part p
        WHERE a.id = p.allocation AND p.host = a.host AND p.state = 'running' AND a.state = 'reserved'
        RETURNING a.*, p.host_name
    ), devices AS (
        UPDATE allocation_device t SET state = 'active' FROM started s WHERE t.allocation = s.id
    ), changes AS (
        INSERT INTO change (xid, seq, floor, at, change, kind, uid, project, name, cell, host)
        SELECT pg_current_xact_id(), nextval('change_seq'), pg_snapshot_xmin(pg_current_snapshot()), v_now,
            'updated', 'Allocation', id, project, name, cell, host
        FROM started
    )
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    SELECT v_now, workload_kind, project, name, workload, 'Running', 'runs on ' || host_name,
        'agent/' || p_session.name
    FROM started;

    -- Runs although released: said, not acted on.
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    SELECT v_now, a.workload_kind, a.project, a.name, a.workload, 'ReportRefused',
        format('reported running on %s although released', p.host_name), 'agent/' || p_session.name
    FROM seen_part p JOIN allocation a ON a.id = p.allocation
    WHERE p.host = a.host AND p.state = 'running' AND p.known = 'released';

    -- Ended.
    PERFORM allocation_release(array_agg(a.id ORDER BY a.id),
        array_agg(CASE WHEN p.state = 'failed' THEN 'StartFailed' WHEN a.state = 'releasing' THEN 'Released'
                       ELSE 'Exited' END ORDER BY a.id),
        array_agg(coalesce(p.message, CASE WHEN p.state = 'failed' THEN 'failed on ' ELSE 'stopped on ' END
                           || p.host_name) ORDER BY a.id),
        'agent/' || p_session.name)
    FROM (SELECT DISTINCT ON (allocation) * FROM seen_part ORDER BY allocation, n DESC) p
    JOIN allocation a ON a.id = p.allocation
    WHERE p.host = a.host AND p.state IN ('stopped', 'failed') AND a.state <> 'released'
    HAVING count(*) > 0;

    SELECT coalesce(jsonb_agg(jsonb_build_object('host', host_name, 'allocation', allocation, 'reason', reason,
                                                 'message', message) ORDER BY n), '[]') INTO v_refused
    FROM (
        SELECT n, host_name, allocation,
            CASE WHEN host IS NULL OR known_host <> host THEN 'ReportRefused' ELSE 'AllocationGone' END AS reason,
            CASE WHEN host IS NULL THEN 'the session does not hold the host'
                 WHEN known_host <> host THEN 'the allocation is on another host'
                 WHEN known IS NULL THEN 'the allocation is not known'
                 ELSE 'the allocation is released' END AS message
        FROM seen_part
        WHERE host IS NULL OR known_host <> host
           OR (known IS NULL AND NOT (state IN ('starting', 'running') AND directive IS NOT NULL)
               AND state NOT IN ('stopped', 'failed'))
           OR (known = 'released' AND state = 'running')
    ) r;
    INSERT INTO audit (at, actor, verb, kind, name)
    SELECT v_now, 'agent/' || p_session.name, 'report-refused', 'Host', host_name
    FROM seen_part WHERE host IS NULL;
    RETURN v_refused;
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
    RETURN session_parts(v_session, p_parts);
END $$;

-- Status of a host's document.
CREATE OR REPLACE FUNCTION host_status(p_host host_ledger, p_reason text, p_message text, p_at timestamptz)
RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_strip_nulls(jsonb_build_object('inventory', p_host.inventory, 'contact', p_host.contact,
        'session', p_host.session)) || jsonb_build_object('conditions', jsonb_build_array(jsonb_build_object(
            'type', 'Ready', 'status', CASE p_host.contact WHEN 'Ready' THEN 'True' WHEN 'Suspect' THEN 'Unknown'
                ELSE 'False' END,
            'reason', p_reason, 'message', p_message,
            'lastTransitionTime', to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))))
$$;

-- Writes the status of host documents that moved, with feed entry and event. `p_quiet` writes no event.
CREATE OR REPLACE FUNCTION host_moved(p_hosts uuid[], p_reason text, p_message text, p_source text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
BEGIN
    WITH written AS (
        UPDATE document w SET status = host_status(h, p_reason, p_message, v_now), rv_xid = pg_current_xact_id(),
            rv_seq = nextval('change_seq')
        FROM host_ledger h WHERE w.uid = h.host AND h.host = ANY (p_hosts)
        RETURNING w.uid, w.name, w.cell, w.rv_xid, w.rv_seq
    ), changes AS (
        INSERT INTO change (xid, seq, floor, at, change, kind, uid, name, cell)
        SELECT rv_xid, rv_seq, pg_snapshot_xmin(pg_current_snapshot()), v_now, 'updated', 'Host', uid, name, cell
        FROM written
    )
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    SELECT v_now, 'Host', name, uid, p_reason, p_message, p_source FROM written ORDER BY uid;
END $$;

-- Starts an incarnation. `p_hosts`: [{uid, name, inventory, devices, parts}], the uid for a host that is new.
CREATE OR REPLACE FUNCTION session_hello_1(p_session uuid, p_hosts jsonb, p_lease interval)
RETURNS TABLE (o_incarnation bigint, o_epoch bigint, o_refused jsonb) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_session agent_session;
    v_refused jsonb;
    v_new jsonb;
    v_moved uuid[];
BEGIN
    UPDATE agent_session SET incarnation = incarnation + 1, sequence = 0, renewed_at = v_now WHERE id = p_session
    RETURNING * INTO v_session;
    IF NOT FOUND THEN PERFORM refuse('BA013', 'the session is not known'); END IF;

    CREATE TEMPORARY TABLE IF NOT EXISTS hello_host (
        name text PRIMARY KEY, uid uuid, inventory jsonb, parts jsonb, reason text, message text, existing uuid
    ) ON COMMIT DELETE ROWS;
    DELETE FROM hello_host;
    INSERT INTO hello_host (name, uid, inventory, parts)
    SELECT v ->> 'name', (v ->> 'uid')::uuid, v -> 'inventory', v -> 'parts' FROM jsonb_array_elements(p_hosts) v
    ON CONFLICT DO NOTHING;
    PERFORM 1 FROM host_ledger h JOIN hello_host n ON n.name = h.name ORDER BY h.host FOR NO KEY UPDATE OF h;
    UPDATE hello_host n SET existing = d.uid FROM document d
    WHERE d.kind = 'Host' AND d.project = '' AND d.name = n.name;

    UPDATE hello_host n SET reason = 'ClaimRefused',
        message = format('the credential covers hosts "%s"', v_session.host_pattern)
    WHERE NOT pattern_covers(v_session.host_pattern, n.name);
    UPDATE hello_host n SET reason = 'ClaimRefused',
        message = format('the host belongs to pool %s of cell %s', h.pool, h.cell)
    FROM host_ledger h WHERE h.host = n.existing AND (h.cell, h.pool) <> (v_session.cell, v_session.pool)
        AND n.reason IS NULL;
    UPDATE hello_host n SET reason = 'ClaimRefused', message = format('session %s holds the host', s.name)
    FROM host_ledger h JOIN agent_session s ON s.id = h.session
    WHERE h.host = n.existing AND s.id <> p_session AND n.reason IS NULL
        AND CASE WHEN h.unreachable THEN h.renewed_at ELSE s.renewed_at END > v_now - p_lease;
    UPDATE hello_host n SET reason = 'ClaimRefused', message = format('device %s belongs to another host', t.uuid)
    FROM (SELECT m.name, v.uuid FROM hello_host m, jsonb_array_elements(m.inventory -> 'devices') e
          JOIN device v ON v.uuid = e ->> 'uuid' WHERE v.host IS DISTINCT FROM m.existing) t
    WHERE t.name = n.name AND n.reason IS NULL;

    SELECT jsonb_agg(jsonb_build_object('uid', uid, 'kind', 'Host', 'project', '', 'name', name, 'labels', '{}'::jsonb,
        'annotations', '{}'::jsonb, 'finalizers', '[]'::jsonb,
        'spec', jsonb_build_object('cell', v_session.cell, 'pool', v_session.pool),
        'status', '{}'::jsonb) ORDER BY name) INTO v_new
    FROM hello_host WHERE existing IS NULL AND reason IS NULL;
    IF v_new IS NOT NULL THEN
        PERFORM document_create_1(v_new, 'agent/' || v_session.name, NULL, 'join');
        UPDATE hello_host SET existing = uid WHERE existing IS NULL AND reason IS NULL;
    END IF;

    WITH facts AS (
        SELECT n.existing AS host, n.inventory AS i, d.labels AS own FROM hello_host n
        JOIN document d ON d.uid = n.existing WHERE n.reason IS NULL
    ), moved AS (
        UPDATE host_ledger h SET inventory = f.i, zone = coalesce(f.i #>> '{domain,zone}', ''),
            rack = coalesce(f.i #>> '{domain,rack}', ''), substrate = f.i ->> 'substrate',
            labels = coalesce(f.i -> 'labels', '{}') || f.own,
            cpu_total = (f.i #>> '{capacity,milliCPU}')::bigint, mem_total = (f.i #>> '{capacity,memoryMiB}')::bigint,
            cpu_reserved = (f.i #>> '{reserved,milliCPU}')::bigint,
            mem_reserved = (f.i #>> '{reserved,memoryMiB}')::bigint,
            session = p_session, unreachable = false, renewed_at = NULL, contact = 'Ready', contact_at = v_now,
            generation = h.generation + 1
        FROM facts f WHERE h.host = f.host
            AND (h.inventory <> f.i OR h.session IS DISTINCT FROM p_session OR h.contact <> 'Ready')
        RETURNING h.host
    )
    SELECT array_agg(host) INTO v_moved FROM moved;
    IF v_moved IS NOT NULL THEN
        DELETE FROM device v WHERE v.host = ANY (v_moved) AND NOT EXISTS (
            SELECT 1 FROM hello_host n, jsonb_array_elements(n.inventory -> 'devices') e
            WHERE n.existing = v.host AND e ->> 'uuid' = v.uuid);
        INSERT INTO device (uuid, host, facts)
        SELECT e ->> 'uuid', n.existing, e FROM hello_host n, jsonb_array_elements(n.inventory -> 'devices') e
        WHERE n.existing = ANY (v_moved)
        ON CONFLICT (uuid) DO UPDATE SET facts = excluded.facts;
        PERFORM host_moved(v_moved, 'HostReady', 'carried by session ' || v_session.name,
                           'agent/' || v_session.name);
    END IF;

    INSERT INTO event (at, kind, name, uid, reason, message, source)
    SELECT v_now, 'Host', n.name, n.existing, 'ClaimRefused', 'session ' || v_session.name || ' refused: ' || n.message,
        'agent/' || v_session.name
    FROM hello_host n WHERE n.reason IS NOT NULL AND n.existing IS NOT NULL;
    INSERT INTO audit (at, actor, verb, kind, name)
    SELECT v_now, 'agent/' || v_session.name, 'claim-refused', 'Host', n.name FROM hello_host n
    WHERE n.reason IS NOT NULL ORDER BY n.name;
    SELECT coalesce(jsonb_agg(jsonb_build_object('name', name, 'reason', reason, 'message', message) ORDER BY name),
                    '[]') INTO v_refused
    FROM hello_host WHERE reason IS NOT NULL;

    PERFORM session_parts(v_session, coalesce((
        SELECT jsonb_agg(p) FROM hello_host n, jsonb_array_elements(n.parts) p WHERE n.reason IS NULL), '[]'));
    RETURN QUERY SELECT v_session.incarnation, (SELECT epoch FROM cluster), v_refused;
END $$;

-- Moves hosts whose lease ran out, and those that came back.
CREATE OR REPLACE FUNCTION host_judge_1(
    p_cell text, p_token bigint, p_lease interval, p_fenced_after interval, p_breaker double precision
) RETURNS TABLE (o_suspected uuid[], o_fenced uuid[], o_returned uuid[], o_tripped text[]) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_quarantine boolean;
    v_suspect uuid[];
    v_fence uuid[];
    v_return uuid[];
    v_tripped text[];
BEGIN
    PERFORM lease_check(p_cell, p_token);
    PERFORM control_pulse_1(p_lease);
    SELECT coalesce(quarantine_until > v_now, false) INTO v_quarantine FROM cluster;

    WITH silence AS (
        SELECT h.host, h.zone, h.contact, h.contact_at,
            v_now - CASE WHEN h.unreachable THEN h.renewed_at ELSE s.renewed_at END AS silent
        FROM host_ledger h JOIN agent_session s ON s.id = h.session WHERE h.cell = p_cell
    ), tripped AS (
        SELECT zone FROM silence GROUP BY zone
        HAVING count(*) FILTER (WHERE (contact = 'Ready' AND silent > p_lease)
                                OR (contact = 'Suspect' AND contact_at > v_now - interval '60 seconds'
                                    AND silent > p_lease))
               > greatest(p_breaker * count(*), 2)
    )
    SELECT array_agg(host ORDER BY host) FILTER (WHERE contact = 'Ready' AND silent > p_lease
                AND zone NOT IN (SELECT zone FROM tripped)),
        array_agg(host ORDER BY host) FILTER (WHERE contact = 'Suspect' AND silent > p_fenced_after
                AND zone NOT IN (SELECT zone FROM tripped) AND NOT v_quarantine),
        array_agg(host ORDER BY host) FILTER (WHERE contact <> 'Ready' AND silent <= p_lease),
        (SELECT array_agg(zone ORDER BY zone) FROM tripped)
    INTO v_suspect, v_fence, v_return, v_tripped FROM silence;

    IF coalesce(v_suspect, v_fence, v_return) IS NOT NULL THEN
        PERFORM 1 FROM host_ledger h WHERE h.host = ANY (coalesce(v_suspect, '{}') || coalesce(v_fence, '{}')
            || coalesce(v_return, '{}')) ORDER BY h.host FOR NO KEY UPDATE;
        UPDATE host_ledger SET contact = 'Suspect', contact_at = v_now, generation = generation + 1
        WHERE host = ANY (v_suspect);
        UPDATE host_ledger SET contact = 'Fenced', contact_at = v_now, generation = generation + 1
        WHERE host = ANY (v_fence);
        UPDATE host_ledger SET contact = 'Ready', contact_at = v_now, generation = generation + 1
        WHERE host = ANY (v_return);
        PERFORM host_moved(v_suspect, 'HostSuspect', format('no renewal for %s s', extract(epoch FROM p_lease)), 'hosts')
        WHERE v_suspect IS NOT NULL;
        PERFORM host_moved(v_fence, 'HostFenced',
            format('no renewal for %s s: its stop workloads have stopped', extract(epoch FROM p_fenced_after)), 'hosts')
        WHERE v_fence IS NOT NULL;
        PERFORM host_moved(v_return, 'HostReturned', 'renews again', 'hosts') WHERE v_return IS NOT NULL;
    END IF;
    -- Said once per trip: not again while the last word on the cell is less than a minute old.
    IF v_tripped IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM event WHERE at > v_now - interval '60 seconds' AND reason = 'BreakerTripped' AND name = p_cell
    ) THEN
        INSERT INTO event (at, kind, name, uid, reason, message, source)
        SELECT v_now, 'Cell', p_cell, d.uid, 'BreakerTripped',
            format('over %s %% of failure domain %s went silent within a minute: no host of it is suspected or '
                   'fenced until a human looks', round(p_breaker * 100), array_to_string(v_tripped, ', ')), 'hosts'
        FROM document d WHERE d.kind = 'Cell' AND d.project = '' AND d.name = p_cell;
    END IF;
    RETURN QUERY SELECT coalesce(v_suspect, '{}'), coalesce(v_fence, '{}'), coalesce(v_return, '{}'),
        coalesce(v_tripped, '{}');
END $$;

-- Frees what certainly no longer runs on a fenced host; `p_everything` when an operator vouches for the rest.
CREATE OR REPLACE FUNCTION host_release_fenced_1(
    p_cell text, p_token bigint, p_host uuid, p_everything boolean, p_actor text, p_request text, p_verb text
) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_host host_ledger;
    v_ids uuid[];
BEGIN
    PERFORM lease_check(p_cell, p_token);
    SELECT * INTO v_host FROM host_ledger WHERE host = p_host FOR NO KEY UPDATE;
    IF NOT FOUND THEN PERFORM refuse('BA004', json_build_object('kind', 'Host', 'name', p_host)::text); END IF;
    IF v_host.contact <> 'Fenced' AND NOT p_everything THEN RETURN '{}'; END IF;
    SELECT array_agg(id ORDER BY id) INTO v_ids FROM allocation
    WHERE host = p_host AND state <> 'released' AND (p_everything OR on_partition = 'stop');
    IF v_ids IS NULL THEN RETURN '{}'; END IF;
    PERFORM allocation_release(v_ids, array_fill('HostFenced'::text, ARRAY[cardinality(v_ids)]),
        array_fill('host ' || v_host.name || ' is fenced', ARRAY[cardinality(v_ids)]), p_actor);
    INSERT INTO audit (at, actor, request_id, verb, kind, name)
    VALUES (basalt_now(), p_actor, p_request, p_verb, 'Host', v_host.name);
    RETURN v_ids;
END $$;

CREATE OR REPLACE FUNCTION epoch_raise_1(p_quarantine interval) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_epoch bigint;
BEGIN
    UPDATE cluster SET epoch = epoch + 1, quarantine_until = basalt_now() + p_quarantine RETURNING epoch INTO v_epoch;
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    VALUES (basalt_now(), 'Cell', 'cluster', gen_random_uuid(), 'EpochRaised', 'epoch ' || v_epoch, 'operator');
    RETURN v_epoch;
END $$;
