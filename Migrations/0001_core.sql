-- The clock of tests: it stands still until they move it. They make the table; it is read only where
-- `basalt.test_clock` is on.
CREATE OR REPLACE FUNCTION test_clock_now() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (SELECT at FROM test_clock);
END $$;

-- The clock of every statement. Tests shift it per connection or freeze it; nothing else may.
CREATE OR REPLACE FUNCTION basalt_now() RETURNS timestamptz
LANGUAGE sql VOLATILE AS $$
    SELECT CASE WHEN current_setting('basalt.test_clock', true) = 'on' THEN test_clock_now()
        ELSE clock_timestamp() + coalesce(nullif(current_setting('basalt.clock_offset', true), ''), '0')::interval
        END
$$;

-- As `Timestamp` writes itself: with a fraction only where there is one.
CREATE OR REPLACE FUNCTION rfc3339(p_at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
        || CASE WHEN to_char(p_at, 'US') = '000000' THEN '' ELSE to_char(p_at, '.US') END || 'Z'
$$;

-- Names nothing; the subject of events about what has no document.
CREATE OR REPLACE FUNCTION no_uid() RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT '00000000-0000-0000-0000-000000000000'::uuid
$$;

CREATE TABLE IF NOT EXISTS cluster (
    singleton        boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    epoch            bigint NOT NULL DEFAULT 1,
    quarantine_until timestamptz,
    -- Identity of the server that the epoch belongs to: a restored copy has another one.
    system_identifier text NOT NULL DEFAULT '',
    timeline         bigint NOT NULL DEFAULT 0,
    real_origin      timestamptz NOT NULL DEFAULT basalt_now(),
    fleet_origin     timestamptz NOT NULL DEFAULT basalt_now(),
    fleet_rate       double precision NOT NULL DEFAULT 1 CHECK (fleet_rate > 0)
);
INSERT INTO cluster DEFAULT VALUES ON CONFLICT DO NOTHING;

-- When a controller last could commit: host leases are not judged against a time in which nobody could renew.
CREATE TABLE IF NOT EXISTS control_pulse (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    at        timestamptz NOT NULL,
    -- Host leases count from here where their last renewal is older: agents could not renew during the gap
    -- that ended here.
    lease_floor timestamptz
) WITH (fillfactor = 50);
INSERT INTO control_pulse (at) VALUES (basalt_now()) ON CONFLICT DO NOTHING;

-- A takeover changes `token`, which the unique constraint makes a key column: the update then waits for every
-- commit that holds the row FOR KEY SHARE. A renewal changes no key column and waits for nobody.
CREATE TABLE IF NOT EXISTS cell_lease (
    cell       text PRIMARY KEY,
    token      bigint NOT NULL,
    holder     text NOT NULL,
    expires_at timestamptz NOT NULL,
    UNIQUE (cell, token)
) WITH (fillfactor = 50);

CREATE SEQUENCE IF NOT EXISTS change_seq CACHE 1;

-- The change feed. `floor` is the oldest transaction that was running when the row was written: a watch that
-- starts from a document's version starts there, so that it cannot miss a slower writer.
CREATE TABLE IF NOT EXISTS change (
    xid     xid8 NOT NULL,
    seq     bigint NOT NULL,
    floor   xid8 NOT NULL,
    at      timestamptz NOT NULL,
    change  text NOT NULL CHECK (change IN ('created', 'updated', 'deleted')),
    kind    text NOT NULL,
    uid     uuid NOT NULL,
    project text NOT NULL DEFAULT '',
    name    text NOT NULL,
    cell    text,
    host    uuid,
    final   jsonb,
    PRIMARY KEY (xid, seq)
);
-- The greatest cursor that has been forgotten.
CREATE TABLE IF NOT EXISTS feed_horizon (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    xid       xid8 NOT NULL,
    seq       bigint NOT NULL
);
INSERT INTO feed_horizon (xid, seq) VALUES ('0', 0) ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS document (
    uid         uuid PRIMARY KEY,
    kind        text NOT NULL,
    -- Order of the bytes, whatever the database's locale: lists are paged by it.
    project     text COLLATE "C" NOT NULL DEFAULT '',
    name        text COLLATE "C" NOT NULL,
    labels      jsonb NOT NULL DEFAULT '{}',
    annotations jsonb NOT NULL DEFAULT '{}',
    generation  bigint NOT NULL DEFAULT 1,
    revision    bigint NOT NULL DEFAULT 1,
    rv_xid      xid8 NOT NULL,
    rv_seq      bigint NOT NULL,
    created_at  timestamptz NOT NULL,
    deletion_at timestamptz,
    finalizers  text[] NOT NULL DEFAULT '{}',
    spec        jsonb NOT NULL,
    status      jsonb NOT NULL DEFAULT '{}',
    cell        text GENERATED ALWAYS AS (
        CASE WHEN kind = 'Cell' THEN name::text
             WHEN kind IN ('Pool', 'Host', 'VM') THEN coalesce(spec ->> 'cell', status ->> 'cell') END) STORED,
    UNIQUE (kind, project, name)
) WITH (fillfactor = 80);

-- What admission on a host is decided by. Columns that commits write are in no index, so updates stay in place.
CREATE TABLE IF NOT EXISTS host_ledger (
    host         uuid PRIMARY KEY REFERENCES document (uid) ON DELETE CASCADE,
    name         text NOT NULL,
    cell         text NOT NULL,
    pool         text NOT NULL,
    zone         text NOT NULL DEFAULT '',
    rack         text NOT NULL DEFAULT '',
    substrate    text NOT NULL DEFAULT '',
    labels       jsonb NOT NULL DEFAULT '{}',
    inventory    jsonb NOT NULL DEFAULT '{}',
    generation   bigint NOT NULL DEFAULT 1,
    assignment   bigint NOT NULL DEFAULT 0,
    cordoned     boolean NOT NULL DEFAULT false,
    draining     boolean NOT NULL DEFAULT false,
    contact      text NOT NULL DEFAULT 'Suspect' CHECK (contact IN ('Ready', 'Suspect', 'Fenced')),
    -- When the host last went from ready to suspect.
    suspected_at timestamptz,
    session      uuid,
    -- The session says that it cannot reach the host.
    unreachable  boolean NOT NULL DEFAULT false,
    -- Last renewal of a host that has no session, or whose session cannot reach it; otherwise the session's
    -- renewal counts, so that a report need not write to every host.
    renewed_at   timestamptz,
    cpu_total    bigint NOT NULL CHECK (cpu_total >= 0),
    cpu_reserved bigint NOT NULL DEFAULT 0,
    cpu_guaranteed bigint NOT NULL DEFAULT 0 CHECK (cpu_guaranteed >= 0),
    cpu_shared   bigint NOT NULL DEFAULT 0 CHECK (cpu_shared >= 0),
    cpu_ratio    bigint NOT NULL DEFAULT 1000 CHECK (cpu_ratio >= 1000),
    mem_total    bigint NOT NULL CHECK (mem_total >= 0),
    mem_reserved bigint NOT NULL DEFAULT 0,
    mem_used     bigint NOT NULL DEFAULT 0 CHECK (mem_used >= 0)
) WITH (fillfactor = 50);
CREATE INDEX IF NOT EXISTS host_ledger_cell ON host_ledger (cell);
CREATE INDEX IF NOT EXISTS host_ledger_session ON host_ledger (session);

CREATE TABLE IF NOT EXISTS device (
    uuid   text PRIMARY KEY,
    host   uuid NOT NULL REFERENCES host_ledger (host) ON DELETE CASCADE,
    facts  jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS device_host ON device (host);

CREATE TABLE IF NOT EXISTS allocation (
    id            uuid PRIMARY KEY,
    workload_kind text NOT NULL,
    workload      uuid NOT NULL,
    project       text NOT NULL DEFAULT '',
    name          text NOT NULL,
    part          text NOT NULL,
    cell          text NOT NULL,
    host          uuid NOT NULL,
    class         text NOT NULL,
    cpu           bigint NOT NULL CHECK (cpu >= 0),
    mem           bigint NOT NULL CHECK (mem >= 0),
    devices       text[] NOT NULL DEFAULT '{}',
    state         text NOT NULL CHECK (state IN ('reserved', 'active', 'releasing', 'released')),
    quarantined   boolean NOT NULL DEFAULT false,
    plan          uuid,
    on_partition  text NOT NULL DEFAULT 'keep' CHECK (on_partition IN ('keep', 'stop')),
    anti_affinity jsonb,
    created_at    timestamptz NOT NULL,
    released_at   timestamptz
) WITH (fillfactor = 80);
CREATE INDEX IF NOT EXISTS allocation_host ON allocation (host) WHERE state <> 'released';
CREATE INDEX IF NOT EXISTS allocation_workload ON allocation (workload);
-- Hosts with devices in use; empty in a fleet without devices.
CREATE INDEX IF NOT EXISTS allocation_devices ON allocation (host)
    WHERE state <> 'released' AND devices <> '{}';
-- One writer of a part at any time. What was found running beside it is quarantined and counted, not denied.
CREATE UNIQUE INDEX IF NOT EXISTS allocation_writer ON allocation (workload, part)
    WHERE state <> 'released' AND NOT quarantined;

CREATE TABLE IF NOT EXISTS allocation_device (
    allocation uuid NOT NULL REFERENCES allocation (id) ON DELETE CASCADE,
    device     text NOT NULL,
    state      text NOT NULL,
    PRIMARY KEY (allocation, device)
);
-- A device belongs to at most one allocation that is not released.
CREATE UNIQUE INDEX IF NOT EXISTS allocation_device_holder ON allocation_device (device) WHERE state <> 'released';

CREATE TABLE IF NOT EXISTS quota_usage (
    project  text COLLATE "C" NOT NULL,
    resource text COLLATE "C" NOT NULL CHECK (resource IN ('milliCPU', 'memoryMiB', 'devices')),
    used     bigint NOT NULL DEFAULT 0 CHECK (used >= 0),
    bound    bigint,
    PRIMARY KEY (project, resource)
) WITH (fillfactor = 50);

CREATE TABLE IF NOT EXISTS plan (
    id         uuid PRIMARY KEY,
    cell       text NOT NULL,
    engine     text NOT NULL,
    parent     uuid,
    content    text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS plan_head (
    cell   text NOT NULL,
    engine text NOT NULL,
    plan   uuid NOT NULL,
    PRIMARY KEY (cell, engine)
) WITH (fillfactor = 50);

CREATE TABLE IF NOT EXISTS join_token (
    secret_hash  text PRIMARY KEY,
    cell         text NOT NULL,
    pool         text NOT NULL,
    host_pattern text NOT NULL,
    expires_at   timestamptz NOT NULL,
    spent_by     uuid
);
CREATE TABLE IF NOT EXISTS agent_session (
    id              uuid PRIMARY KEY,
    name            text NOT NULL,
    cell            text NOT NULL,
    pool            text NOT NULL,
    substrate       text NOT NULL,
    host_pattern    text NOT NULL,
    credential_hash text NOT NULL UNIQUE,
    incarnation     bigint NOT NULL DEFAULT 0,
    sequence        bigint NOT NULL DEFAULT 0,
    created_at      timestamptz NOT NULL,
    renewed_at      timestamptz
) WITH (fillfactor = 50);

-- Failure domains in which the breaker holds: said once when it begins.
CREATE TABLE IF NOT EXISTS tripped_domain (
    cell text NOT NULL,
    zone text NOT NULL,
    PRIMARY KEY (cell, zone)
);

CREATE TABLE IF NOT EXISTS access_token (
    secret_hash text PRIMARY KEY,
    name        text NOT NULL UNIQUE,
    role        text NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz
);

CREATE TABLE IF NOT EXISTS idempotency (
    actor        text NOT NULL,
    key          text NOT NULL,
    request_hash text NOT NULL,
    -- What the first call created, which repeats are answered with.
    draft        jsonb NOT NULL,
    rv_xid       xid8 NOT NULL,
    rv_seq       bigint NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (actor, key)
);

CREATE SEQUENCE IF NOT EXISTS event_seq;
CREATE TABLE IF NOT EXISTS event (
    id      bigint NOT NULL DEFAULT nextval('event_seq'),
    at      timestamptz NOT NULL,
    kind    text NOT NULL,
    project text NOT NULL DEFAULT '',
    name    text NOT NULL,
    uid     uuid NOT NULL,
    reason  text NOT NULL,
    message text NOT NULL,
    source  text NOT NULL,
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);
CREATE TABLE IF NOT EXISTS event_default PARTITION OF event DEFAULT;
CREATE INDEX IF NOT EXISTS event_id ON event (id);
CREATE INDEX IF NOT EXISTS event_uid ON event (uid);

-- Makes the partitions of the days from yesterday up to `ahead` days from now. A day whose rows already stand
-- in the default partition stays there.
CREATE OR REPLACE FUNCTION event_partitions(ahead int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    day date;
    part text;
BEGIN
    FOR day IN SELECT (basalt_now()::date - 1 + n)::date FROM generate_series(0, ahead + 1) n LOOP
        part := 'event_' || to_char(day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass(part) IS NOT NULL;
        CONTINUE WHEN EXISTS (SELECT 1 FROM event_default WHERE at >= day AND at < day + 1);
        EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF event FOR VALUES FROM (%L) TO (%L)',
                       part, day, day + 1);
    END LOOP;
END $$;
SELECT event_partitions(7);

CREATE TABLE IF NOT EXISTS audit (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    request_id text,
    verb       text NOT NULL,
    kind       text,
    project    text NOT NULL DEFAULT '',
    name       text NOT NULL
);

CREATE TABLE IF NOT EXISTS operation (
    id         uuid PRIMARY KEY,
    content    text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS operation_created ON operation (created_at);
