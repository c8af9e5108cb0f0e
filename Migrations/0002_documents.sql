-- Refusals are raised with these states; DETAIL carries what the client needs to say why.
--   BA001 lease lost          BA002 plan parent stale     BA003 plan already applied
--   BA004 not found           BA005 already exists        BA006 precondition failed
--   BA007 being deleted       BA008 in use                BA009 reference missing
--   BA010 idempotency key reused   BA011 watch expired    BA012 session superseded
--   BA013 unauthorised        BA014 corrupt

CREATE OR REPLACE FUNCTION refuse(p_state text, p_detail text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'refused' USING ERRCODE = p_state, DETAIL = p_detail;
END $$;

-- What a document refers to, in the order in which a missing one is reported.
CREATE OR REPLACE FUNCTION document_references(p_kind text, p_project text, p_spec jsonb)
RETURNS TABLE (rank int, field text, target text, target_name text) LANGUAGE sql IMMUTABLE AS $$
    SELECT 1, 'metadata.project', 'Project', p_project WHERE p_kind = 'VM'
    UNION ALL
    SELECT m.rank, 'spec.' || m.member, m.target, p_spec ->> m.member
    FROM (VALUES (2, 'cell', 'Cell'), (3, 'pool', 'Pool'), (4, 'flavor', 'Flavor')) m (rank, member, target)
    WHERE jsonb_typeof(p_spec -> m.member) = 'string'
      AND (p_kind = 'VM' OR (p_kind = 'Host' AND m.rank < 4) OR (p_kind = 'Pool' AND m.rank = 2))
$$;

-- Locks a document that another refers to, so that it cannot be deleted meanwhile.
CREATE OR REPLACE FUNCTION document_reference(p_kind text, p_name text, p_field text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM document d
    WHERE d.kind = p_kind AND d.project = '' AND d.name = p_name AND d.deletion_at IS NULL
    FOR KEY SHARE;
    IF NOT FOUND THEN
        PERFORM refuse('BA009', json_build_object('field', p_field, 'kind', p_kind, 'name', p_name)::text);
    END IF;
END $$;

-- Ratio that the pool of a host sets.
CREATE OR REPLACE FUNCTION pool_ratio(p_pool text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT (spec ->> 'cpuRatioPerMille')::bigint FROM document
                     WHERE kind = 'Pool' AND project = '' AND name = p_pool), 1000)
$$;

CREATE OR REPLACE FUNCTION project_bounds(p_project text, p_spec jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO quota_usage (project, resource, bound)
    SELECT p_project, r, (p_spec #>> ARRAY['quota', r])::bigint
    FROM unnest(ARRAY['devices', 'memoryMiB', 'milliCPU']) r
    ON CONFLICT (project, resource) DO UPDATE SET bound = excluded.bound
$$;

CREATE OR REPLACE FUNCTION cell_uid(p_cell text) RETURNS uuid LANGUAGE sql STABLE AS $$
    SELECT coalesce((SELECT uid FROM document WHERE kind = 'Cell' AND project = '' AND name = p_cell), no_uid())
$$;

-- Refuses drafts for the first of them that cannot be created: its name or uid is taken, or what it refers to is
-- neither stored nor among the drafts up to it. Locks what they refer to.
CREATE OR REPLACE FUNCTION document_check(p_drafts jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_defect record;
BEGIN
    -- Each distinct reference once: a thousand VMs of one project take one lock.
    PERFORM 1 FROM document d
    WHERE d.project = '' AND d.deletion_at IS NULL AND (d.kind, d.name) IN (
        SELECT r.target, r.target_name FROM jsonb_array_elements(p_drafts) v
        CROSS JOIN LATERAL document_references(v ->> 'kind', v ->> 'project', v -> 'spec') r)
    ORDER BY d.uid FOR KEY SHARE;

    WITH draft AS MATERIALIZED (
        SELECT n, v ->> 'kind' AS kind, v ->> 'project' AS project, v ->> 'name' AS name,
            (v ->> 'uid')::uuid AS uid, v -> 'spec' AS spec
        FROM jsonb_array_elements(p_drafts) WITH ORDINALITY e (v, n)
    ), named AS (
        SELECT d.*, row_number() OVER (PARTITION BY kind, project, name ORDER BY n) AS nth,
            row_number() OVER (PARTITION BY uid ORDER BY n) AS nth_uid
        FROM draft d
    ), defect AS (
        SELECT n, 0 AS rank, kind, name, NULL AS field FROM named f
        WHERE nth > 1 OR nth_uid > 1
           OR EXISTS (SELECT 1 FROM document d
                      WHERE d.kind = f.kind AND d.project = f.project AND d.name = f.name)
           OR EXISTS (SELECT 1 FROM document d WHERE d.uid = f.uid)
        UNION ALL
        SELECT f.n, r.rank, r.target, r.target_name, r.field
        FROM draft f CROSS JOIN LATERAL document_references(f.kind, f.project, f.spec) r
        WHERE NOT EXISTS (SELECT 1 FROM document d WHERE d.kind = r.target AND d.project = ''
                          AND d.name = r.target_name AND d.deletion_at IS NULL)
          AND NOT EXISTS (SELECT 1 FROM draft o WHERE o.n <= f.n AND o.kind = r.target AND o.project = ''
                          AND o.name = r.target_name)
    )
    SELECT * INTO v_defect FROM defect ORDER BY n, rank LIMIT 1;
    IF v_defect.n IS NULL THEN RETURN; END IF;
    PERFORM refuse(CASE v_defect.rank WHEN 0 THEN 'BA005' ELSE 'BA009' END,
        json_build_object('kind', v_defect.kind, 'name', v_defect.name, 'field', v_defect.field)::text);
END $$;

-- Makes the rows that go with new documents: of hosts in the ledger, of projects in the quotas.
CREATE OR REPLACE FUNCTION document_rows(p_drafts jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    -- Most creations are of workloads, which have none of these.
    IF NOT p_drafts @? '$[*] ? (@.kind == "Host" || @.kind == "Project")' THEN RETURN; END IF;
    -- Without a status a host has no room, and it is suspect until a session brings it.
    INSERT INTO host_ledger (host, name, cell, pool, zone, rack, substrate, labels, inventory, contact,
                             cpu_total, mem_total, cpu_reserved, mem_reserved, cpu_ratio, cordoned, draining)
    SELECT (v ->> 'uid')::uuid, v ->> 'name', v #>> '{spec,cell}', v #>> '{spec,pool}',
        coalesce(i #>> '{domain,zone}', ''), coalesce(i #>> '{domain,rack}', ''), coalesce(i ->> 'substrate', ''),
        coalesce(i -> 'labels', '{}') || (v -> 'labels'), coalesce(i, '{}'),
        coalesce(v #>> '{status,contact}', 'Suspect'),
        coalesce((i #>> '{capacity,milliCPU}')::bigint, 0), coalesce((i #>> '{capacity,memoryMiB}')::bigint, 0),
        coalesce((i #>> '{reserved,milliCPU}')::bigint, 0), coalesce((i #>> '{reserved,memoryMiB}')::bigint, 0),
        pool_ratio(v #>> '{spec,pool}'), coalesce((v #>> '{spec,cordoned}')::boolean, false),
        coalesce((v #>> '{spec,draining}')::boolean, false)
    FROM jsonb_array_elements(p_drafts) v CROSS JOIN LATERAL (SELECT v #> '{status,inventory}' AS i) s
    WHERE v ->> 'kind' = 'Host';
    INSERT INTO device (uuid, host, facts)
    SELECT e ->> 'uuid', (v ->> 'uid')::uuid, e FROM jsonb_array_elements(p_drafts) v
    CROSS JOIN LATERAL jsonb_array_elements(v #> '{status,inventory,devices}') e
    WHERE v ->> 'kind' = 'Host';
    PERFORM project_bounds(v ->> 'name', v -> 'spec') FROM jsonb_array_elements(p_drafts) v
    WHERE v ->> 'kind' = 'Project';
END $$;

-- Creates all drafts or none.
CREATE OR REPLACE FUNCTION document_create_1(p_drafts jsonb, p_actor text, p_request text, p_verb text)
RETURNS TABLE (o_uid uuid, o_xid xid8, o_seq bigint, o_at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_xid xid8 := pg_current_xact_id();
    v_floor xid8 := pg_snapshot_xmin(pg_current_snapshot());
BEGIN
    PERFORM document_check(p_drafts);
    RETURN QUERY
    WITH draft AS (
        SELECT (v ->> 'uid')::uuid AS uid, v ->> 'kind' AS kind, v ->> 'project' AS project,
            v ->> 'name' AS name, v -> 'labels' AS labels, v -> 'annotations' AS annotations,
            ARRAY(SELECT jsonb_array_elements_text(v -> 'finalizers')) AS finalizers,
            v -> 'spec' AS spec, v -> 'status' AS status, n
        FROM jsonb_array_elements(p_drafts) WITH ORDINALITY e (v, n)
    ), made AS (
        INSERT INTO document AS m (uid, kind, project, name, labels, annotations, rv_xid, rv_seq, created_at,
                              finalizers, spec, status)
        SELECT uid, kind, project, name, labels, annotations, v_xid, nextval('change_seq'), v_now, finalizers,
            spec, status
        FROM draft ORDER BY n
        RETURNING m.uid, m.kind, m.project, m.name, m.rv_seq, m.cell
    ), changes AS (
        INSERT INTO change (xid, seq, floor, at, change, kind, uid, project, name, cell)
        SELECT v_xid, made.rv_seq, v_floor, v_now, 'created', made.kind, made.uid, made.project, made.name,
            made.cell
        FROM made
    ), audits AS (
        INSERT INTO audit (at, actor, request_id, verb, kind, project, name)
        SELECT v_now, p_actor, p_request, p_verb, made.kind, made.project, made.name FROM made
    ), events AS (
        INSERT INTO event (at, kind, project, name, uid, reason, message, source)
        SELECT v_now, made.kind, made.project, made.name, made.uid, 'Created', 'created by ' || p_actor, p_actor
        FROM made
    )
    SELECT made.uid, v_xid, made.rv_seq, v_now FROM made;
    PERFORM document_rows(p_drafts);
END $$;

-- Creates one document at most once per (actor, key); a repeat answers the version of the first call.
CREATE OR REPLACE FUNCTION document_create_once_1(
    p_key text, p_hash text, p_drafts jsonb, p_actor text, p_request text, p_verb text
) RETURNS TABLE (o_draft jsonb, o_xid xid8, o_seq bigint, o_at timestamptz, o_replayed boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_earlier idempotency;
    v_made record;
BEGIN
    -- Waits for a call with the same key that is running.
    INSERT INTO idempotency (actor, key, request_hash, draft, rv_xid, rv_seq, created_at)
    VALUES (p_actor, p_key, p_hash, p_drafts -> 0, pg_current_xact_id(), 0, basalt_now())
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT * INTO STRICT v_earlier FROM idempotency WHERE actor = p_actor AND key = p_key;
        IF v_earlier.request_hash <> p_hash THEN PERFORM refuse('BA010', p_key); END IF;
        RETURN QUERY SELECT v_earlier.draft, v_earlier.rv_xid, v_earlier.rv_seq, v_earlier.created_at, true;
        RETURN;
    END IF;
    SELECT * INTO STRICT v_made FROM document_create_1(p_drafts, p_actor, p_request, p_verb);
    UPDATE idempotency SET rv_seq = v_made.o_seq, created_at = v_made.o_at WHERE actor = p_actor AND key = p_key;
    RETURN QUERY SELECT p_drafts -> 0, v_made.o_xid, v_made.o_seq, v_made.o_at, false;
END $$;

-- Locks a document for a change. A host's ledger row is locked before its document, as everywhere.
CREATE OR REPLACE FUNCTION document_lock_1(p_kind text, p_project text, p_name text) RETURNS SETOF document
LANGUAGE plpgsql AS $$
BEGIN
    IF p_kind = 'Host' THEN
        PERFORM 1 FROM host_ledger h WHERE h.host = (
            SELECT d.uid FROM document d WHERE d.kind = 'Host' AND d.project = '' AND d.name = p_name)
        FOR UPDATE;
    END IF;
    RETURN QUERY SELECT * FROM document d WHERE d.kind = p_kind AND d.project = p_project AND d.name = p_name
    FOR NO KEY UPDATE;
END $$;

-- Host rows follow their document: schedulability and pool move the ledger's generation, labels do not.
CREATE OR REPLACE FUNCTION host_follow(p_uid uuid, p_spec jsonb, p_labels jsonb) RETURNS void LANGUAGE sql AS $$
    UPDATE host_ledger h SET
        cell = n.cell, pool = n.pool, cpu_ratio = n.ratio, cordoned = n.cordoned, draining = n.draining,
        labels = coalesce(h.inventory -> 'labels', '{}') || p_labels,
        generation = h.generation + ((h.cell, h.pool, h.cpu_ratio, h.cordoned, h.draining)
            IS DISTINCT FROM (n.cell, n.pool, n.ratio, n.cordoned, n.draining))::int
    FROM (SELECT p_spec ->> 'cell' AS cell, p_spec ->> 'pool' AS pool, pool_ratio(p_spec ->> 'pool') AS ratio,
              coalesce((p_spec ->> 'cordoned')::boolean, false) AS cordoned,
              coalesce((p_spec ->> 'draining')::boolean, false) AS draining) n
    WHERE h.host = p_uid
$$;

-- A changed ratio reaches every host of the pool. Below what is used it is legal: only worsening is refused.
CREATE OR REPLACE FUNCTION pool_follow(p_pool text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM host_ledger h WHERE h.pool = p_pool AND h.cpu_ratio <> pool_ratio(p_pool)
    ORDER BY h.host FOR NO KEY UPDATE;
    WITH moved AS (
        UPDATE host_ledger SET cpu_ratio = pool_ratio(p_pool), generation = generation + 1
        WHERE pool = p_pool AND cpu_ratio <> pool_ratio(p_pool)
        RETURNING host, name, cell
    )
    INSERT INTO change (xid, seq, floor, at, change, kind, uid, name, cell)
    SELECT pg_current_xact_id(), nextval('change_seq'), pg_snapshot_xmin(pg_current_snapshot()), basalt_now(),
        'updated', 'Host', host, name, cell
    FROM moved;
END $$;

-- A pool with hosts, and a host with unreleased allocations, stay in their cell: ledger rows carry it.
CREATE OR REPLACE FUNCTION document_move(p_old document, p_spec jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_user text;
BEGIN
    IF (p_old.spec -> 'cell') IS NOT DISTINCT FROM (p_spec -> 'cell') THEN RETURN; END IF;
    IF p_old.kind = 'Pool' THEN
        SELECT 'host ' || h.name INTO v_user FROM host_ledger h WHERE h.pool = p_old.name ORDER BY h.host LIMIT 1;
    ELSIF p_old.kind = 'Host' THEN
        SELECT 'allocation ' || a.id INTO v_user FROM allocation a
        WHERE a.host = p_old.uid AND a.state <> 'released' ORDER BY a.id LIMIT 1;
    END IF;
    IF v_user IS NOT NULL THEN
        PERFORM refuse('BA008', json_build_object('kind', p_old.kind, 'name', p_old.name, 'by', v_user)::text);
    END IF;
END $$;

-- Writes the edited columns of a document whose row the caller has locked.
CREATE OR REPLACE FUNCTION document_update_1(
    p_uid uuid, p_labels jsonb, p_annotations jsonb, p_finalizers text[], p_spec jsonb,
    p_actor text, p_request text, p_verb text, p_reason text, p_message text
) RETURNS TABLE (o_generation bigint, o_revision bigint, o_xid xid8, o_seq bigint) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_old document;
    v_new document;
    v_each record;
BEGIN
    SELECT * INTO STRICT v_old FROM document WHERE uid = p_uid;
    IF v_old.spec <> p_spec THEN
        FOR v_each IN SELECT * FROM document_references(v_old.kind, v_old.project, p_spec) ORDER BY rank LOOP
            PERFORM document_reference(v_each.target, v_each.target_name, v_each.field);
        END LOOP;
        PERFORM document_move(v_old, p_spec);
    END IF;
    UPDATE document SET
        spec = p_spec, labels = p_labels, annotations = p_annotations, finalizers = p_finalizers,
        generation = generation + (spec <> p_spec)::int,
        revision = revision + (labels <> p_labels OR annotations <> p_annotations
                               OR finalizers <> p_finalizers)::int,
        rv_xid = pg_current_xact_id(), rv_seq = nextval('change_seq')
    WHERE uid = p_uid RETURNING * INTO v_new;

    IF v_new.kind = 'Host' THEN
        PERFORM host_follow(p_uid, p_spec, p_labels);
    ELSIF v_new.kind = 'Pool' THEN
        PERFORM pool_follow(v_new.name);
    ELSIF v_new.kind = 'Project' THEN
        PERFORM project_bounds(v_new.name, p_spec);
    END IF;

    INSERT INTO change (xid, seq, floor, at, change, kind, uid, project, name, cell)
    VALUES (v_new.rv_xid, v_new.rv_seq, pg_snapshot_xmin(pg_current_snapshot()), v_now, 'updated', v_new.kind,
            p_uid, v_new.project, v_new.name, v_new.cell);
    INSERT INTO audit (at, actor, request_id, verb, kind, project, name)
    VALUES (v_now, p_actor, p_request, p_verb, v_new.kind, v_new.project, v_new.name);
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    VALUES (v_now, v_new.kind, v_new.project, v_new.name, p_uid, p_reason, p_message, p_actor);
    RETURN QUERY SELECT v_new.generation, v_new.revision, v_new.rv_xid, v_new.rv_seq;
END $$;

-- What refers to a document, or null. Allocations of a workload do not hold it while it has finalizers, which
-- wait for them.
CREATE OR REPLACE FUNCTION document_user(p_document document) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT by FROM (
        SELECT d.kind || ' ' || d.name AS by FROM document d
        WHERE p_document.kind IN ('Cell', 'Pool', 'Flavor') AND d.kind IN ('Host', 'Pool', 'VM')
          AND EXISTS (SELECT 1 FROM document_references(d.kind, d.project, d.spec) r
                      WHERE r.target = p_document.kind AND r.target_name = p_document.name)
        UNION ALL
        SELECT 'VM ' || name FROM document
        WHERE p_document.kind = 'Project' AND kind = 'VM' AND project = p_document.name
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

-- Forgets a document, leaving its last version in the feed.
CREATE OR REPLACE FUNCTION document_remove(p_document document, p_message text, p_source text) RETURNS document
LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
BEGIN
    p_document.rv_xid := pg_current_xact_id();
    p_document.rv_seq := nextval('change_seq');
    DELETE FROM document WHERE uid = p_document.uid;
    IF p_document.kind = 'Project' THEN
        DELETE FROM quota_usage WHERE project = p_document.name AND used = 0;
        UPDATE quota_usage SET bound = NULL WHERE project = p_document.name;
    END IF;
    INSERT INTO change (xid, seq, floor, at, change, kind, uid, project, name, cell, final)
    VALUES (p_document.rv_xid, p_document.rv_seq, pg_snapshot_xmin(pg_current_snapshot()), v_now, 'deleted',
            p_document.kind, p_document.uid, p_document.project, p_document.name, p_document.cell,
            to_jsonb(p_document));
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    VALUES (v_now, p_document.kind, p_document.project, p_document.name, p_document.uid, 'Deleted', p_message,
            p_source);
    RETURN p_document;
END $$;

-- Marks a document as being deleted, or removes it when nobody has to finish first.
CREATE OR REPLACE FUNCTION document_delete_1(
    p_kind text, p_project text, p_name text, p_tag text, p_actor text, p_request text, p_verb text
) RETURNS TABLE (o_document document, o_removed boolean) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_old document;
    v_tag text;
    v_user text;
BEGIN
    PERFORM document_lock_1(p_kind, p_project, p_name);
    SELECT * INTO v_old FROM document WHERE kind = p_kind AND project = p_project AND name = p_name FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM refuse('BA004', json_build_object('kind', p_kind, 'name', p_name)::text);
    END IF;
    v_tag := v_old.uid || '.' || v_old.generation || '.' || v_old.revision;
    IF p_tag IS NOT NULL AND p_tag <> v_tag THEN PERFORM refuse('BA006', v_tag); END IF;
    IF v_old.deletion_at IS NOT NULL THEN
        RETURN QUERY SELECT v_old, false;
        RETURN;
    END IF;
    v_user := document_user(v_old);
    IF v_user IS NOT NULL THEN
        PERFORM refuse('BA008', json_build_object('kind', p_kind, 'name', p_name, 'by', v_user)::text);
    END IF;
    INSERT INTO audit (at, actor, request_id, verb, kind, project, name)
    VALUES (v_now, p_actor, p_request, p_verb, p_kind, p_project, p_name);
    IF cardinality(v_old.finalizers) = 0 THEN
        RETURN QUERY SELECT document_remove(v_old, 'deleted by ' || p_actor, p_actor), true;
        RETURN;
    END IF;
    UPDATE document SET deletion_at = v_now, revision = revision + 1, rv_xid = pg_current_xact_id(),
        rv_seq = nextval('change_seq')
    WHERE uid = v_old.uid RETURNING * INTO v_old;
    INSERT INTO change (xid, seq, floor, at, change, kind, uid, project, name, cell)
    VALUES (v_old.rv_xid, v_old.rv_seq, pg_snapshot_xmin(pg_current_snapshot()), v_now, 'updated', p_kind,
            v_old.uid, p_project, p_name, v_old.cell);
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    VALUES (v_now, p_kind, p_project, p_name, v_old.uid, 'DeletionRequested', 'deletion requested by ' || p_actor,
            p_actor);
    RETURN QUERY SELECT v_old, false;
END $$;
