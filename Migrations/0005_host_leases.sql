-- What a contact means, as conditions and events say it.
CREATE OR REPLACE FUNCTION contact_words(p_contact text)
RETURNS TABLE (status text, reason text, event text, sentence text) LANGUAGE sql IMMUTABLE AS $$
    SELECT w.status, w.reason, w.event, w.sentence FROM (VALUES
        ('Ready', 'True', 'HostReady', 'HostReturned', 'the session renews the host''s lease'),
        ('Suspect', 'Unknown', 'HostSuspect', 'HostSuspect', 'the host''s lease ran out'),
        ('Fenced', 'False', 'HostFenced', 'HostFenced', 'workloads with onPartition stop have stopped by now')
    ) w (contact, status, reason, event, sentence) WHERE w.contact = p_contact
$$;

-- Conditions with the Ready one replaced; its transition time moves only when its status does.
CREATE OR REPLACE FUNCTION host_conditions(p_before jsonb, p_contact text, p_at timestamptz) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    WITH next AS (
        SELECT jsonb_build_object('type', 'Ready', 'status', w.status, 'reason', w.reason,
            'message', w.sentence, 'lastTransitionTime', rfc3339(p_at)) AS c
        FROM contact_words(p_contact) w
    ), kept AS (
        SELECT b.c, n FROM jsonb_array_elements(coalesce(p_before, '[]')) WITH ORDINALITY b (c, n)
    )
    SELECT coalesce((
        SELECT jsonb_agg(CASE WHEN k.c ->> 'type' <> 'Ready' THEN k.c
            WHEN k.c ->> 'status' = next.c ->> 'status'
            THEN next.c || jsonb_build_object('lastTransitionTime', k.c -> 'lastTransitionTime')
            ELSE next.c END ORDER BY n) FROM kept k, next), '[]')
        || CASE WHEN EXISTS (SELECT 1 FROM kept k WHERE k.c ->> 'type' = 'Ready') THEN '[]'
           ELSE (SELECT jsonb_build_array(next.c) FROM next) END
$$;

CREATE OR REPLACE FUNCTION host_status(
    p_before jsonb, p_inventory jsonb, p_contact text, p_session uuid, p_at timestamptz
) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('inventory', p_inventory, 'contact', p_contact,
            'conditions', host_conditions(p_before -> 'conditions', p_contact, p_at))
        || CASE WHEN p_session IS NULL THEN '{}' ELSE jsonb_build_object('session', p_session) END
$$;

-- Brings the status of host documents to what their ledger rows say, with an entry in the feed where it moved.
CREATE OR REPLACE FUNCTION host_documents(p_hosts uuid[]) RETURNS void LANGUAGE sql AS $$
    WITH next AS (
        SELECT h.host, host_status(d.status, h.inventory, h.contact, h.session, basalt_now()) AS status
        FROM host_ledger h JOIN document d ON d.uid = h.host WHERE h.host = ANY (p_hosts)
    ), written AS (
        UPDATE document w SET status = n.status, rv_xid = pg_current_xact_id(), rv_seq = nextval('change_seq')
        FROM next n WHERE w.uid = n.host AND w.status <> n.status
        RETURNING w.uid, w.name, w.cell, w.rv_xid, w.rv_seq
    )
    INSERT INTO change (xid, seq, floor, at, change, kind, uid, name, cell)
    SELECT rv_xid, rv_seq, pg_snapshot_xmin(pg_current_snapshot()), basalt_now(), 'updated', 'Host', uid, name, cell
    FROM written
$$;

-- Last renewal of a host; null while no session ever held it.
CREATE OR REPLACE FUNCTION host_renewed(p_host host_ledger, p_session_renewed_at timestamptz)
RETURNS timestamptz LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_host.session IS NULL OR p_host.unreachable THEN p_host.renewed_at
        ELSE p_session_renewed_at END
$$;

DO $$ BEGIN
    CREATE TYPE hello_host AS (
        n bigint, name text, host uuid, known boolean, inventory jsonb, refusal text
    );
EXCEPTION WHEN duplicate_object THEN NULL; END $$;

-- Refuses hosts that name a device of another host: of one that keeps it, or of one named before. What an
-- earlier host of the hello no longer names is free for later ones.
CREATE OR REPLACE FUNCTION hello_devices(p_hosts hello_host[]) RETURNS hello_host[] LANGUAGE plpgsql AS $$
DECLARE
    v_hosts hello_host[] := p_hosts;
    v_refused jsonb;
BEGIN
    LOOP
        WITH claim AS MATERIALIZED (
            SELECT h.n, h.host, e ->> 'uuid' AS device
            FROM unnest(v_hosts) h CROSS JOIN LATERAL jsonb_array_elements(h.inventory -> 'devices') e
            WHERE h.refusal IS NULL
        ), held AS (
            SELECT c.n, c.device FROM claim c JOIN device v ON v.uuid = c.device AND v.host <> c.host
            LEFT JOIN unnest(v_hosts) o ON o.host = v.host AND o.refusal IS NULL
            WHERE o.n IS NULL OR o.n > c.n
        ), first AS (
            SELECT device, min(n) AS n FROM claim GROUP BY device HAVING count(*) > 1
        ), later AS (
            SELECT c.n, c.device, f.n AS before FROM claim c JOIN first f USING (device) WHERE c.n > f.n
        ), conflict AS (
            SELECT n, device FROM held
            UNION ALL
            -- Only behind hosts that are accepted for certain; the others are judged again without the refused.
            SELECT n, device FROM later
            WHERE NOT EXISTS (SELECT 1 FROM held) AND before NOT IN (SELECT n FROM later)
        )
        SELECT jsonb_object_agg(n, device) INTO v_refused
        FROM (SELECT n, min(device) AS device FROM conflict GROUP BY n) c;
        EXIT WHEN v_refused IS NULL;
        v_hosts := ARRAY(
            SELECT ROW (h.n, h.name, h.host, h.known, h.inventory, coalesce(h.refusal,
                'device ' || (v_refused ->> h.n::text) || ' is in another host'))::hello_host
            FROM unnest(v_hosts) h ORDER BY h.n);
    END LOOP;
    RETURN v_hosts;
END $$;

-- The hosts of a hello in order, each with why the session may not carry it, or null.
CREATE OR REPLACE FUNCTION hello_claims(p_session agent_session, p_hosts jsonb, p_lease interval)
RETURNS hello_host[] LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_floor timestamptz := (SELECT lease_floor FROM control_pulse);
    v_gone text;
BEGIN
    IF (SELECT count(*) FROM (
            SELECT 1 FROM document d
            WHERE d.project = '' AND d.deletion_at IS NULL
              AND (d.kind, d.name) IN (('Cell', p_session.cell), ('Pool', p_session.pool))
            FOR KEY SHARE) found) < 2 THEN
        v_gone := format('cell %s or pool %s is gone', p_session.cell, p_session.pool);
    END IF;
    RETURN hello_devices(ARRAY(
        SELECT ROW (e.n, v ->> 'name', coalesce(d.uid, (v ->> 'uid')::uuid), d.uid IS NOT NULL, v -> 'inventory',
            CASE WHEN NOT pattern_covers(p_session.host_pattern, v ->> 'name')
                THEN 'the session covers ' || p_session.host_pattern
            WHEN v_gone IS NOT NULL THEN v_gone
            WHEN row_number() OVER (PARTITION BY v ->> 'name' ORDER BY e.n) > 1 THEN 'the host is named twice'
            WHEN (h.cell, h.pool) <> (p_session.cell, p_session.pool)
                THEN format('the host belongs to %s/%s', h.cell, h.pool)
            WHEN h.session <> p_session.id
                AND host_renewed(h, s.renewed_at) IS NOT NULL
                AND v_now - greatest(host_renewed(h, s.renewed_at), v_floor) <= p_lease
                THEN format('session %s holds the host', h.session)
            WHEN (SELECT count(*) <> count(DISTINCT u ->> 'uuid')
                  FROM jsonb_array_elements(v #> '{inventory,devices}') u) THEN 'a device is named twice'
            END)::hello_host
        FROM jsonb_array_elements(p_hosts) WITH ORDINALITY e (v, n)
        LEFT JOIN document d ON d.kind = 'Host' AND d.project = '' AND d.name = v ->> 'name'
        LEFT JOIN host_ledger h ON h.host = d.uid
        LEFT JOIN agent_session s ON s.id = h.session
        ORDER BY e.n));
END $$;

-- Makes documents of hosts that nobody knew.
CREATE OR REPLACE FUNCTION hello_join(p_session agent_session, p_hosts hello_host[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_source text := 'agent/' || p_session.id;
BEGIN
    IF p_hosts = '{}' THEN RETURN; END IF;
    PERFORM document_create_1((
        SELECT jsonb_agg(jsonb_build_object('uid', host, 'kind', 'Host', 'project', '', 'name', name,
            'labels', '{}'::jsonb, 'annotations', '{}'::jsonb, 'finalizers', '[]'::jsonb,
            'spec', jsonb_build_object('cell', p_session.cell, 'pool', p_session.pool),
            'status', host_status('{}', inventory, 'Ready', p_session.id, v_now)) ORDER BY n)
        FROM unnest(p_hosts)), v_source, NULL, 'hello');
    UPDATE host_ledger SET session = p_session.id WHERE host IN (SELECT h.host FROM unnest(p_hosts) h);
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    SELECT v_now, 'Host', name, host, 'HostJoined', 'joined with session ' || p_session.name, v_source
    FROM unnest(p_hosts) ORDER BY n;
END $$;

-- Takes over what an agent found on hosts that are known. The ledger's generation moves only with inventory and
-- contact; what is allocated stays allocated, even past the new limits.
CREATE OR REPLACE FUNCTION hello_refresh(p_session agent_session, p_hosts hello_host[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_returned uuid[];
    v_source text := 'agent/' || p_session.id;
BEGIN
    v_returned := ARRAY(SELECT n.host FROM unnest(p_hosts) n JOIN host_ledger h ON h.host = n.host
                        WHERE h.contact <> 'Ready' ORDER BY n.n);
    DELETE FROM device v USING unnest(p_hosts) n, host_ledger h
    WHERE v.host = n.host AND h.host = n.host AND h.inventory <> n.inventory AND NOT EXISTS (
        SELECT 1 FROM jsonb_array_elements(n.inventory -> 'devices') e WHERE e ->> 'uuid' = v.uuid);
    INSERT INTO device (uuid, host, facts)
    SELECT e ->> 'uuid', n.host, e FROM unnest(p_hosts) n JOIN host_ledger h ON h.host = n.host
    CROSS JOIN LATERAL jsonb_array_elements(n.inventory -> 'devices') e
    WHERE h.inventory <> n.inventory
    ON CONFLICT (uuid) DO UPDATE SET facts = excluded.facts;
    UPDATE host_ledger h SET inventory = n.inventory, zone = n.inventory #>> '{domain,zone}',
        rack = n.inventory #>> '{domain,rack}', substrate = n.inventory ->> 'substrate',
        labels = (n.inventory -> 'labels') || d.labels,
        cpu_total = (n.inventory #>> '{capacity,milliCPU}')::bigint,
        mem_total = (n.inventory #>> '{capacity,memoryMiB}')::bigint,
        cpu_reserved = (n.inventory #>> '{reserved,milliCPU}')::bigint,
        mem_reserved = (n.inventory #>> '{reserved,memoryMiB}')::bigint,
        session = p_session.id, unreachable = false, renewed_at = NULL, contact = 'Ready',
        generation = h.generation + (h.inventory <> n.inventory OR h.contact <> 'Ready')::int
    FROM unnest(p_hosts) n JOIN document d ON d.uid = n.host
    WHERE h.host = n.host AND (h.inventory <> n.inventory OR h.session IS DISTINCT FROM p_session.id
                               OR h.contact <> 'Ready' OR h.unreachable);
    PERFORM host_documents(ARRAY(SELECT n.host FROM unnest(p_hosts) n));
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    SELECT basalt_now(), 'Host', n.name, n.host, w.event, w.sentence, v_source
    FROM unnest(p_hosts) n, contact_words('Ready') w WHERE n.host = ANY (v_returned) ORDER BY n.n;
END $$;

-- Starts an incarnation. `p_hosts`: [{uid, name, inventory, parts}], the uid for a host that is new.
CREATE OR REPLACE FUNCTION session_hello_1(p_session uuid, p_hosts jsonb, p_lease interval)
RETURNS TABLE (o_incarnation bigint, o_epoch bigint, o_refused jsonb) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_renewed timestamptz;
    v_session agent_session;
    v_hosts hello_host[];
    v_left uuid[];
BEGIN
    SELECT renewed_at INTO v_renewed FROM agent_session WHERE id = p_session FOR NO KEY UPDATE;
    IF NOT FOUND THEN PERFORM refuse('BA013', 'the session is not known'); END IF;
    UPDATE agent_session SET incarnation = incarnation + 1, sequence = 0, renewed_at = v_now WHERE id = p_session
    RETURNING * INTO v_session;
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    VALUES (v_now, 'Cell', v_session.cell, cell_uid(v_session.cell),
            CASE v_session.incarnation WHEN 1 THEN 'AgentJoined' ELSE 'AgentRestarted' END,
            format('session %s starts incarnation %s', v_session.name, v_session.incarnation),
            'agent/' || p_session);
    PERFORM 1 FROM host_ledger h
    WHERE h.session = p_session OR h.host IN (
        SELECT d.uid FROM document d WHERE d.kind = 'Host' AND d.project = ''
          AND d.name IN (SELECT v ->> 'name' FROM jsonb_array_elements(p_hosts) v))
    ORDER BY h.host FOR NO KEY UPDATE;

    v_hosts := hello_claims(v_session, p_hosts, p_lease);
    PERFORM session_refused(p_session, array_agg(name ORDER BY n), array_agg(refusal ORDER BY n), 'hello',
                            'ClaimRefused')
    FROM unnest(v_hosts) WHERE refusal IS NOT NULL HAVING count(*) > 0;
    -- Devices that a known host gives up may go to one that is new.
    PERFORM hello_refresh(v_session, ARRAY(
        SELECT h FROM unnest(v_hosts) h WHERE h.refusal IS NULL AND h.known ORDER BY h.n));
    PERFORM hello_join(v_session, ARRAY(
        SELECT h FROM unnest(v_hosts) h WHERE h.refusal IS NULL AND NOT h.known ORDER BY h.n));

    -- A hello names every host that the session carries: the leases of the others run out by themselves.
    WITH gone AS (
        UPDATE host_ledger h SET session = NULL, unreachable = false,
            renewed_at = CASE WHEN h.unreachable THEN h.renewed_at ELSE v_renewed END
        WHERE h.session = p_session
          AND h.host NOT IN (SELECT n.host FROM unnest(v_hosts) n WHERE n.refusal IS NULL)
        RETURNING h.host
    )
    SELECT array_agg(host) INTO v_left FROM gone;
    PERFORM host_documents(v_left);
    -- Parts that are refused here are not in the answer: the agent hears of them at its next report.
    PERFORM session_parts(p_session, (
        SELECT coalesce(jsonb_agg(p ORDER BY e.n, x.n), '[]')
        FROM jsonb_array_elements(p_hosts) WITH ORDINALITY e (v, n)
        CROSS JOIN LATERAL jsonb_array_elements(v -> 'parts') WITH ORDINALITY x (p, n)));
    RETURN QUERY SELECT v_session.incarnation, (SELECT epoch FROM cluster), (
        SELECT coalesce(jsonb_agg(jsonb_build_object('name', name, 'reason', 'ClaimRefused', 'message', refusal)
                                  ORDER BY n), '[]')
        FROM unnest(v_hosts) WHERE refusal IS NOT NULL);
END $$;

-- Where the contact of each host of a cell goes by its lease alone; null where it stays. The floor lengthens a
-- lease, but only a renewal brings a host back.
CREATE OR REPLACE FUNCTION host_judged(p_cell text, p_lease interval, p_fenced_after interval)
RETURNS TABLE (host uuid, zone text, suspected_at timestamptz, next text) LANGUAGE sql VOLATILE AS $$
    WITH pulse AS MATERIALIZED (SELECT basalt_now() AS now, lease_floor FROM control_pulse)
    SELECT h.host, h.zone, h.suspected_at, CASE WHEN r.at IS NULL THEN NULL
        WHEN h.contact <> 'Ready' AND p.now - r.at <= p_lease THEN 'Ready'
        WHEN h.contact = 'Ready' AND p.now - greatest(r.at, p.lease_floor) > p_lease THEN 'Suspect'
        WHEN h.contact = 'Suspect' AND p.now - greatest(r.at, p.lease_floor) > p_fenced_after THEN 'Fenced' END
    FROM host_ledger h LEFT JOIN agent_session s ON s.id = h.session
    CROSS JOIN LATERAL (SELECT host_renewed(h, s.renewed_at) AS at) r CROSS JOIN pulse p
    WHERE h.cell = p_cell
$$;

-- Zones of a cell in which too many hosts were lost within a minute. An event marks each beginning.
CREATE OR REPLACE FUNCTION breaker_zones(p_cell text, p_zones text[], p_lost bigint[], p_hosts bigint[])
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM tripped_domain WHERE cell = p_cell AND zone <> ALL (p_zones);
    WITH begun AS (
        INSERT INTO tripped_domain (cell, zone) SELECT p_cell, unnest(p_zones) ON CONFLICT DO NOTHING
        RETURNING zone
    )
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    SELECT basalt_now(), 'Cell', p_cell, cell_uid(p_cell), 'BreakerTripped',
        format('%s of %s hosts of zone "%s" lost within a minute', t.lost, t.hosts, t.zone), 'hosts'
    FROM unnest(p_zones, p_lost, p_hosts) t (zone, lost, hosts) JOIN begun USING (zone) ORDER BY t.zone;
END $$;

-- Moves hosts to a contact, in rows and documents, with events.
CREATE OR REPLACE FUNCTION host_move(p_hosts uuid[], p_contact text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_hosts = '{}' THEN RETURN; END IF;
    UPDATE host_ledger SET contact = p_contact, generation = generation + 1,
        suspected_at = CASE WHEN p_contact = 'Suspect' THEN basalt_now() ELSE suspected_at END
    WHERE host = ANY (p_hosts);
    PERFORM host_documents(p_hosts);
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    SELECT basalt_now(), 'Host', h.name, h.host, w.event, w.sentence, 'hosts'
    FROM host_ledger h, contact_words(p_contact) w WHERE h.host = ANY (p_hosts) ORDER BY h.host;
END $$;

-- Moves hosts whose lease ran out, and those that came back: one step per host. A host that no session ever held
-- is not judged. `p_window`: how long a lost host counts; `p_fewest`: fewer never trip.
CREATE OR REPLACE FUNCTION host_judge_1(
    p_cell text, p_token bigint, p_lease interval, p_fenced_after interval, p_breaker double precision,
    p_window interval, p_fewest bigint
) RETURNS TABLE (o_suspected uuid[], o_fenced uuid[], o_returned uuid[], o_tripped text[]) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_quarantine boolean;
    v_lost record;
    v_moves record;
BEGIN
    PERFORM lease_check(p_cell, p_token);
    PERFORM control_pulse_1();
    SELECT coalesce(quarantine_until > v_now, false) INTO v_quarantine FROM cluster;
    WITH judged AS (SELECT * FROM host_judged(p_cell, p_lease, p_fenced_after)),
    domain AS (
        SELECT zone COLLATE "C" AS zone, count(*) AS hosts,
            count(*) FILTER (WHERE v_now - suspected_at <= p_window OR next = 'Suspect') AS lost
        FROM judged GROUP BY 1
    )
    SELECT coalesce(array_agg(zone ORDER BY zone), '{}') AS zones, array_agg(lost ORDER BY zone) AS lost,
        array_agg(hosts ORDER BY zone) AS hosts
    INTO v_lost FROM domain WHERE lost >= p_fewest AND lost > p_breaker * hosts;
    PERFORM breaker_zones(p_cell, v_lost.zones, v_lost.lost, v_lost.hosts);

    -- Judged again behind the locks: a report may have come in between.
    PERFORM 1 FROM host_ledger h
    WHERE h.host IN (SELECT host FROM host_judged(p_cell, p_lease, p_fenced_after) WHERE next IS NOT NULL)
    ORDER BY h.host FOR NO KEY UPDATE;
    SELECT coalesce(array_agg(host ORDER BY host) FILTER (
            WHERE next = 'Suspect' AND zone <> ALL (v_lost.zones)), '{}') AS suspect,
        coalesce(array_agg(host ORDER BY host) FILTER (
            WHERE next = 'Fenced' AND zone <> ALL (v_lost.zones) AND NOT v_quarantine), '{}') AS fence,
        coalesce(array_agg(host ORDER BY host) FILTER (WHERE next = 'Ready'), '{}') AS back
    INTO v_moves FROM host_judged(p_cell, p_lease, p_fenced_after);
    PERFORM host_move(v_moves.suspect, 'Suspect');
    PERFORM host_move(v_moves.fence, 'Fenced');
    PERFORM host_move(v_moves.back, 'Ready');
    RETURN QUERY SELECT v_moves.suspect, v_moves.fence, v_moves.back, v_lost.zones;
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
    SELECT * INTO v_host FROM host_ledger WHERE host = p_host AND cell = p_cell FOR NO KEY UPDATE;
    IF NOT FOUND THEN PERFORM refuse('BA004', json_build_object('kind', 'Host', 'name', p_host)::text); END IF;
    IF v_host.contact <> 'Fenced' AND NOT p_everything THEN RETURN '{}'; END IF;
    SELECT array_agg(id ORDER BY id) INTO v_ids FROM allocation
    WHERE host = p_host AND state <> 'released' AND (p_everything OR on_partition = 'stop');
    IF v_ids IS NULL THEN RETURN '{}'; END IF;
    PERFORM allocation_release(v_ids, array_fill('HostFenced'::text, ARRAY[cardinality(v_ids)]),
        array_fill(v_host.name || ' is fenced', ARRAY[cardinality(v_ids)]), p_actor);
    UPDATE host_ledger SET assignment = assignment + 1 WHERE host = p_host;
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
    VALUES (basalt_now(), 'Cell', 'cluster', cell_uid('cluster'), 'EpochRaised', 'the epoch is ' || v_epoch,
            'operator');
    RETURN v_epoch;
END $$;
