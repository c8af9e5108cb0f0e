-- Healing: the pulse follows the host lease, a breaker that stays until it is answered, bulk absence that is
-- held, copies of released parts that are stopped, and restores that stop and start nothing by mistake.

-- Longest silence of all controllers that host leases are judged through.
ALTER TABLE control_pulse ADD COLUMN IF NOT EXISTS gap interval NOT NULL DEFAULT '10 seconds';
-- How long absence stops nothing after a restore that was found out, and when the epoch was raised last.
ALTER TABLE cluster ADD COLUMN IF NOT EXISTS quarantine interval NOT NULL DEFAULT '10 minutes';
ALTER TABLE cluster ADD COLUMN IF NOT EXISTS raised_at timestamptz;
-- Epoch of the session's last hello: what it runs is known in that epoch only.
ALTER TABLE agent_session ADD COLUMN IF NOT EXISTS epoch bigint;
UPDATE agent_session SET epoch = (SELECT c.epoch FROM cluster c) WHERE epoch IS NULL;
ALTER TABLE agent_session ALTER COLUMN epoch SET DEFAULT 1, ALTER COLUMN epoch SET NOT NULL;
-- Why the host is not fenced until it returns or a person confirms its loss.
ALTER TABLE host_ledger ADD COLUMN IF NOT EXISTS held text;
-- A person confirmed that the host is lost: neither breaker nor hold apply until it returns.
ALTER TABLE host_ledger ADD COLUMN IF NOT EXISTS loss_confirmed boolean NOT NULL DEFAULT false;
ALTER TABLE tripped_domain ADD COLUMN IF NOT EXISTS at timestamptz;
ALTER TABLE tripped_domain ADD COLUMN IF NOT EXISTS lost bigint NOT NULL DEFAULT 0;
ALTER TABLE tripped_domain ADD COLUMN IF NOT EXISTS hosts bigint NOT NULL DEFAULT 0;

-- Cells in which allocations from before the epoch are not listed to agents yet.
CREATE TABLE IF NOT EXISTS quarantined_cell (cell text PRIMARY KEY);
-- Parts that run although their allocation is released: their agent is told to stop them.
CREATE TABLE IF NOT EXISTS stray_part (
    allocation uuid PRIMARY KEY,
    host       uuid NOT NULL REFERENCES host_ledger (host) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS stray_part_host ON stray_part (host);
CREATE INDEX IF NOT EXISTS allocation_quarantined ON allocation (workload, part)
    WHERE quarantined AND state <> 'released';

-- As before, but for a gap that follows the host lease.
CREATE OR REPLACE FUNCTION control_pulse_1() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_last timestamptz;
    v_gap interval;
BEGIN
    SELECT at, gap INTO v_last, v_gap FROM control_pulse;
    -- Often enough to see a gap, and no more often: it is a row that every controller writes.
    IF v_last > v_now - least(interval '1 second', v_gap / 4) THEN RETURN; END IF;
    SELECT at INTO v_last FROM control_pulse FOR NO KEY UPDATE;
    IF v_last < v_now - v_gap THEN
        UPDATE control_pulse SET lease_floor = v_now;
        INSERT INTO event (at, kind, name, uid, reason, message, source)
        SELECT v_now, 'Cell', l.cell, cell_uid(l.cell), 'LeaseExtended',
            format('no controller could commit since %s; host leases count from now', rfc3339(v_last)), 'control'
        FROM cell_lease l ORDER BY l.cell;
    END IF;
    UPDATE control_pulse SET at = v_now WHERE at < v_now;
END $$;

-- Conditions with one replaced; its transition time moves only when its status does.
CREATE OR REPLACE FUNCTION condition_set(p_before jsonb, p_condition jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    WITH kept AS (
        SELECT b.c, n FROM jsonb_array_elements(coalesce(p_before, '[]')) WITH ORDINALITY b (c, n)
    )
    SELECT coalesce((
        SELECT jsonb_agg(CASE WHEN c ->> 'type' <> p_condition ->> 'type' THEN c
            WHEN c ->> 'status' = p_condition ->> 'status'
            THEN p_condition || jsonb_build_object('lastTransitionTime', c -> 'lastTransitionTime')
            ELSE p_condition END ORDER BY n) FROM kept), '[]')
        || CASE WHEN EXISTS (SELECT 1 FROM kept WHERE c ->> 'type' = p_condition ->> 'type') THEN '[]'::jsonb
           ELSE jsonb_build_array(p_condition) END
$$;

-- A host's conditions with the one that says whether its fencing is held; it appears with the first hold.
CREATE OR REPLACE FUNCTION host_held(p_conditions jsonb, p_held text, p_at timestamptz) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p_held IS NULL AND NOT p_conditions @> '[{"type": "Held"}]' THEN p_conditions
        ELSE condition_set(p_conditions, jsonb_build_object('type', 'Held',
            'status', CASE WHEN p_held IS NULL THEN 'False' ELSE 'True' END,
            'reason', CASE WHEN p_held IS NULL THEN 'HostReturned' ELSE 'InventoryShrank' END,
            'message', coalesce(p_held, 'nothing holds the fencing of the host'),
            'lastTransitionTime', rfc3339(p_at))) END
$$;

CREATE OR REPLACE FUNCTION host_documents(p_hosts uuid[]) RETURNS void LANGUAGE sql AS $$
    WITH told AS (
        SELECT h.host, h.held, host_status(d.status, h.inventory, h.contact, h.session, basalt_now()) AS status
        FROM host_ledger h JOIN document d ON d.uid = h.host WHERE h.host = ANY (p_hosts)
    ), next AS (
        SELECT host, status || jsonb_build_object('conditions',
            host_held(status -> 'conditions', held, basalt_now())) AS status FROM told
    ), written AS (
        UPDATE document w SET status = n.status, rv_xid = pg_current_xact_id(), rv_seq = nextval('change_seq')
        FROM next n WHERE w.uid = n.host AND w.status <> n.status
        RETURNING w.uid, w.name, w.cell, w.rv_xid, w.rv_seq
    )
    INSERT INTO change (xid, seq, floor, at, change, kind, uid, name, cell)
    SELECT rv_xid, rv_seq, pg_snapshot_xmin(pg_current_snapshot()), basalt_now(), 'updated', 'Host', uid, name, cell
    FROM written
$$;

-- Moves hosts to a contact, in rows and documents, with events. One that returns is neither held nor lost.
CREATE OR REPLACE FUNCTION host_move(p_hosts uuid[], p_contact text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_hosts = '{}' THEN RETURN; END IF;
    UPDATE host_ledger SET contact = p_contact, generation = generation + 1,
        held = CASE WHEN p_contact = 'Ready' THEN NULL ELSE held END,
        loss_confirmed = loss_confirmed AND p_contact <> 'Ready',
        suspected_at = CASE WHEN p_contact = 'Suspect' THEN basalt_now() ELSE suspected_at END
    WHERE host = ANY (p_hosts);
    PERFORM host_documents(p_hosts);
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    SELECT basalt_now(), 'Host', h.name, h.host, w.event, w.sentence, 'hosts'
    FROM host_ledger h, contact_words(p_contact) w WHERE h.host = ANY (p_hosts) ORDER BY h.host;
END $$;

-- Takes over what an agent found on hosts that are known. Devices that an allocation holds stay with their host
-- when the agent no longer finds them: absence takes nothing away.
CREATE OR REPLACE FUNCTION hello_refresh(p_session agent_session, p_hosts hello_host[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_returned uuid[];
    v_source text := 'agent/' || p_session.id;
BEGIN
    v_returned := ARRAY(SELECT n.host FROM unnest(p_hosts) n JOIN host_ledger h ON h.host = n.host
                        WHERE h.contact <> 'Ready' ORDER BY n.n);
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    SELECT basalt_now(), 'Host', n.name, n.host, 'DevicesMissing',
        format('%s devices that allocations hold are not found any more', count(*)), v_source
    FROM unnest(p_hosts) n JOIN host_ledger h ON h.host = n.host AND h.inventory <> n.inventory
    JOIN device v ON v.host = n.host
    WHERE NOT n.inventory -> 'devices' @> jsonb_build_array(jsonb_build_object('uuid', v.uuid))
      AND EXISTS (SELECT 1 FROM allocation_device t WHERE t.device = v.uuid AND t.state <> 'released')
    GROUP BY n.n, n.name, n.host ORDER BY n.n;
    DELETE FROM device v USING unnest(p_hosts) n, host_ledger h
    WHERE v.host = n.host AND h.host = n.host AND h.inventory <> n.inventory AND NOT EXISTS (
        SELECT 1 FROM jsonb_array_elements(n.inventory -> 'devices') e WHERE e ->> 'uuid' = v.uuid)
      AND NOT EXISTS (SELECT 1 FROM allocation_device t WHERE t.device = v.uuid AND t.state <> 'released');
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
        held = NULL, loss_confirmed = false,
        generation = h.generation + (h.inventory <> n.inventory OR h.contact <> 'Ready')::int
    FROM unnest(p_hosts) n JOIN document d ON d.uid = n.host
    WHERE h.host = n.host AND (h.inventory <> n.inventory OR h.session IS DISTINCT FROM p_session.id
                               OR h.contact <> 'Ready' OR h.unreachable);
    PERFORM host_documents(ARRAY(SELECT n.host FROM unnest(p_hosts) n));
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    SELECT basalt_now(), 'Host', n.name, n.host, w.event, w.sentence, v_source
    FROM unnest(p_hosts) n, contact_words('Ready') w WHERE n.host = ANY (v_returned) ORDER BY n.n;
END $$;

-- Unbinds hosts that a hello no longer names: their leases run out by themselves. Many at once look like a fault
-- of the agent, so they are not fenced until they return or a person confirms.
CREATE OR REPLACE FUNCTION hello_leave(
    p_session agent_session, p_named uuid[], p_renewed timestamptz, p_shrink double precision, p_fewest bigint
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_left uuid[];
    v_carried bigint;
    v_held text;
BEGIN
    SELECT array_agg(host ORDER BY host) FILTER (WHERE host <> ALL (p_named)), count(*) INTO v_left, v_carried
    FROM host_ledger WHERE session = p_session.id;
    IF v_left IS NULL THEN RETURN; END IF;
    IF cardinality(v_left) >= p_fewest AND cardinality(v_left) > p_shrink * v_carried THEN
        v_held := format('session %s no longer names %s of %s hosts', p_session.name, cardinality(v_left), v_carried);
        INSERT INTO event (at, kind, name, uid, reason, message, source)
        SELECT basalt_now(), 'Host', h.name, h.host, 'InventoryShrank', v_held, 'agent/' || p_session.id
        FROM host_ledger h WHERE h.host = ANY (v_left) ORDER BY h.host;
    END IF;
    UPDATE host_ledger h SET session = NULL, unreachable = false, held = coalesce(v_held, h.held),
        renewed_at = CASE WHEN h.unreachable THEN h.renewed_at ELSE p_renewed END
    WHERE h.host = ANY (v_left);
    PERFORM host_documents(v_left);
END $$;

-- Starts an incarnation, as session_hello_1, for the epoch in force. `p_shrink`, `p_fewest`: what share of the
-- session's hosts, and how many, must be missing to be held.
CREATE OR REPLACE FUNCTION session_hello_2(
    p_session uuid, p_hosts jsonb, p_lease interval, p_shrink double precision, p_fewest bigint
) RETURNS TABLE (o_incarnation bigint, o_epoch bigint, o_refused jsonb) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_renewed timestamptz;
    v_session agent_session;
    v_hosts hello_host[];
BEGIN
    SELECT renewed_at INTO v_renewed FROM agent_session WHERE id = p_session FOR NO KEY UPDATE;
    IF NOT FOUND THEN PERFORM refuse('BA013', 'the session is not known'); END IF;
    UPDATE agent_session SET incarnation = incarnation + 1, sequence = 0, renewed_at = v_now,
        epoch = (SELECT c.epoch FROM cluster c)
    WHERE id = p_session RETURNING * INTO v_session;
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
    -- What leaves is counted before newcomers join.
    PERFORM hello_leave(v_session, ARRAY(SELECT host FROM unnest(v_hosts) WHERE refusal IS NULL), v_renewed,
                        p_shrink, p_fewest);
    -- Devices that a known host gives up may go to one that is new.
    PERFORM hello_refresh(v_session, ARRAY(
        SELECT h FROM unnest(v_hosts) h WHERE h.refusal IS NULL AND h.known ORDER BY h.n));
    PERFORM hello_join(v_session, ARRAY(
        SELECT h FROM unnest(v_hosts) h WHERE h.refusal IS NULL AND NOT h.known ORDER BY h.n));
    -- Parts that are refused here are not in the answer: the agent hears of them at its next report.
    PERFORM session_parts(p_session, (
        SELECT coalesce(jsonb_agg(p ORDER BY e.n, x.n), '[]')
        FROM jsonb_array_elements(p_hosts) WITH ORDINALITY e (v, n)
        CROSS JOIN LATERAL jsonb_array_elements(v -> 'parts') WITH ORDINALITY x (p, n)));
    RETURN QUERY SELECT v_session.incarnation, v_session.epoch, (
        SELECT coalesce(jsonb_agg(jsonb_build_object('name', name, 'reason', 'ClaimRefused', 'message', refusal)
                                  ORDER BY n), '[]')
        FROM unnest(v_hosts) WHERE refusal IS NOT NULL);
END $$;

-- For controllers of the version before, which know no bounds of absence.
CREATE OR REPLACE FUNCTION session_hello_1(p_session uuid, p_hosts jsonb, p_lease interval)
RETURNS TABLE (o_incarnation bigint, o_epoch bigint, o_refused jsonb) LANGUAGE sql AS $$
    SELECT * FROM session_hello_2(p_session, p_hosts, p_lease, 0.1, 3)
$$;

-- Copies that run although their allocation is released: begun, to be stopped; ended, to be forgotten. Answers
-- the hosts that hear something new.
CREATE OR REPLACE FUNCTION parts_stray(p_parts seen_part[], p_source text) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_begun uuid[];
    v_ended uuid[];
BEGIN
    WITH begun AS (
        INSERT INTO stray_part (allocation, host)
        SELECT a.id, a.host FROM unnest(p_parts) p JOIN allocation a ON a.id = p.allocation
        WHERE p.host = a.host AND p.state IN ('starting', 'running') AND a.state = 'released'
        ON CONFLICT DO NOTHING RETURNING allocation
    )
    SELECT coalesce(array_agg(allocation), '{}') INTO v_begun FROM begun;
    WITH ended AS (
        DELETE FROM stray_part s USING unnest(p_parts) p
        WHERE s.allocation = p.allocation AND s.host = p.host AND p.state IN ('stopped', 'failed')
        RETURNING s.allocation
    )
    SELECT coalesce(array_agg(allocation), '{}') INTO v_ended FROM ended;
    IF v_begun || v_ended = '{}' THEN RETURN '{}'; END IF;
    PERFORM allocation_changes(ARRAY(SELECT a FROM allocation a WHERE a.id = ANY (v_begun || v_ended)), 'updated');
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    SELECT basalt_now(), a.workload_kind, a.project, a.name, a.workload, 'Stopped',
        'the copy without an allocation has ended', p_source
    FROM allocation a WHERE a.id = ANY (v_ended) ORDER BY a.id;
    RETURN ARRAY(SELECT DISTINCT a.host FROM allocation a WHERE a.id = ANY (v_begun || v_ended));
END $$;

-- Hosts whose allocations were not listed because of a quarantined copy that has ended now.
CREATE OR REPLACE FUNCTION parts_unveil(p_parts seen_part[]) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_listed allocation[];
BEGIN
    v_listed := ARRAY(
        SELECT w FROM unnest(p_parts) p JOIN allocation q ON q.id = p.allocation
        JOIN allocation w ON w.workload = q.workload AND w.part = q.part AND NOT w.quarantined
        WHERE p.state IN ('stopped', 'failed') AND q.quarantined AND q.state = 'released'
          AND w.state IN ('reserved', 'active'));
    IF v_listed = '{}' THEN RETURN '{}'; END IF;
    PERFORM allocation_changes(v_listed, 'updated');
    RETURN ARRAY(SELECT DISTINCT host FROM unnest(v_listed));
END $$;

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
        v_changed := v_changed || parts_stray(v_round, v_source);
        v_changed := v_changed || parts_quarantine(v_round, v_source);
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

-- Whether an agent is not told of an allocation: after a restore, while others may yet report the same part, and
-- as long as a quarantined copy of the part runs. What runs goes on unlisted; nothing is started meanwhile.
CREATE OR REPLACE FUNCTION allocation_withheld(p_allocation allocation) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT p_allocation.state IN ('reserved', 'active') AND NOT p_allocation.quarantined AND (
        EXISTS (SELECT 1 FROM quarantined_cell q, cluster c
                WHERE q.cell = p_allocation.cell AND p_allocation.created_at < c.raised_at)
        OR EXISTS (SELECT 1 FROM allocation t
                   WHERE t.workload = p_allocation.workload AND t.part = p_allocation.part
                     AND t.quarantined AND t.state <> 'released'))
$$;

-- Where the contact of each host of a cell goes by its lease alone; null where it stays. A session renews for the
-- epoch of its hello alone: what it runs in a newer one is not known yet.
CREATE OR REPLACE FUNCTION host_judged_2(p_cell text, p_lease interval, p_fenced_after interval)
RETURNS TABLE (host uuid, zone text, is_ready boolean, suspected_at timestamptz, held boolean, confirmed boolean,
               next text) LANGUAGE sql VOLATILE AS $$
    WITH pulse AS MATERIALIZED (SELECT basalt_now() AS now, lease_floor FROM control_pulse)
    SELECT h.host, h.zone, h.contact = 'Ready', h.suspected_at, h.held IS NOT NULL, h.loss_confirmed,
        CASE WHEN r.at IS NULL THEN NULL
        WHEN h.contact <> 'Ready' AND p.now - r.at <= p_lease
            AND (s.id IS NULL OR s.epoch = (SELECT epoch FROM cluster)) THEN 'Ready'
        WHEN h.contact = 'Ready' AND p.now - greatest(r.at, p.lease_floor) > p_lease THEN 'Suspect'
        WHEN h.contact = 'Suspect' AND p.now - greatest(r.at, p.lease_floor) > p_fenced_after THEN 'Fenced' END
    FROM host_ledger h LEFT JOIN agent_session s ON s.id = h.session
    CROSS JOIN LATERAL (SELECT host_renewed(h, s.renewed_at) AS at) r CROSS JOIN pulse p
    WHERE h.cell = p_cell
$$;

-- Says in a cell's conditions whether the breaker holds the fencing of any of its zones.
CREATE OR REPLACE FUNCTION cell_healing(p_cell text) RETURNS void LANGUAGE sql AS $$
    WITH tripped AS (
        SELECT 'fencing is held: ' || string_agg(format('zone "%s" lost %s of %s hosts within a minute', zone, lost,
            hosts), '; ' ORDER BY zone COLLATE "C") AS message
        FROM tripped_domain WHERE cell = p_cell
    ), written AS (
        UPDATE document w SET rv_xid = pg_current_xact_id(), rv_seq = nextval('change_seq'),
            status = w.status || jsonb_build_object('conditions', condition_set(w.status -> 'conditions',
                jsonb_build_object('type', 'Healing',
                    'status', CASE WHEN t.message IS NULL THEN 'True' ELSE 'False' END,
                    'reason', CASE WHEN t.message IS NULL THEN 'BreakerCleared' ELSE 'BreakerTripped' END,
                    'message', coalesce(t.message, 'lost hosts are fenced when their time is over'),
                    'lastTransitionTime', rfc3339(basalt_now()))))
        FROM tripped t WHERE w.kind = 'Cell' AND w.project = '' AND w.name = p_cell
        RETURNING w.uid, w.name, w.cell, w.rv_xid, w.rv_seq
    )
    INSERT INTO change (xid, seq, floor, at, change, kind, uid, name, cell)
    SELECT rv_xid, rv_seq, pg_snapshot_xmin(pg_current_snapshot()), basalt_now(), 'updated', 'Cell', uid, name, cell
    FROM written
$$;

-- Zones of a cell whose fencing the breaker holds. One that begins or ends is told, with the cell's condition.
CREATE OR REPLACE FUNCTION breaker_zones_2(p_cell text, p_zones text[], p_lost bigint[], p_hosts bigint[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_moved bigint;
BEGIN
    WITH ended AS (
        DELETE FROM tripped_domain WHERE cell = p_cell AND zone <> ALL (p_zones) RETURNING zone
    ), begun AS (
        INSERT INTO tripped_domain (cell, zone, at, lost, hosts)
        SELECT p_cell, t.zone, basalt_now(), t.lost, t.hosts FROM unnest(p_zones, p_lost, p_hosts) t (zone, lost, hosts)
        ON CONFLICT DO NOTHING RETURNING zone, lost, hosts
    ), told AS (
        INSERT INTO event (at, kind, name, uid, reason, message, source)
        SELECT basalt_now(), 'Cell', p_cell, cell_uid(p_cell), t.reason, t.message, 'hosts' FROM (
            SELECT zone, 'BreakerCleared' AS reason,
                format('every lost host of zone "%s" is back or confirmed', zone) AS message FROM ended
            UNION ALL
            SELECT zone, 'BreakerTripped', format('%s of %s hosts of zone "%s" lost within a minute', lost, hosts, zone)
            FROM begun) t
        ORDER BY t.zone RETURNING 1
    )
    SELECT count(*) INTO v_moved FROM told;
    IF v_moved > 0 THEN PERFORM cell_healing(p_cell); END IF;
END $$;

-- Ends the time after a restore in which a cell's agents were told of new allocations alone.
CREATE OR REPLACE FUNCTION quarantine_end(p_cell text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_listed allocation[];
BEGIN
    DELETE FROM quarantined_cell WHERE cell = p_cell;
    IF NOT FOUND THEN RETURN; END IF;
    v_listed := ARRAY(
        SELECT a FROM allocation a
        WHERE a.cell = p_cell AND a.state IN ('reserved', 'active') AND NOT a.quarantined
          AND a.created_at < (SELECT raised_at FROM cluster));
    PERFORM 1 FROM host_ledger h WHERE h.host IN (SELECT host FROM unnest(v_listed))
    ORDER BY h.host FOR NO KEY UPDATE;
    UPDATE host_ledger SET assignment = assignment + 1 WHERE host IN (SELECT host FROM unnest(v_listed));
    PERFORM allocation_changes(v_listed, 'updated');
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    VALUES (basalt_now(), 'Cell', p_cell, cell_uid(p_cell), 'QuarantineEnded',
            'agents are told again of what was there before the epoch', 'hosts');
END $$;

-- As host_judge_1, but a silent host always becomes suspect, so that nothing is placed there; what breaker and
-- hold keep back is fencing, until the hosts return or a person confirms. `p_gap`: silence of all controllers
-- after which leases are extended.
CREATE OR REPLACE FUNCTION host_judge_2(
    p_cell text, p_token bigint, p_lease interval, p_fenced_after interval, p_gap interval,
    p_breaker double precision, p_window interval, p_fewest bigint
) RETURNS TABLE (o_suspected uuid[], o_fenced uuid[], o_returned uuid[], o_tripped text[]) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_quarantine boolean;
    v_lost record;
    v_moves record;
BEGIN
    PERFORM lease_check(p_cell, p_token);
    UPDATE control_pulse SET gap = p_gap WHERE gap <> p_gap;
    PERFORM control_pulse_1();
    SELECT coalesce(quarantine_until > v_now, false) INTO v_quarantine FROM cluster;
    IF NOT v_quarantine THEN PERFORM quarantine_end(p_cell); END IF;
    WITH judged AS (SELECT * FROM host_judged_2(p_cell, p_lease, p_fenced_after)),
    domain AS (
        SELECT zone COLLATE "C" AS zone, count(*) AS hosts,
            count(*) FILTER (WHERE NOT confirmed AND (next = 'Suspect' OR (
                NOT is_ready AND next IS DISTINCT FROM 'Ready' AND v_now - suspected_at <= p_window))) AS lost,
            count(*) FILTER (WHERE NOT confirmed AND suspected_at IS NOT NULL AND NOT is_ready
                             AND next IS DISTINCT FROM 'Ready') AS away
        FROM judged GROUP BY 1
    )
    SELECT coalesce(array_agg(zone ORDER BY zone), '{}') AS zones, array_agg(lost ORDER BY zone) AS lost,
        array_agg(hosts ORDER BY zone) AS hosts
    INTO v_lost FROM domain d WHERE (lost >= p_fewest AND lost > p_breaker * hosts)
        OR (away > 0 AND EXISTS (SELECT 1 FROM tripped_domain t WHERE t.cell = p_cell AND t.zone = d.zone));
    PERFORM breaker_zones_2(p_cell, v_lost.zones, v_lost.lost, v_lost.hosts);

    -- Judged again behind the locks: a report may have come in between.
    PERFORM 1 FROM host_ledger h
    WHERE h.host IN (SELECT host FROM host_judged_2(p_cell, p_lease, p_fenced_after) WHERE next IS NOT NULL)
    ORDER BY h.host FOR NO KEY UPDATE;
    SELECT coalesce(array_agg(host ORDER BY host) FILTER (WHERE next = 'Suspect'), '{}') AS suspect,
        coalesce(array_agg(host ORDER BY host) FILTER (
            WHERE next = 'Fenced' AND NOT v_quarantine
              AND (confirmed OR (zone <> ALL (v_lost.zones) AND NOT held))), '{}') AS fence,
        coalesce(array_agg(host ORDER BY host) FILTER (WHERE next = 'Ready'), '{}') AS back
    INTO v_moves FROM host_judged_2(p_cell, p_lease, p_fenced_after);
    PERFORM host_move(v_moves.suspect, 'Suspect');
    PERFORM host_move(v_moves.fence, 'Fenced');
    PERFORM host_move(v_moves.back, 'Ready');
    RETURN QUERY SELECT v_moves.suspect, v_moves.fence, v_moves.back, v_lost.zones;
END $$;

-- For controllers of the version before.
CREATE OR REPLACE FUNCTION host_judge_1(
    p_cell text, p_token bigint, p_lease interval, p_fenced_after interval, p_breaker double precision,
    p_window interval, p_fewest bigint
) RETURNS TABLE (o_suspected uuid[], o_fenced uuid[], o_returned uuid[], o_tripped text[]) LANGUAGE sql AS $$
    SELECT * FROM host_judge_2(p_cell, p_token, p_lease, p_fenced_after, least(interval '10 seconds', p_lease / 3),
                               p_breaker, p_window, p_fewest)
$$;

-- A person confirms that the silent hosts of a zone are lost: they are fenced when their time is over.
CREATE OR REPLACE FUNCTION breaker_reset_1(p_cell text, p_zone text, p_actor text, p_request text, p_verb text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_confirmed uuid[];
BEGIN
    v_confirmed := ARRAY(
        SELECT host FROM host_ledger
        WHERE cell = p_cell AND zone = p_zone AND contact <> 'Ready' AND NOT loss_confirmed
        ORDER BY host FOR NO KEY UPDATE);
    IF NOT EXISTS (SELECT 1 FROM tripped_domain WHERE cell = p_cell AND zone = p_zone)
        AND NOT EXISTS (SELECT 1 FROM host_ledger WHERE host = ANY (v_confirmed) AND held IS NOT NULL) THEN
        PERFORM refuse('BA004', json_build_object('kind', 'Cell', 'name', p_cell || '/' || p_zone)::text);
    END IF;
    UPDATE host_ledger SET loss_confirmed = true, suspected_at = NULL, held = NULL WHERE host = ANY (v_confirmed);
    PERFORM host_documents(v_confirmed);
    DELETE FROM tripped_domain WHERE cell = p_cell AND zone = p_zone;
    IF FOUND THEN PERFORM cell_healing(p_cell); END IF;
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    VALUES (basalt_now(), 'Cell', p_cell, cell_uid(p_cell), 'BreakerReset',
            format('%s silent hosts of zone "%s" are confirmed lost', cardinality(v_confirmed), p_zone), p_actor);
    INSERT INTO audit (at, actor, request_id, verb, kind, name)
    VALUES (basalt_now(), p_actor, p_request, p_verb, 'Cell', p_cell);
    RETURN cardinality(v_confirmed);
END $$;

-- As host_release_fenced_1; a suspect host whose end an operator vouches for is fenced from then on.
CREATE OR REPLACE FUNCTION host_release_fenced_2(
    p_cell text, p_token bigint, p_host uuid, p_everything boolean, p_actor text, p_request text, p_verb text
) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_host host_ledger;
BEGIN
    PERFORM lease_check(p_cell, p_token);
    SELECT * INTO v_host FROM host_ledger WHERE host = p_host AND cell = p_cell FOR NO KEY UPDATE;
    IF NOT FOUND THEN PERFORM refuse('BA004', json_build_object('kind', 'Host', 'name', p_host)::text); END IF;
    IF p_everything AND v_host.contact <> 'Ready' THEN
        UPDATE host_ledger SET loss_confirmed = true, held = NULL WHERE host = p_host;
        IF v_host.contact = 'Suspect' THEN
            PERFORM host_move(ARRAY[p_host], 'Fenced');
        ELSE
            PERFORM host_documents(ARRAY[p_host]);
        END IF;
    END IF;
    RETURN host_release_fenced_1(p_cell, p_token, p_host, p_everything, p_actor, p_request, p_verb);
END $$;

-- Takes a quarantined allocation over as the writer of its workload; `p_draft` makes the workload's document
-- where there is none.
CREATE OR REPLACE FUNCTION allocation_adopt_1(
    p_id uuid, p_draft jsonb, p_actor text, p_request text, p_verb text
) RETURNS SETOF allocation LANGUAGE plpgsql AS $$
DECLARE
    v_found allocation;
    v_writer uuid;
    v_name text;
BEGIN
    SELECT h.name INTO v_name FROM host_ledger h
    WHERE h.host = (SELECT a.host FROM allocation a WHERE a.id = p_id) FOR NO KEY UPDATE;
    SELECT * INTO v_found FROM allocation WHERE id = p_id AND state <> 'released' FOR NO KEY UPDATE;
    IF NOT FOUND THEN PERFORM refuse('BA004', json_build_object('kind', 'Allocation', 'name', p_id)::text); END IF;
    IF NOT v_found.quarantined THEN
        RETURN NEXT v_found;
        RETURN;
    END IF;
    SELECT a.id INTO v_writer FROM allocation a
    WHERE a.workload = v_found.workload AND a.part = v_found.part AND NOT a.quarantined AND a.state <> 'released';
    IF FOUND THEN
        PERFORM refuse('BA008', json_build_object('kind', 'Allocation', 'name', p_id,
                                                  'by', 'allocation ' || v_writer)::text);
    END IF;
    PERFORM 1 FROM document d WHERE d.uid = v_found.workload FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        IF p_draft IS NULL THEN
            PERFORM refuse('BA004', json_build_object('kind', v_found.workload_kind, 'name', v_found.name)::text);
        END IF;
        PERFORM document_create_1(jsonb_build_array(p_draft), p_actor, p_request, p_verb);
    END IF;
    UPDATE allocation SET quarantined = false WHERE id = p_id RETURNING * INTO v_found;
    UPDATE host_ledger SET assignment = assignment + 1 WHERE host = v_found.host;
    PERFORM allocation_changes(ARRAY[v_found], 'updated');
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    VALUES (basalt_now(), v_found.workload_kind, v_found.project, v_found.name, v_found.workload, 'Adopted',
            'what runs on ' || v_name || ' is taken over', p_actor);
    INSERT INTO audit (at, actor, request_id, verb, kind, project, name)
    VALUES (basalt_now(), p_actor, p_request, p_verb, 'Allocation', v_found.project, p_id::text);
    RETURN NEXT v_found;
END $$;

-- Asks for the end of a quarantined copy, or of the allocation that such a copy stands against.
CREATE OR REPLACE FUNCTION allocation_stop_1(p_id uuid, p_actor text, p_request text, p_verb text)
RETURNS SETOF allocation LANGUAGE plpgsql AS $$
DECLARE
    v_found allocation;
BEGIN
    PERFORM 1 FROM host_ledger h
    WHERE h.host = (SELECT a.host FROM allocation a WHERE a.id = p_id) FOR NO KEY UPDATE;
    SELECT * INTO v_found FROM allocation WHERE id = p_id AND state <> 'released' FOR NO KEY UPDATE;
    IF NOT FOUND THEN PERFORM refuse('BA004', json_build_object('kind', 'Allocation', 'name', p_id)::text); END IF;
    IF v_found.state = 'releasing' THEN
        RETURN NEXT v_found;
        RETURN;
    END IF;
    IF NOT v_found.quarantined AND NOT EXISTS (
        SELECT 1 FROM allocation t WHERE t.workload = v_found.workload AND t.part = v_found.part
          AND t.quarantined AND t.state <> 'released') THEN
        PERFORM refuse('BA008', json_build_object('kind', 'Allocation', 'name', p_id,
            'by', v_found.workload_kind || ' ' || v_found.name)::text);
    END IF;
    UPDATE allocation SET state = 'releasing' WHERE id = p_id RETURNING * INTO v_found;
    UPDATE allocation_device SET state = 'releasing' WHERE allocation = p_id AND state <> 'released';
    UPDATE host_ledger SET assignment = assignment + 1 WHERE host = v_found.host;
    PERFORM allocation_changes(ARRAY[v_found], 'updated');
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    VALUES (basalt_now(), v_found.workload_kind, v_found.project, v_found.name, v_found.workload, 'Stopping',
            'its end was asked for', p_actor);
    INSERT INTO audit (at, actor, request_id, verb, kind, project, name)
    VALUES (basalt_now(), p_actor, p_request, p_verb, 'Allocation', v_found.project, p_id::text);
    RETURN NEXT v_found;
END $$;

-- What a restored database differs in: another server, or tables that were made anew.
CREATE OR REPLACE FUNCTION server_identity() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT system_identifier || '/' || 'cluster'::regclass::oid FROM pg_control_system()
$$;

CREATE OR REPLACE FUNCTION server_timeline() RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint
$$;

-- Raises the epoch. Leases, tokens, cursors and event ids of the older one mean nothing any more, even where the
-- database went back behind them; every host is suspect until its session says what runs there.
CREATE OR REPLACE FUNCTION epoch_raise_2(p_quarantine interval, p_why text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_epoch bigint;
    v_hosts uuid[];
BEGIN
    UPDATE cluster SET epoch = epoch + 1, raised_at = v_now,
        system_identifier = server_identity(), timeline = server_timeline(),
        quarantine_until = v_now + coalesce(p_quarantine, quarantine)
    RETURNING epoch INTO v_epoch;
    -- Above every token that the lost time may have given out.
    UPDATE cell_lease SET token = greatest(token + 1, v_epoch << 32), expires_at = '-infinity';
    DELETE FROM change;
    UPDATE feed_horizon SET xid = '0', seq = 0;
    -- As much as nobody counts in one epoch.
    PERFORM setval('event_seq', nextval('event_seq') + 1000000000);
    INSERT INTO quarantined_cell (cell) SELECT DISTINCT cell FROM host_ledger ON CONFLICT DO NOTHING;
    v_hosts := ARRAY(SELECT host FROM host_ledger WHERE contact = 'Ready' AND session IS NOT NULL
                     ORDER BY host FOR NO KEY UPDATE);
    UPDATE host_ledger SET contact = 'Suspect', generation = generation + 1, suspected_at = NULL
    WHERE host = ANY (v_hosts);
    PERFORM host_documents(v_hosts);
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    VALUES (v_now, 'Cell', 'cluster', cell_uid('cluster'), 'EpochRaised',
            concat_ws(': ', 'the epoch is ' || v_epoch, p_why), 'operator');
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    SELECT v_now, 'Host', name, host, 'HostSuspect', 'has yet to say what it runs in the new epoch', 'hosts'
    FROM host_ledger WHERE host = ANY (v_hosts) ORDER BY host;
    RETURN v_epoch;
END $$;

-- For controllers of the version before.
CREATE OR REPLACE FUNCTION epoch_raise_1(p_quarantine interval) RETURNS bigint LANGUAGE sql AS $$
    SELECT epoch_raise_2(p_quarantine, NULL)
$$;

-- Raises the epoch when the server is not the one that the epoch belongs to.
CREATE OR REPLACE FUNCTION epoch_detect_1() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_identity text := server_identity();
    v_timeline bigint := server_timeline();
    v_known cluster;
BEGIN
    SELECT * INTO v_known FROM cluster;
    IF (v_known.system_identifier, v_known.timeline) = (v_identity, v_timeline) THEN RETURN; END IF;
    SELECT * INTO v_known FROM cluster FOR UPDATE;
    IF (v_known.system_identifier, v_known.timeline) = (v_identity, v_timeline) THEN RETURN; END IF;
    IF v_known.system_identifier = '' THEN
        UPDATE cluster SET system_identifier = v_identity, timeline = v_timeline;
    ELSE
        PERFORM epoch_raise_2(NULL, CASE WHEN v_known.system_identifier <> v_identity
            THEN 'the database was restored' ELSE 'the server is on timeline ' || v_timeline END);
    END IF;
END $$;

-- As before; nobody leads a cell of a restored database before its epoch is raised.
CREATE OR REPLACE FUNCTION lease_acquire_1(p_cell text, p_holder text, p_duration interval) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_token bigint;
BEGIN
    PERFORM epoch_detect_1();
    INSERT INTO cell_lease (cell, token, holder, expires_at) VALUES (p_cell, 0, '', '-infinity')
    ON CONFLICT DO NOTHING;
    UPDATE cell_lease SET token = token + 1, holder = p_holder, expires_at = basalt_now() + p_duration
    WHERE cell = p_cell AND (expires_at <= basalt_now() OR holder = p_holder)
    RETURNING token INTO v_token;
    IF v_token IS NOT NULL THEN PERFORM control_pulse_1(); END IF;
    RETURN v_token;
END $$;
