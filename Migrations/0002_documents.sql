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

CREATE OR REPLACE FUNCTION document_references(p_kind text, p_project text, p_spec jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_kind = 'Pool' THEN
        PERFORM document_reference('Cell', p_spec ->> 'cell', 'spec.cell');
    ELSIF p_kind = 'Host' THEN
        PERFORM document_reference('Cell', p_spec ->> 'cell', 'spec.cell');
        PERFORM document_reference('Pool', p_spec ->> 'pool', 'spec.pool');
    ELSIF p_kind = 'VM' THEN
        PERFORM document_reference('Project', p_project, 'metadata.project');
        IF p_spec ? 'cell' THEN PERFORM document_reference('Cell', p_spec ->> 'cell', 'spec.cell'); END IF;
        IF p_spec ? 'pool' THEN PERFORM document_reference('Pool', p_spec ->> 'pool', 'spec.pool'); END IF;
        IF p_spec ? 'flavor' THEN
            PERFORM document_reference('Flavor', p_spec ->> 'flavor', 'spec.flavor');
        END IF;
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

-- Creates all drafts or none.
CREATE OR REPLACE FUNCTION document_create_1(p_drafts jsonb, p_actor text, p_request text, p_verb text)
RETURNS TABLE (o_uid uuid, o_xid xid8, o_seq bigint, o_at timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_xid xid8 := pg_current_xact_id();
    v_floor xid8 := pg_snapshot_xmin(pg_current_snapshot());
    v_taken record;
    v_each record;
BEGIN
    -- Each distinct reference once: a thousand VMs of one project take one lock.
    FOR v_each IN
        SELECT DISTINCT d ->> 'kind' AS kind, coalesce(d ->> 'project', '') AS project,
            jsonb_strip_nulls(jsonb_build_object('cell', d #> '{spec,cell}', 'pool', d #> '{spec,pool}',
                                                 'flavor', d #> '{spec,flavor}')) AS spec
        FROM jsonb_array_elements(p_drafts) d
        ORDER BY 1, 2, 3
    LOOP
        PERFORM document_references(v_each.kind, v_each.project, v_each.spec);
    END LOOP;

    SELECT d.kind, d.name INTO v_taken
    FROM jsonb_array_elements(p_drafts) WITH ORDINALITY e (v, n)
    JOIN document d ON d.kind = v ->> 'kind' AND d.project = coalesce(v ->> 'project', '') AND d.name = v ->> 'name'
    ORDER BY n LIMIT 1;
    IF FOUND THEN
        PERFORM refuse('BA005', json_build_object('kind', v_taken.kind, 'name', v_taken.name)::text);
    END IF;

    RETURN QUERY
    WITH draft AS (
        SELECT (v ->> 'uid')::uuid AS uid, v ->> 'kind' AS kind, coalesce(v ->> 'project', '') AS project,
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
        RETURNING m.uid, m.kind, m.project, m.name, m.rv_seq, m.cell, m.spec
    ), changes AS (
        INSERT INTO change (xid, seq, floor, at, change, kind, uid, project, name, cell)
        SELECT v_xid, made.rv_seq, v_floor, v_now, 'created', made.kind, made.uid, made.project, made.name, made.cell
        FROM made
    ), audits AS (
        INSERT INTO audit (at, actor, request_id, verb, kind, project, name)
        SELECT v_now, p_actor, p_request, p_verb, made.kind, made.project, made.name FROM made
    ), events AS (
        INSERT INTO event (at, kind, project, name, uid, reason, message, source)
        SELECT v_now, made.kind, made.project, made.name, made.uid, 'Created', 'created by ' || p_actor, p_actor
        FROM made
    ), ledger AS (
        INSERT INTO host_ledger (host, name, cell, pool, cpu_total, mem_total, cpu_ratio, cordoned, draining)
        SELECT made.uid, made.name, made.spec ->> 'cell', made.spec ->> 'pool', 0, 0,
            pool_ratio(made.spec ->> 'pool'), coalesce((made.spec ->> 'cordoned')::boolean, false),
            coalesce((made.spec ->> 'draining')::boolean, false)
        FROM made WHERE made.kind = 'Host'
    )
    SELECT made.uid, v_xid, made.rv_seq, v_now FROM made;

    FOR v_each IN SELECT d ->> 'name' AS name, d -> 'spec' AS spec FROM jsonb_array_elements(p_drafts) d
                  WHERE d ->> 'kind' = 'Project' LOOP
        PERFORM project_bounds(v_each.name, v_each.spec);
    END LOOP;
END $$;

-- Creates one document at most once per (actor, key); a repeat answers the version of the first call.
CREATE OR REPLACE FUNCTION document_create_once_1(
    p_key text, p_hash text, p_drafts jsonb, p_actor text, p_request text, p_verb text
) RETURNS TABLE (o_uid uuid, o_xid xid8, o_seq bigint, o_at timestamptz, o_replayed boolean)
LANGUAGE plpgsql AS $$
DECLARE
    v_earlier idempotency;
    v_uid uuid := (p_drafts #>> '{0,uid}')::uuid;
    v_made record;
BEGIN
    -- Waits for a call with the same key that is running.
    INSERT INTO idempotency (actor, key, request_hash, uid, rv_xid, rv_seq, created_at)
    VALUES (p_actor, p_key, p_hash, v_uid, pg_current_xact_id(), 0, basalt_now())
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT * INTO STRICT v_earlier FROM idempotency WHERE actor = p_actor AND key = p_key;
        IF v_earlier.request_hash <> p_hash THEN PERFORM refuse('BA010', p_key); END IF;
        RETURN QUERY SELECT v_earlier.uid, v_earlier.rv_xid, v_earlier.rv_seq, v_earlier.created_at, true;
        RETURN;
    END IF;
    SELECT * INTO STRICT v_made FROM document_create_1(p_drafts, p_actor, p_request, p_verb);
    UPDATE idempotency SET rv_seq = v_made.o_seq, created_at = v_made.o_at WHERE actor = p_actor AND key = p_key;
    RETURN QUERY SELECT v_made.o_uid, v_made.o_xid, v_made.o_seq, v_made.o_at, false;
END $$;

-- Host rows follow their document: schedulability and pool move the ledger's generation.
CREATE OR REPLACE FUNCTION host_follow(p_uid uuid, p_spec jsonb, p_labels jsonb) RETURNS void LANGUAGE sql AS $$
    UPDATE host_ledger SET
        cell = p_spec ->> 'cell', pool = p_spec ->> 'pool', cpu_ratio = pool_ratio(p_spec ->> 'pool'),
        cordoned = coalesce((p_spec ->> 'cordoned')::boolean, false),
        draining = coalesce((p_spec ->> 'draining')::boolean, false),
        labels = coalesce(inventory -> 'labels', '{}') || p_labels,
        generation = generation + 1
    WHERE host = p_uid
      AND (cell, pool, cpu_ratio, cordoned, draining, labels) IS DISTINCT FROM
          (p_spec ->> 'cell', p_spec ->> 'pool', pool_ratio(p_spec ->> 'pool'),
           coalesce((p_spec ->> 'cordoned')::boolean, false), coalesce((p_spec ->> 'draining')::boolean, false),
           coalesce(inventory -> 'labels', '{}') || p_labels)
$$;

-- Writes the edited columns of a document whose row the caller has locked.
CREATE OR REPLACE FUNCTION document_update_1(
    p_uid uuid, p_labels jsonb, p_annotations jsonb, p_finalizers text[], p_spec jsonb,
    p_actor text, p_request text, p_verb text
) RETURNS TABLE (o_generation bigint, o_revision bigint, o_xid xid8, o_seq bigint) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_old document;
    v_new document;
BEGIN
    SELECT * INTO STRICT v_old FROM document WHERE uid = p_uid;
    IF v_old.spec = p_spec AND v_old.labels = p_labels AND v_old.annotations = p_annotations
       AND v_old.finalizers = p_finalizers THEN
        RETURN QUERY SELECT v_old.generation, v_old.revision, v_old.rv_xid, v_old.rv_seq;
        RETURN;
    END IF;
    IF v_old.spec <> p_spec THEN PERFORM document_references(v_old.kind, v_old.project, p_spec); END IF;
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
        WITH moved AS (
            UPDATE host_ledger SET cpu_ratio = pool_ratio(v_new.name), generation = generation + 1
            WHERE pool = v_new.name AND cpu_ratio <> pool_ratio(v_new.name)
            RETURNING host, name, cell
        )
        INSERT INTO change (xid, seq, floor, at, change, kind, uid, name, cell)
        SELECT pg_current_xact_id(), nextval('change_seq'), pg_snapshot_xmin(pg_current_snapshot()), v_now,
            'updated', 'Host', host, name, cell
        FROM moved;
    ELSIF v_new.kind = 'Project' THEN
        PERFORM project_bounds(v_new.name, p_spec);
    END IF;

    INSERT INTO change (xid, seq, floor, at, change, kind, uid, project, name, cell)
    VALUES (v_new.rv_xid, v_new.rv_seq, pg_snapshot_xmin(pg_current_snapshot()), v_now, 'updated', v_new.kind,
            p_uid, v_new.project, v_new.name, v_new.cell);
    INSERT INTO audit (at, actor, request_id, verb, kind, project, name)
    VALUES (v_now, p_actor, p_request, p_verb, v_new.kind, v_new.project, v_new.name);
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    VALUES (v_now, v_new.kind, v_new.project, v_new.name, p_uid,
            CASE p_verb WHEN 'cordon' THEN 'Cordoned' WHEN 'uncordon' THEN 'Uncordoned'
                WHEN 'drain' THEN 'Draining' ELSE 'Updated' END,
            p_verb || ' by ' || p_actor || coalesce(': ' || nullif(p_spec ->> 'cordonReason', ''), ''), p_actor);
    RETURN QUERY SELECT v_new.generation, v_new.revision, v_new.rv_xid, v_new.rv_seq;
END $$;

-- What refers to a document, or null.
CREATE OR REPLACE FUNCTION document_user(p_document document) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT by FROM (
        SELECT 'pool ' || name AS by FROM document
        WHERE p_document.kind = 'Cell' AND kind = 'Pool' AND spec ->> 'cell' = p_document.name
        UNION ALL
        SELECT 'host ' || name FROM document
        WHERE p_document.kind = 'Pool' AND kind = 'Host' AND spec ->> 'pool' = p_document.name
        UNION ALL
        SELECT lower(workload_kind) || ' ' || name FROM allocation
        WHERE p_document.kind = 'Host' AND host = p_document.uid AND state <> 'released'
        UNION ALL
        SELECT 'vm ' || name FROM document
        WHERE p_document.kind = 'Project' AND kind = 'VM' AND project = p_document.name
        UNION ALL
        SELECT 'vm ' || project || '/' || name FROM document
        WHERE p_document.kind = 'Flavor' AND kind = 'VM' AND spec ->> 'flavor' = p_document.name
    ) users ORDER BY by LIMIT 1
$$;

-- Forgets a document, leaving its last version in the feed.
CREATE OR REPLACE FUNCTION document_remove(p_document document, p_source text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
BEGIN
    DELETE FROM document WHERE uid = p_document.uid;
    IF p_document.kind = 'Project' THEN
        DELETE FROM quota_usage WHERE project = p_document.name AND used = 0;
    END IF;
    INSERT INTO change (xid, seq, floor, at, change, kind, uid, project, name, cell, final)
    VALUES (pg_current_xact_id(), nextval('change_seq'), pg_snapshot_xmin(pg_current_snapshot()), v_now, 'deleted',
            p_document.kind, p_document.uid, p_document.project, p_document.name, p_document.cell,
            to_jsonb(p_document));
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    VALUES (v_now, p_document.kind, p_document.project, p_document.name, p_document.uid, 'Deleted', 'deleted',
            p_source);
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
        PERFORM document_remove(v_old, p_actor);
        RETURN QUERY SELECT v_old, true;
        RETURN;
    END IF;
    UPDATE document SET deletion_at = v_now, revision = revision + 1, rv_xid = pg_current_xact_id(),
        rv_seq = nextval('change_seq')
    WHERE uid = v_old.uid RETURNING * INTO v_old;
    INSERT INTO change (xid, seq, floor, at, change, kind, uid, project, name, cell)
    VALUES (v_old.rv_xid, v_old.rv_seq, pg_snapshot_xmin(pg_current_snapshot()), v_now, 'updated', p_kind,
            v_old.uid, p_project, p_name, v_old.cell);
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    VALUES (v_now, p_kind, p_project, p_name, v_old.uid, 'DeletionRequested', 'deletion asked for by ' || p_actor,
            p_actor);
    RETURN QUERY SELECT v_old, false;
END $$;
