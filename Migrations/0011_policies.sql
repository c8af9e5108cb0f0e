-- Policies as documents, and every spec that a document had, of the kinds that are listed.

-- A version is `metadata.generation` with the spec that it stands for.
CREATE TABLE IF NOT EXISTS document_version (
    document   uuid NOT NULL,
    version    bigint NOT NULL,
    at         timestamptz NOT NULL,
    actor      text NOT NULL,
    request_id text,
    verb       text NOT NULL,
    spec       jsonb NOT NULL,
    PRIMARY KEY (document, version)
);

-- Every write of a document writes its audit row in the same transaction, so a version takes from there who, when
-- and why. A write that left the spec alone finds its version there already.
CREATE OR REPLACE FUNCTION document_version_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO document_version (document, version, at, actor, request_id, verb, spec)
    SELECT d.uid, d.generation, NEW.at, NEW.actor, NEW.request_id, NEW.verb, d.spec
    FROM document d WHERE d.kind = NEW.kind AND d.project = NEW.project AND d.name = NEW.name
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- The kinds with `keepsHistory`: another one is listed here and below, by a migration that declares both anew. The
-- condition keeps the others from paying for a call.
CREATE OR REPLACE TRIGGER audit_version AFTER INSERT ON audit FOR EACH ROW
    WHEN (NEW.kind = ANY (ARRAY['Policy']) AND NOT NEW.refused) EXECUTE FUNCTION document_version_note();

CREATE OR REPLACE FUNCTION document_version_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM document_version WHERE document = OLD.uid;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER document_version AFTER DELETE ON document FOR EACH ROW
    WHEN (OLD.kind = ANY (ARRAY['Policy'])) EXECUTE FUNCTION document_version_forget();

-- What a document refers to, in the order in which a missing one is reported.
CREATE OR REPLACE FUNCTION document_references(p_kind text, p_project text, p_spec jsonb)
RETURNS TABLE (rank int, field text, target text, target_name text) LANGUAGE sql IMMUTABLE AS $$
    SELECT m.rank, m.field, m.target, m.target_name
    FROM (VALUES
        (1, 'metadata.project', 'Project', CASE WHEN p_kind = 'VM' THEN p_project END),
        (2, 'spec.cell', 'Cell', CASE WHEN p_kind IN ('VM', 'Host', 'Pool') THEN p_spec ->> 'cell' END),
        (3, 'spec.pool', 'Pool', CASE WHEN p_kind IN ('VM', 'Host') THEN p_spec ->> 'pool' END),
        (4, 'spec.flavor', 'Flavor', CASE WHEN p_kind = 'VM' THEN p_spec ->> 'flavor' END),
        (5, 'spec.policies.placement', 'Policy',
         CASE WHEN p_kind = 'Pool' THEN p_spec #>> '{policies,placement}' END)
    ) m (rank, field, target, target_name)
    WHERE m.target_name IS NOT NULL
$$;

-- What refers to a document, or null. Allocations of a workload do not hold it while it has finalizers, which
-- wait for them.
CREATE OR REPLACE FUNCTION document_user(p_document document) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT by FROM (
        SELECT d.kind || ' ' || d.name AS by FROM document d
        WHERE (p_document.kind IN ('Cell', 'Pool', 'Flavor') AND d.kind IN ('Host', 'Pool', 'VM')
               OR p_document.kind = 'Policy' AND d.kind = 'Pool')
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

-- As before, but that a part which left an exit code did run, whatever its agent calls its end: it stopped. With 126
-- and 127 agents say, as shells do, that there was nothing to run.
CREATE OR REPLACE FUNCTION parts_seen(p_session uuid, p_parts jsonb) RETURNS seen_part[] LANGUAGE sql STABLE AS $$
    WITH part AS (
        SELECT e.n, v, h.name, h.host, h.cell, (v ->> 'allocation')::uuid AS allocation,
            CASE jsonb_typeof(v -> 'directive') WHEN 'object' THEN v -> 'directive' END AS directive
        FROM jsonb_array_elements(p_parts) WITH ORDINALITY e (v, n)
        LEFT JOIN LATERAL (SELECT * FROM host_ledger l WHERE l.session = p_session AND l.name = v ->> 'host' OFFSET 0)
            h ON true
    ), told AS (
        SELECT p.*, row_number() OVER (PARTITION BY p.allocation ORDER BY n) > 1 AS again,
            directive IS NOT NULL AND NOT EXISTS (SELECT 1 FROM allocation a WHERE a.id = p.allocation) AS lost
        FROM part p
    ), broken AS (
        SELECT t.*, (again OR lost OR lag(lost, 1, false) OVER (ORDER BY n))::int AS breaks FROM told t
    )
    SELECT array_agg(ROW (n, sum, v ->> 'host', host, cell, allocation,
                          CASE WHEN v ->> 'state' = 'failed' AND v ->> 'exitCode' NOT IN ('126', '127')
                               THEN 'stopped' ELSE v ->> 'state' END,
                          concat_ws(', ', v ->> 'message', 'exit code ' || (v ->> 'exitCode')),
                          directive)::seen_part ORDER BY n)
    FROM (SELECT b.*, sum(breaks) OVER (ORDER BY n) FROM broken b) r
$$;

-- Releases what has ended. Only what was never seen running can have failed to start.
CREATE OR REPLACE FUNCTION parts_end(p_parts seen_part[], p_source text) RETURNS uuid[] LANGUAGE plpgsql AS $$
DECLARE
    v_ended record;
BEGIN
    SELECT array_agg(a.id ORDER BY p.n) AS ids, array_agg(DISTINCT a.host) AS hosts,
        array_agg(CASE WHEN a.state = 'releasing' THEN 'Released'
                       WHEN a.state = 'reserved' AND p.state = 'failed' THEN 'StartFailed'
                       ELSE 'Exited' END ORDER BY p.n) AS reasons,
        array_agg(p.message ORDER BY p.n) AS messages
    INTO v_ended
    FROM unnest(p_parts) p JOIN allocation a ON a.id = p.allocation
    WHERE p.host = a.host AND p.state IN ('stopped', 'failed') AND a.state <> 'released';
    IF v_ended.ids IS NULL THEN RETURN '{}'; END IF;
    PERFORM allocation_release(v_ended.ids, v_ended.reasons, v_ended.messages, p_source);
    RETURN v_ended.hosts;
END $$;
