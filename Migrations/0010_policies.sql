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
