-- What hosts and VMs use, and how far the guards of hosts went. Times are seconds since 1970, which is also what
-- the tables are cut into days by.
ALTER TABLE host_ledger ADD COLUMN IF NOT EXISTS frozen boolean NOT NULL DEFAULT false;

-- Last words of a host's guard; one narrow row per host that every report writes.
CREATE TABLE IF NOT EXISTS host_guard (
    host    uuid PRIMARY KEY REFERENCES host_ledger (host) ON DELETE CASCADE,
    at      timestamptz NOT NULL,
    rung    text NOT NULL,
    stale   boolean NOT NULL DEFAULT false,
    signals jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = 50);

-- One bin of a VM, as one host told of it; a report that was sent again stands here twice.
CREATE TABLE IF NOT EXISTS usage_bin (
    host  uuid NOT NULL,
    vm    uuid NOT NULL,
    start bigint NOT NULL,
    sold  int NOT NULL,
    mean  int NOT NULL,
    p90   int NOT NULL,
    max   int NOT NULL
) PARTITION BY RANGE (start);
-- Bins come in the order of time, so that ranges of blocks are all the index that hours need.
CREATE INDEX IF NOT EXISTS usage_bin_start ON usage_bin USING brin (start);

CREATE TABLE IF NOT EXISTS usage_hour (
    vm    uuid NOT NULL,
    start bigint NOT NULL,
    sold  int NOT NULL,
    mean  int NOT NULL,
    p90   int NOT NULL,
    max   int NOT NULL,
    bins  int NOT NULL,
    PRIMARY KEY (vm, start)
) PARTITION BY RANGE (start);

-- Start of the first hour that is not made of bins yet.
CREATE TABLE IF NOT EXISTS usage_roll (
    single    boolean PRIMARY KEY DEFAULT true CHECK (single),
    rolled_to bigint NOT NULL DEFAULT 0
);
INSERT INTO usage_roll DEFAULT VALUES ON CONFLICT DO NOTHING;

-- Makes the partitions of yesterday, today and tomorrow where they are missing.
CREATE OR REPLACE FUNCTION usage_partitions(p_now bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_day bigint;
    v_table text;
BEGIN
    IF to_regclass('usage_bin_' || p_now / 86400 + 1) IS NOT NULL
        AND to_regclass('usage_bin_' || p_now / 86400 - 1) IS NOT NULL
        AND to_regclass('usage_bin_' || p_now / 86400) IS NOT NULL THEN RETURN; END IF;
    -- One makes them, the others wait.
    PERFORM 1 FROM usage_roll FOR UPDATE;
    FOREACH v_table IN ARRAY ARRAY['usage_bin', 'usage_hour'] LOOP
        FOR v_day IN p_now / 86400 - 1 .. p_now / 86400 + 1 LOOP
            EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                           v_table || '_' || v_day, v_table, v_day * 86400, (v_day + 1) * 86400);
        END LOOP;
    END LOOP;
END $$;

-- The condition that says how far a guard went; a null rung is silence.
CREATE OR REPLACE FUNCTION guard_condition(p_rung text) RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('type', 'Guarded',
        'status', CASE WHEN p_rung = 'observe' THEN 'False' ELSE 'True' END,
        'reason', CASE WHEN p_rung IS NULL THEN 'TelemetryStale' WHEN p_rung = 'observe' THEN 'HostCalm'
            ELSE 'HostHot' END,
        'message', CASE p_rung
            WHEN 'observe' THEN 'the host''s cores suffice'
            WHEN 'freeze' THEN 'the host takes no more VMs'
            WHEN 'throttle' THEN 'the host takes no more VMs, and spot VMs are held back'
            WHEN 'migrate' THEN 'spot VMs are held back, and VMs should move away'
            WHEN 'evict' THEN 'spot VMs should stop'
            WHEN 'page' THEN 'nothing is left that the guard could ask for'
            ELSE 'the host has not told its use; it takes no more VMs until it does' END,
        'lastTransitionTime', rfc3339(basalt_now()))
$$;

-- Brings rows and documents of hosts to what their guards say. The generation moves with what a host takes, so that
-- no plan of before is committed.
CREATE OR REPLACE FUNCTION host_freeze(p_hosts uuid[], p_rungs text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM host_ledger WHERE host = ANY (p_hosts) ORDER BY host FOR NO KEY UPDATE;
    UPDATE host_ledger h SET frozen = n.rung IS DISTINCT FROM 'observe', generation = h.generation + 1
    FROM unnest(p_hosts, p_rungs) n (host, rung)
    WHERE h.host = n.host AND h.frozen <> (n.rung IS DISTINCT FROM 'observe');
    WITH written AS (
        UPDATE document w SET status = w.status || jsonb_build_object('conditions',
                condition_set(w.status -> 'conditions', guard_condition(n.rung))),
            rv_xid = pg_current_xact_id(), rv_seq = nextval('change_seq')
        FROM unnest(p_hosts, p_rungs) n (host, rung) WHERE w.uid = n.host
        RETURNING w.uid, w.name, w.cell, w.rv_xid, w.rv_seq
    )
    INSERT INTO change (xid, seq, floor, at, change, kind, uid, name, cell)
    SELECT rv_xid, rv_seq, pg_snapshot_xmin(pg_current_snapshot()), basalt_now(), 'updated', 'Host', uid, name, cell
    FROM written;
END $$;

-- Takes what the guards of a session's hosts say: name, rung, signals and notes of each host, none named twice.
-- Answers the hosts that the session carries; their bins are for the caller to copy.
CREATE OR REPLACE FUNCTION usage_take_1(p_session uuid, p_hosts jsonb)
RETURNS TABLE (o_now bigint, o_names text[], o_ids uuid[], o_moved boolean) LANGUAGE plpgsql AS $$
DECLARE
    v_moved uuid[];
    v_rungs text[];
    v_back uuid[];
BEGIN
    o_now := floor(extract(epoch FROM basalt_now()));
    PERFORM usage_partitions(o_now);
    SELECT array_agg(h.name ORDER BY h.host), array_agg(h.host ORDER BY h.host),
        array_agg(h.host ORDER BY h.host) FILTER (WHERE m.moved),
        array_agg(e ->> 'rung' ORDER BY h.host) FILTER (WHERE m.moved),
        array_agg(h.host ORDER BY h.host) FILTER (WHERE g.stale)
    INTO o_names, o_ids, v_moved, v_rungs, v_back
    FROM jsonb_array_elements(p_hosts) e JOIN host_ledger h ON h.session = p_session AND h.name = e ->> 'name'
    LEFT JOIN host_guard g ON g.host = h.host
    CROSS JOIN LATERAL (SELECT coalesce(g.stale OR g.rung <> e ->> 'rung', e ->> 'rung' <> 'observe') AS moved) m;
    INSERT INTO host_guard AS g (host, at, rung, signals)
    SELECT h.host, basalt_now(), e ->> 'rung', e -> 'signals'
    FROM jsonb_array_elements(p_hosts) e JOIN host_ledger h ON h.session = p_session AND h.name = e ->> 'name'
    ORDER BY h.host
    ON CONFLICT (host) DO UPDATE SET at = EXCLUDED.at, rung = EXCLUDED.rung, signals = EXCLUDED.signals, stale = false;
    IF v_moved IS NOT NULL THEN PERFORM host_freeze(v_moved, v_rungs); END IF;
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    SELECT basalt_now(), 'Host', t.name, t.host, t.reason, t.message, 'agent/' || p_session FROM (
        SELECT h.name, h.host, n, 0 AS k, 'HostCalm' AS reason, 'the host tells its use again' AS message
        FROM jsonb_array_elements(p_hosts) WITH ORDINALITY x (e, n)
        JOIN host_ledger h ON h.session = p_session AND h.name = e ->> 'name' WHERE h.host = ANY (v_back)
        UNION ALL
        SELECT h.name, h.host, n, k, CASE t ->> 'cause' WHEN 'calm' THEN 'HostCalm' WHEN 'stale' THEN 'TelemetryStale'
            ELSE 'HostHot' END, t ->> 'message'
        FROM jsonb_array_elements(p_hosts) WITH ORDINALITY x (e, n)
        JOIN host_ledger h ON h.session = p_session AND h.name = e ->> 'name'
        CROSS JOIN LATERAL jsonb_array_elements(e -> 'notes') WITH ORDINALITY y (t, k)
    ) t ORDER BY n, k;
    o_moved := v_moved IS NOT NULL;
    RETURN NEXT;
END $$;

-- Freezes ready hosts whose guards have been silent for so long.
CREATE OR REPLACE FUNCTION usage_silent_1(p_after interval) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_hosts uuid[];
BEGIN
    v_hosts := ARRAY(
        SELECT g.host FROM host_guard g JOIN host_ledger h ON h.host = g.host
        WHERE NOT g.stale AND g.at < basalt_now() - p_after AND h.contact = 'Ready'
        ORDER BY g.host FOR UPDATE OF g);
    IF v_hosts = '{}' THEN RETURN v_hosts; END IF;
    UPDATE host_guard SET stale = true WHERE host = ANY (v_hosts);
    PERFORM host_freeze(v_hosts, array_fill(NULL::text, ARRAY[cardinality(v_hosts)]));
    INSERT INTO event (at, kind, name, uid, reason, message, source)
    SELECT basalt_now(), 'Host', h.name, h.host, 'TelemetryStale', guard_condition(NULL) ->> 'message', 'hosts'
    FROM host_ledger h WHERE h.host = ANY (v_hosts) ORDER BY h.host;
    RETURN v_hosts;
END $$;

-- Makes hours of the bins of hours that ended over ten minutes ago. A bin that came twice is one, and a host is
-- believed about a VM that it had.
CREATE OR REPLACE FUNCTION usage_roll_1() RETURNS bigint LANGUAGE plpgsql SET enable_bitmapscan = on AS $$
DECLARE
    v_from bigint;
    v_to bigint := (floor(extract(epoch FROM basalt_now()))::bigint - 600) / 3600 * 3600;
    v_rows bigint;
BEGIN
    SELECT rolled_to INTO v_from FROM usage_roll FOR UPDATE;
    IF v_from >= v_to THEN RETURN 0; END IF;
    PERFORM usage_partitions(floor(extract(epoch FROM basalt_now()))::bigint);
    WITH bin AS (
        SELECT DISTINCT ON (b.vm, b.host, b.start) b.* FROM usage_bin b
        WHERE b.start >= v_from AND b.start < v_to
          AND EXISTS (SELECT 1 FROM allocation a WHERE a.workload = b.vm AND a.host = b.host)
        ORDER BY b.vm, b.host, b.start, b.max DESC
    )
    INSERT INTO usage_hour (vm, start, sold, mean, p90, max, bins)
    SELECT vm, start / 3600 * 3600, max(sold), sum(mean) / count(*),
        percentile_disc(0.9) WITHIN GROUP (ORDER BY p90), max(max), count(*)
    FROM bin GROUP BY 1, 2 ON CONFLICT DO NOTHING;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    UPDATE usage_roll SET rolled_to = v_to;
    RETURN v_rows;
END $$;

-- Drops the days before those that are kept.
CREATE OR REPLACE FUNCTION usage_keep_1(p_bins interval, p_hours interval) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_part record;
BEGIN
    FOR v_part IN
        SELECT c.oid::regclass AS name FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
        WHERE p.oid IN ('usage_bin'::regclass, 'usage_hour'::regclass)
          AND substring(c.relname FROM '[0-9]+$')::bigint < floor(extract(epoch FROM basalt_now()
              - CASE p.relname WHEN 'usage_bin' THEN p_bins ELSE p_hours END))::bigint / 86400
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE IF EXISTS %s', v_part.name);
    END LOOP;
END $$;
