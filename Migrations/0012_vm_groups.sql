-- Groups of VMs: documents whose members, VMs themselves, a controller makes and takes away.

-- Members of a group; a VM names its group in `spec.group`, which no user writes.
CREATE INDEX IF NOT EXISTS document_member ON document ((spec #>> '{group,uid}'))
    WHERE kind = 'VM' AND spec ? 'group';

-- What a document refers to, in the order in which a missing one is reported. A group refers to what its members
-- will.
CREATE OR REPLACE FUNCTION document_references(p_kind text, p_project text, p_spec jsonb)
RETURNS TABLE (rank int, field text, target text, target_name text) LANGUAGE sql IMMUTABLE AS $$
    SELECT m.rank, CASE WHEN p_kind = 'VMGroup' AND m.rank > 1 THEN 'spec.template.' || m.field ELSE m.field END,
        m.target, m.target_name
    FROM (VALUES
        (1, 'metadata.project', 'Project', CASE WHEN p_kind IN ('VM', 'VMGroup') THEN p_project END),
        (2, 'spec.cell', 'Cell', CASE WHEN p_kind IN ('VM', 'Host', 'Pool') THEN p_spec ->> 'cell'
                                      WHEN p_kind = 'VMGroup' THEN p_spec #>> '{template,spec,cell}' END),
        (3, 'spec.pool', 'Pool', CASE WHEN p_kind IN ('VM', 'Host') THEN p_spec ->> 'pool'
                                      WHEN p_kind = 'VMGroup' THEN p_spec #>> '{template,spec,pool}' END),
        (4, 'spec.flavor', 'Flavor', CASE WHEN p_kind = 'VM' THEN p_spec ->> 'flavor'
                                          WHEN p_kind = 'VMGroup' THEN p_spec #>> '{template,spec,flavor}' END),
        (5, 'spec.policies.placement', 'Policy',
         CASE WHEN p_kind = 'Pool' THEN p_spec #>> '{policies,placement}' END)
    ) m (rank, field, target, target_name)
    WHERE m.target_name IS NOT NULL
$$;

-- What refers to a document, or null. Allocations of a workload, and members of a group, do not hold it while it
-- has finalizers, which wait for them.
CREATE OR REPLACE FUNCTION document_user(p_document document) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT by FROM (
        SELECT d.kind || ' ' || d.name AS by FROM document d
        WHERE (p_document.kind IN ('Cell', 'Pool', 'Flavor') AND d.kind IN ('Host', 'Pool', 'VM', 'VMGroup')
               OR p_document.kind = 'Policy' AND d.kind = 'Pool')
          AND EXISTS (SELECT 1 FROM document_references(d.kind, d.project, d.spec) r
                      WHERE r.target = p_document.kind AND r.target_name = p_document.name)
        UNION ALL
        SELECT kind || ' ' || name FROM document
        WHERE p_document.kind = 'Project' AND kind IN ('VM', 'VMGroup') AND project = p_document.name
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

-- Makes and takes away members of a group, all in one transaction, so that nobody sees half of them. False, and
-- nothing done, when the group is no longer as the caller read it.
CREATE OR REPLACE FUNCTION group_change_1(
    p_cell text, p_token bigint, p_group uuid, p_generation bigint, p_drafts jsonb, p_gone uuid[],
    p_events jsonb, p_actor text, p_request text, p_verb text
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_group document;
    v_member record;
BEGIN
    PERFORM lease_check(p_cell, p_token);
    SELECT * INTO v_group FROM document WHERE uid = p_group AND kind = 'VMGroup' FOR NO KEY UPDATE;
    IF NOT FOUND OR v_group.generation <> p_generation THEN RETURN false; END IF;
    IF jsonb_array_length(p_drafts) > 0 THEN
        IF v_group.deletion_at IS NOT NULL THEN RETURN false; END IF;
        PERFORM document_create_1(p_drafts, p_actor, p_request, p_verb);
    END IF;
    FOR v_member IN
        SELECT d.project, d.name FROM document d
        WHERE d.uid = ANY (p_gone) AND d.kind = 'VM' AND d.spec #>> '{group,uid}' = p_group::text ORDER BY d.uid
    LOOP
        PERFORM document_delete_1('VM', v_member.project, v_member.name, NULL, p_actor, p_request, p_verb);
    END LOOP;
    INSERT INTO event (at, kind, project, name, uid, reason, message, source)
    SELECT basalt_now(), e ->> 'kind', e ->> 'project', e ->> 'name', (e ->> 'uid')::uuid, e ->> 'reason',
        e ->> 'message', e ->> 'source'
    FROM jsonb_array_elements(p_events) WITH ORDINALITY x (e, n) ORDER BY n;
    RETURN true;
END $$;

-- Removes groups that are marked deleted and have no member left.
CREATE OR REPLACE FUNCTION group_finalize_1(p_cell text, p_token bigint, p_uids uuid[]) RETURNS SETOF uuid
LANGUAGE plpgsql AS $$
DECLARE
    v_document document;
BEGIN
    PERFORM lease_check(p_cell, p_token);
    FOR v_document IN
        SELECT * FROM document g
        WHERE g.uid = ANY (p_uids) AND g.kind = 'VMGroup' AND g.deletion_at IS NOT NULL
          AND NOT EXISTS (SELECT 1 FROM document m WHERE m.kind = 'VM' AND m.spec ? 'group'
                          AND m.spec #>> '{group,uid}' = g.uid::text)
        ORDER BY g.uid FOR UPDATE
    LOOP
        PERFORM document_remove(v_document, 'every member is gone', 'controller');
        RETURN NEXT v_document.uid;
    END LOOP;
END $$;
