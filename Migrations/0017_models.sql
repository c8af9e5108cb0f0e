-- Models of VM lifetimes with their files, and what the VMs were that they learn from.

-- A file is text that never changes; its document says what it is.
CREATE TABLE IF NOT EXISTS model_file (
    model   uuid PRIMARY KEY REFERENCES document (uid) ON DELETE CASCADE,
    content text NOT NULL
);

-- A model that pools go by is not deleted.
CREATE OR REPLACE FUNCTION model_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM refuse('BA008', json_build_object('kind', OLD.kind, 'name', OLD.name, 'by', 'its promotion')::text);
    RETURN OLD;
END $$;
CREATE OR REPLACE TRIGGER model_keep BEFORE DELETE ON document FOR EACH ROW
    WHEN (OLD.kind = 'Model' AND OLD.status ->> 'state' = 'promoted') EXECUTE FUNCTION model_keep();

-- Creates a model with its file, under the lease of the controller that made it, if one did.
CREATE OR REPLACE FUNCTION model_create_1(
    p_drafts jsonb, p_file text, p_cell text, p_token bigint, p_actor text, p_request text, p_verb text
) RETURNS TABLE (o_uid uuid, o_xid xid8, o_seq bigint, o_at timestamptz) LANGUAGE plpgsql AS $$
BEGIN
    IF p_cell IS NOT NULL THEN PERFORM lease_check(p_cell, p_token); END IF;
    RETURN QUERY SELECT * FROM document_create_1(p_drafts, p_actor, p_request, p_verb);
    INSERT INTO model_file (model, content) SELECT (v ->> 'uid')::uuid, p_file FROM jsonb_array_elements(p_drafts) v;
END $$;

-- Writes statuses of models. False, and nothing done, when a model is not at the version that is expected of it, or
-- one is promoted of which none is expected: two promotions at once would leave two models in force.
CREATE OR REPLACE FUNCTION model_change_1(
    p_cell text, p_token bigint, p_expected jsonb, p_statuses jsonb, p_events jsonb, p_subject text, p_actor text,
    p_request text, p_verb text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
BEGIN
    IF p_cell IS NOT NULL THEN PERFORM lease_check(p_cell, p_token); END IF;
    PERFORM 1 FROM document WHERE kind = 'Model' ORDER BY uid FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT 1 FROM jsonb_each(p_expected) e WHERE NOT EXISTS (
            SELECT 1 FROM document d WHERE d.uid = e.key::uuid AND d.kind = 'Model' AND d.deletion_at IS NULL
                AND d.rv_xid = (e.value ->> 'xid')::xid8 AND d.rv_seq = (e.value ->> 'seq')::bigint)
    ) OR EXISTS (
        SELECT 1 FROM document d
        WHERE d.kind = 'Model' AND d.status ->> 'state' = 'promoted' AND NOT p_expected ? d.uid::text
    ) THEN
        RETURN false;
    END IF;
    WITH written AS (
        UPDATE document d SET status = s.value, rv_xid = pg_current_xact_id(), rv_seq = nextval('change_seq')
        FROM jsonb_each(p_statuses) s WHERE d.uid = s.key::uuid AND p_expected ? s.key
        RETURNING d.kind, d.uid, d.project, d.name, d.cell, d.rv_xid, d.rv_seq
    )
    INSERT INTO change (xid, seq, floor, at, change, kind, uid, project, name, cell)
    SELECT rv_xid, rv_seq, pg_snapshot_xmin(pg_current_snapshot()), v_now, 'updated', kind, uid, project, name, cell
    FROM written;
    INSERT INTO audit (at, actor, request_id, verb, kind, project, name)
    VALUES (v_now, p_actor, p_request, p_verb, 'Model', '', p_subject);
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    SELECT v_now, e ->> 'kind', e ->> 'project', e ->> 'name', (e ->> 'uid')::uuid, e ->> 'reason', e ->> 'message',
        e ->> 'source'
    FROM jsonb_array_elements(p_events) WITH ORDINALITY x (e, n) ORDER BY n;
    RETURN true;
END $$;

-- Fleet time at a time of the lease clock. Before the present rate a second is taken for a second.
CREATE OR REPLACE FUNCTION fleet_time(p_at timestamptz) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT c.fleet_origin
        + (p_at - c.real_origin) * CASE WHEN p_at < c.real_origin THEN 1 ELSE c.fleet_rate END
    FROM cluster c
$$;

-- VMs that are gone, as they were last. Times are of the fleet clock, which may have run otherwise before.
CREATE TABLE IF NOT EXISTS vm_history (
    uid        uuid PRIMARY KEY,
    project    text NOT NULL,
    name       text NOT NULL,
    cell       text NOT NULL,
    pool       text NOT NULL,
    labels     jsonb NOT NULL,
    class      text NOT NULL,
    cpu        bigint NOT NULL,
    mem        bigint NOT NULL,
    devices    bigint NOT NULL,
    hint       bigint,
    started_at timestamptz NOT NULL,
    ended_at   timestamptz,
    -- Hosts with the times there.
    stays      jsonb NOT NULL
);
CREATE INDEX IF NOT EXISTS vm_history_cell ON vm_history (cell, uid);
CREATE INDEX IF NOT EXISTS vm_history_ended ON vm_history (ended_at);

-- The history of one VM, by its allocations; no row for one that never had any.
CREATE OR REPLACE FUNCTION vm_life(p_vm document) RETURNS SETOF vm_history LANGUAGE sql STABLE AS $$
    SELECT (p_vm).uid, (p_vm).project::text, (p_vm).name::text, l.cell,
        coalesce((p_vm).spec ->> 'pool', h.pool, ''), (p_vm).labels, l.class, l.cpu, l.mem,
        cardinality(l.devices)::bigint, ((p_vm).spec ->> 'lifetimeHintSeconds')::bigint,
        s.started_at, s.ended_at, s.stays
    FROM (
        SELECT min(fleet_time(a.created_at)) AS started_at,
            CASE WHEN bool_and(a.state = 'released') THEN max(fleet_time(a.released_at)) END AS ended_at,
            jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                'host', coalesce(d.name::text, a.host::text), 'from', rfc3339(fleet_time(a.created_at)),
                'until', rfc3339(fleet_time(a.released_at)))) ORDER BY a.id) AS stays,
            max(a.id::text)::uuid AS latest
        FROM allocation a LEFT JOIN document d ON d.uid = a.host WHERE a.workload = (p_vm).uid
    ) s
    JOIN allocation l ON l.id = s.latest
    LEFT JOIN host_ledger h ON h.host = l.host
$$;

CREATE OR REPLACE FUNCTION vm_history_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO vm_history SELECT * FROM vm_life(OLD) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER vm_history_note AFTER DELETE ON document FOR EACH ROW
    WHEN (OLD.kind = 'VM') EXECUTE FUNCTION vm_history_note();

-- A page of VMs that had a host, those that run among them.
CREATE OR REPLACE FUNCTION vm_history_1(
    p_cell text, p_pool text, p_since timestamptz, p_after uuid, p_newest boolean, p_limit bigint
) RETURNS SETOF vm_history LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_newest THEN
        RETURN QUERY
        (SELECT h.* FROM vm_history h
         WHERE (p_cell IS NULL OR h.cell = p_cell) AND (p_pool IS NULL OR h.pool = p_pool)
           AND (p_since IS NULL OR h.ended_at >= p_since) ORDER BY h.uid DESC LIMIT p_limit)
        UNION ALL
        (SELECT l.* FROM document d CROSS JOIN LATERAL vm_life(d) l
         WHERE d.kind = 'VM' AND (p_cell IS NULL OR d.cell = p_cell) AND (p_pool IS NULL OR l.pool = p_pool)
           AND (p_since IS NULL OR l.ended_at IS NULL OR l.ended_at >= p_since) ORDER BY d.uid DESC LIMIT p_limit)
        ORDER BY uid DESC LIMIT p_limit;
    ELSE
        RETURN QUERY
        (SELECT h.* FROM vm_history h
         WHERE (p_after IS NULL OR h.uid > p_after) AND (p_cell IS NULL OR h.cell = p_cell)
           AND (p_pool IS NULL OR h.pool = p_pool) AND (p_since IS NULL OR h.ended_at >= p_since)
         ORDER BY h.uid LIMIT p_limit)
        UNION ALL
        (SELECT l.* FROM document d CROSS JOIN LATERAL vm_life(d) l
         WHERE d.kind = 'VM' AND (p_after IS NULL OR d.uid > p_after) AND (p_cell IS NULL OR d.cell = p_cell)
           AND (p_pool IS NULL OR l.pool = p_pool)
           AND (p_since IS NULL OR l.ended_at IS NULL OR l.ended_at >= p_since) ORDER BY d.uid LIMIT p_limit)
        ORDER BY uid LIMIT p_limit;
    END IF;
END $$;

-- Forgets VMs that ended long ago, and the oldest of more than a limit.
CREATE OR REPLACE FUNCTION vm_history_prune_1(p_retention interval, p_limit bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM vm_history WHERE ended_at < fleet_time(basalt_now()) - p_retention;
    DELETE FROM vm_history WHERE uid <= (SELECT uid FROM vm_history ORDER BY uid DESC OFFSET p_limit LIMIT 1);
END $$;
