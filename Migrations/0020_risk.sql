-- Use and risk of scopes, hour by hour and day by day; ratios that are tried on a few hosts first; what guards ask for.
-- Bins and hours go by the fleet clock, which is the lease clock where nobody lets it run faster.

-- When the guard of a host last found it hot.
ALTER TABLE host_guard ADD COLUMN IF NOT EXISTS acted_at timestamptz;

-- One bin of a host: samples within it, and those in which tasks had to wait for cores. A report that was sent again
-- stands here twice.
CREATE TABLE IF NOT EXISTS usage_host_bin (
    host    uuid NOT NULL,
    start   bigint NOT NULL,
    samples int NOT NULL,
    hot     int NOT NULL
) PARTITION BY RANGE (start);
CREATE INDEX IF NOT EXISTS usage_host_bin_start ON usage_host_bin USING brin (start);

-- An hour of a scope: of its shared VMs the bin in which the greatest share of the vCPUs was in use; bins of its hosts
-- and those of them that were hot; vCPUs sold above the cores there were.
CREATE TABLE IF NOT EXISTS usage_scope (
    scope   uuid NOT NULL,
    start   bigint NOT NULL,
    used    bigint NOT NULL,
    sold    bigint NOT NULL,
    largest bigint NOT NULL,
    bins    bigint NOT NULL,
    hot     bigint NOT NULL,
    saved   bigint NOT NULL,
    PRIMARY KEY (scope, start)
) PARTITION BY RANGE (start);

-- What became of a scope on a day.
CREATE TABLE IF NOT EXISTS rate_day (
    scope     uuid NOT NULL,
    day       bigint NOT NULL,
    bins      bigint NOT NULL,
    hot       bigint NOT NULL,
    predicted double precision NOT NULL,
    nominal   bigint NOT NULL,
    realized  bigint NOT NULL,
    PRIMARY KEY (scope, day)
);

-- Hosts that go by an approved decision before the others do, since a time of the fleet clock. It counts as long as the
-- decision is approved.
CREATE TABLE IF NOT EXISTS rate_trial (
    decision   uuid PRIMARY KEY REFERENCES rate_decision (id) ON DELETE CASCADE,
    hosts      uuid[] NOT NULL,
    started_at bigint NOT NULL
);

-- What the guard of a host asks the controllers for: that a VM moves away, or stops.
CREATE TABLE IF NOT EXISTS guard_ask (
    allocation uuid PRIMARY KEY,
    host       uuid NOT NULL,
    cell       text NOT NULL,
    verb       text NOT NULL CHECK (verb IN ('migrate', 'evict')),
    message    text NOT NULL,
    at         timestamptz NOT NULL,
    closed_at  timestamptz
);
CREATE INDEX IF NOT EXISTS guard_ask_open ON guard_ask (cell) WHERE closed_at IS NULL;

-- Makes the partitions of yesterday, today and tomorrow where they are missing.
CREATE OR REPLACE FUNCTION usage_partitions(p_now bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_day bigint;
    v_table text;
BEGIN
    -- The last table's, as they are made after the others'.
    IF to_regclass('usage_scope_' || p_now / 86400 + 1) IS NOT NULL
        AND to_regclass('usage_scope_' || p_now / 86400 - 1) IS NOT NULL
        AND to_regclass('usage_scope_' || p_now / 86400) IS NOT NULL THEN RETURN; END IF;
    -- One makes them, the others wait.
    PERFORM 1 FROM usage_roll FOR UPDATE;
    FOREACH v_table IN ARRAY ARRAY['usage_bin', 'usage_hour', 'usage_host_bin', 'usage_scope'] LOOP
        FOR v_day IN p_now / 86400 - 1 .. p_now / 86400 + 1 LOOP
            EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%s) TO (%s)',
                           v_table || '_' || v_day, v_table, v_day * 86400, (v_day + 1) * 86400);
        END LOOP;
    END LOOP;
END $$;

-- As `usage_take_1`, by the fleet clock, and with what guards ask for.
CREATE OR REPLACE FUNCTION usage_take_2(p_session uuid, p_hosts jsonb)
RETURNS TABLE (o_now bigint, o_names text[], o_ids uuid[], o_moved boolean) LANGUAGE plpgsql AS $$
DECLARE
    v_moved uuid[];
    v_rungs text[];
    v_back uuid[];
BEGIN
    o_now := floor(extract(epoch FROM fleet_time(basalt_now())));
    PERFORM usage_partitions(o_now);
    SELECT array_agg(h.name ORDER BY h.host), array_agg(h.host ORDER BY h.host),
        array_agg(h.host ORDER BY h.host) FILTER (WHERE m.moved),
        array_agg(e ->> 'rung' ORDER BY h.host) FILTER (WHERE m.moved),
        array_agg(h.host ORDER BY h.host) FILTER (WHERE g.stale)
    INTO o_names, o_ids, v_moved, v_rungs, v_back
    FROM jsonb_array_elements(p_hosts) e JOIN host_ledger h ON h.session = p_session AND h.name = e ->> 'name'
    LEFT JOIN host_guard g ON g.host = h.host
    CROSS JOIN LATERAL (SELECT coalesce(g.stale OR g.rung <> e ->> 'rung', e ->> 'rung' <> 'observe') AS moved) m;
    INSERT INTO host_guard AS g (host, at, rung, signals, acted_at)
    SELECT h.host, basalt_now(), e ->> 'rung', e -> 'signals',
        CASE WHEN e -> 'notes' @> '[{"cause": "hot"}]' THEN basalt_now() END
    FROM jsonb_array_elements(p_hosts) e JOIN host_ledger h ON h.session = p_session AND h.name = e ->> 'name'
    ORDER BY h.host
    ON CONFLICT (host) DO UPDATE SET at = EXCLUDED.at, rung = EXCLUDED.rung, signals = EXCLUDED.signals,
        stale = false, acted_at = coalesce(EXCLUDED.acted_at, g.acted_at);
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
    -- A guard is believed about what runs on its host. The latest of its words about an allocation counts.
    INSERT INTO guard_ask AS g (allocation, host, cell, verb, message, at)
    SELECT DISTINCT ON (a.id) a.id, a.host, a.cell, t #>> '{ask,verb}', t ->> 'message', basalt_now()
    FROM jsonb_array_elements(p_hosts) WITH ORDINALITY x (e, n)
    JOIN host_ledger h ON h.session = p_session AND h.name = e ->> 'name'
    CROSS JOIN LATERAL jsonb_array_elements(e -> 'notes') WITH ORDINALITY y (t, k)
    JOIN allocation a ON a.id = (t #>> '{ask,allocation}')::uuid AND a.host = h.host
        AND a.state IN ('reserved', 'active')
    ORDER BY a.id, n DESC, k DESC
    ON CONFLICT (allocation) DO UPDATE SET host = EXCLUDED.host, verb = EXCLUDED.verb, message = EXCLUDED.message,
        at = EXCLUDED.at, closed_at = NULL;
    o_moved := v_moved IS NOT NULL;
    RETURN NEXT;
END $$;

-- As `usage_roll_1`, by the fleet clock: hours of VMs, and of the scopes that cover their hosts now.
CREATE OR REPLACE FUNCTION usage_roll_2(p_settle bigint) RETURNS bigint
LANGUAGE plpgsql SET enable_bitmapscan = on AS $$
DECLARE
    v_now bigint := floor(extract(epoch FROM fleet_time(basalt_now())));
    v_from bigint;
    v_to bigint := (v_now - p_settle) / 3600 * 3600;
    v_rows bigint;
BEGIN
    SELECT rolled_to INTO v_from FROM usage_roll FOR UPDATE;
    IF v_from >= v_to THEN RETURN 0; END IF;
    PERFORM usage_partitions(v_now);
    WITH bin AS MATERIALIZED (
        SELECT DISTINCT ON (b.vm, b.host, b.start) b.*, a.guaranteed FROM usage_bin b
        JOIN (SELECT workload, host, bool_or(class = 'guaranteed') AS guaranteed FROM allocation
              WHERE workload_kind = 'VM' GROUP BY workload, host) a ON a.workload = b.vm AND a.host = b.host
        WHERE b.start >= v_from AND b.start < v_to
        ORDER BY b.vm, b.host, b.start, b.max DESC
    ), hours AS (
        INSERT INTO usage_hour (vm, start, sold, mean, p90, max, bins)
        SELECT vm, start / 3600 * 3600, max(sold), sum(mean) / count(*),
            percentile_disc(0.9) WITHIN GROUP (ORDER BY p90), max(max), count(*)
        FROM bin GROUP BY 1, 2 ON CONFLICT DO NOTHING RETURNING 1
    ), told AS (
        SELECT t.host, t.start, sum(t.used)::bigint AS used, sum(t.sold)::bigint AS sold, max(t.sold) AS largest,
            sum(t.bins)::bigint AS bins, sum(t.hot)::bigint AS hot
        FROM (
            -- Of many VMs the greatest samples do not come together.
            SELECT host, start, p90 AS used, sold, 0 AS bins, 0 AS hot FROM bin WHERE NOT guaranteed
            UNION ALL
            SELECT host, start, 0, 0, 1, is_hot FROM (
                SELECT DISTINCT ON (host, start) host, start, (2 * hot >= samples)::int AS is_hot FROM usage_host_bin
                WHERE start >= v_from AND start < v_to ORDER BY host, start, (2 * hot >= samples) DESC
            ) b
        ) t GROUP BY t.host, t.start
    ), binned AS (
        SELECT s.scope, t.start, sum(t.used)::bigint AS used, sum(t.sold)::bigint AS sold, max(t.largest) AS largest,
            sum(t.bins)::bigint AS bins, sum(t.hot)::bigint AS hot,
            sum(greatest(0, t.sold - greatest(0, h.cpu_total - h.cpu_reserved - h.cpu_guaranteed)))::bigint AS saved
        FROM told t JOIN host_ledger h ON h.host = t.host CROSS JOIN LATERAL (
            SELECT h.host AS scope
            UNION ALL
            SELECT d.uid FROM document d WHERE d.kind = 'Pool' AND d.project = '' AND d.name = h.pool
            UNION ALL
            SELECT d.uid FROM document d WHERE d.kind = 'Cell' AND d.project = '' AND d.name = h.cell
        ) s GROUP BY s.scope, t.start
    ), fullest AS (
        SELECT DISTINCT ON (scope, start / 3600) scope, start / 3600 AS hour, used, sold, largest FROM binned
        ORDER BY scope, start / 3600, used::double precision / greatest(sold, 1) DESC, start
    ), summed AS (
        SELECT scope, start / 3600 AS hour, sum(bins)::bigint AS bins, sum(hot)::bigint AS hot,
            sum(saved)::bigint / count(*) AS saved
        FROM binned GROUP BY scope, start / 3600
    ), scopes AS (
        INSERT INTO usage_scope (scope, start, used, sold, largest, bins, hot, saved)
        SELECT f.scope, f.hour * 3600, f.used, f.sold, f.largest, s.bins, s.hot, s.saved
        FROM fullest f JOIN summed s USING (scope, hour) ON CONFLICT DO NOTHING
    )
    SELECT count(*) INTO v_rows FROM hours;
    UPDATE usage_roll SET rolled_to = v_to;
    RETURN v_rows;
END $$;

-- Drops the days before those that are kept, and what guards asked for before yesterday.
CREATE OR REPLACE FUNCTION usage_keep_2(p_bins interval, p_hours interval, p_scopes interval) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_part record;
BEGIN
    FOR v_part IN
        SELECT c.oid::regclass AS name FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent
        WHERE p.oid IN ('usage_bin'::regclass, 'usage_hour'::regclass, 'usage_host_bin'::regclass,
                        'usage_scope'::regclass)
          AND substring(c.relname FROM '[0-9]+$')::bigint
              < floor(extract(epoch FROM fleet_time(basalt_now()) - CASE p.relname
                  WHEN 'usage_hour' THEN p_hours WHEN 'usage_scope' THEN p_scopes ELSE p_bins END))::bigint / 86400
        ORDER BY c.relname
    LOOP
        EXECUTE format('DROP TABLE IF EXISTS %s', v_part.name);
    END LOOP;
    DELETE FROM guard_ask WHERE closed_at < basalt_now() - interval '1 day';
END $$;

-- The ratio that admission on a host goes by, and how full peaks may make it: `EffectiveRate` says how. As before, but
-- that a host on which a decision of the scope is tried goes by that one.
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
    ), decided AS (
        SELECT n.uid, coalesce(
            (SELECT (d.content ->> 'ratioPerMille')::bigint FROM rate_decision d JOIN rate_trial t ON t.decision = d.id
             WHERE d.scope = n.uid AND d.state = 'approved' AND p_host = ANY (t.hosts)),
            (SELECT s.ratio FROM rate_scope s WHERE s.scope = n.uid)) AS ratio
        FROM nearest n
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
        FROM (VALUES (1)) one (x) LEFT JOIN nearest n ON true LEFT JOIN decided s ON s.uid = n.uid
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

CREATE OR REPLACE FUNCTION document_rate_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM rate_scope WHERE scope = OLD.uid;
    DELETE FROM rate_constraint WHERE scope = OLD.uid;
    DELETE FROM rate_decision WHERE scope = OLD.uid;
    DELETE FROM rate_day WHERE scope = OLD.uid;
    DELETE FROM usage_scope WHERE scope = OLD.uid;
    DELETE FROM guard_ask WHERE host = OLD.uid;
    RETURN NULL;
END $$;

-- Tries an approved decision on a few hosts. False when it is not approved any more, or tried already.
CREATE OR REPLACE FUNCTION rate_trial_1(
    p_cell text, p_token bigint, p_decision uuid, p_hosts uuid[], p_started bigint, p_reason text, p_message text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_scope uuid;
BEGIN
    PERFORM lease_check(p_cell, p_token);
    SELECT scope INTO v_scope FROM rate_decision
    WHERE id = p_decision AND cell = p_cell AND state = 'approved' FOR UPDATE;
    IF NOT FOUND THEN RETURN false; END IF;
    INSERT INTO rate_trial (decision, hosts, started_at) VALUES (p_decision, p_hosts, p_started) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM rates_follow(p_hosts);
    PERFORM rate_event(v_scope, p_reason, p_message, 'oversubscription');
    RETURN true;
END $$;

-- Takes an approved decision back, and the trial of it. False when it is not approved any more.
CREATE OR REPLACE FUNCTION rate_withdraw_1(
    p_cell text, p_token bigint, p_decision uuid, p_reason text, p_message text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_scope uuid;
BEGIN
    PERFORM lease_check(p_cell, p_token);
    UPDATE rate_decision SET state = 'rolled_back', closed_at = basalt_now()
    WHERE id = p_decision AND cell = p_cell AND state = 'approved' RETURNING scope INTO v_scope;
    IF NOT FOUND THEN RETURN false; END IF;
    PERFORM rates_follow(scope_hosts(v_scope));
    PERFORM rate_event(v_scope, p_reason, p_message, 'oversubscription');
    RETURN true;
END $$;

-- What became of scopes on days; a day that is told again replaces what was told of it.
CREATE OR REPLACE FUNCTION rate_days_1(p_cell text, p_token bigint, p_days jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lease_check(p_cell, p_token);
    INSERT INTO rate_day (scope, day, bins, hot, predicted, nominal, realized)
    SELECT s.uid, (d ->> 'day')::bigint, (d ->> 'bins')::bigint, (d ->> 'hotBins')::bigint,
        (d ->> 'predictedRisk')::double precision, (d ->> 'nominalMilliCPU')::bigint,
        (d ->> 'realizedMilliCPU')::bigint
    FROM jsonb_array_elements(p_days) e
    CROSS JOIN LATERAL (SELECT scope_uid(e #>> '{scope,level}', e #>> '{scope,name}') AS uid) s
    CROSS JOIN LATERAL jsonb_array_elements(e -> 'days') d WHERE s.uid IS NOT NULL
    ON CONFLICT (scope, day) DO UPDATE SET bins = EXCLUDED.bins, hot = EXCLUDED.hot, predicted = EXCLUDED.predicted,
        nominal = EXCLUDED.nominal, realized = EXCLUDED.realized;
END $$;

CREATE OR REPLACE FUNCTION guard_close_1(p_cell text, p_token bigint, p_allocations uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lease_check(p_cell, p_token);
    UPDATE guard_ask SET closed_at = basalt_now()
    WHERE allocation = ANY (p_allocations) AND cell = p_cell AND closed_at IS NULL;
END $$;
