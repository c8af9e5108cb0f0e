-- Workloads of several parts: training jobs and serving deployments. Their engines name the parts and say part by part
-- what each runs, so that this stands with the allocation; how a part ended stands there too, for whoever has to tell a
-- rank that is done from one that crashed.

-- What the part runs, where its engine says so; null where the workload's document does.
ALTER TABLE allocation ADD COLUMN IF NOT EXISTS task jsonb;
-- How the part ended by its agent's word.
ALTER TABLE allocation ADD COLUMN IF NOT EXISTS exit_code bigint;
ALTER TABLE allocation ADD COLUMN IF NOT EXISTS end_message text;

-- The cell of the new kinds is where that of VMs is. A generated column takes another expression only as another column.
DO $$ BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
        WHERE d.adrelid = 'document'::regclass AND a.attname = 'cell'
          AND pg_get_expr(d.adbin, d.adrelid) LIKE '%TrainingJob%') THEN
        ALTER TABLE document DROP COLUMN cell, ADD COLUMN cell text GENERATED ALWAYS AS (
            CASE WHEN kind = 'Cell' THEN name::text
                 WHEN kind IN ('Pool', 'Host', 'VM', 'TrainingJob', 'ServingDeployment')
                 THEN coalesce(spec ->> 'cell', status ->> 'cell') END) STORED;
    END IF;
END $$;

-- What a document refers to, in the order in which a missing one is reported.
CREATE OR REPLACE FUNCTION document_references(p_kind text, p_project text, p_spec jsonb)
RETURNS TABLE (rank int, field text, target text, target_name text) LANGUAGE sql IMMUTABLE AS $$
    SELECT m.rank, CASE WHEN p_kind = 'VMGroup' AND m.rank > 1 THEN 'spec.template.' || m.field ELSE m.field END,
        m.target, m.target_name
    FROM (VALUES
        (1, 'metadata.project', 'Project',
         CASE WHEN p_kind IN ('VM', 'VMGroup', 'TrainingJob', 'ServingDeployment') THEN p_project END),
        (2, 'spec.cell', 'Cell',
         CASE WHEN p_kind IN ('VM', 'Host', 'Pool', 'TrainingJob', 'ServingDeployment') THEN p_spec ->> 'cell'
              WHEN p_kind = 'VMGroup' THEN p_spec #>> '{template,spec,cell}' END),
        (3, 'spec.pool', 'Pool',
         CASE WHEN p_kind IN ('VM', 'Host', 'TrainingJob', 'ServingDeployment') THEN p_spec ->> 'pool'
              WHEN p_kind = 'VMGroup' THEN p_spec #>> '{template,spec,pool}' END),
        (4, 'spec.flavor', 'Flavor', CASE WHEN p_kind = 'VM' THEN p_spec ->> 'flavor'
                                          WHEN p_kind = 'VMGroup' THEN p_spec #>> '{template,spec,flavor}' END),
        (5, 'spec.policies.placement', 'Policy',
         CASE WHEN p_kind = 'Pool' THEN p_spec #>> '{policies,placement}' END),
        (6, 'spec.policies.oversubscription', 'Policy',
         CASE WHEN p_kind IN ('Cell', 'Pool', 'Host') THEN p_spec #>> '{policies,oversubscription}' END)
    ) m (rank, field, target, target_name)
    WHERE m.target_name IS NOT NULL
$$;

-- What refers to a document, or null. Allocations of a workload, and members of a group, do not hold it while it
-- has finalizers, which wait for them.
CREATE OR REPLACE FUNCTION document_user(p_document document) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT by FROM (
        SELECT d.kind || ' ' || d.name AS by FROM document d
        WHERE (p_document.kind IN ('Cell', 'Pool', 'Flavor')
               AND d.kind IN ('Host', 'Pool', 'VM', 'VMGroup', 'TrainingJob', 'ServingDeployment')
               OR p_document.kind = 'Policy' AND d.kind IN ('Pool', 'Cell', 'Host'))
          AND EXISTS (SELECT 1 FROM document_references(d.kind, d.project, d.spec) r
                      WHERE r.target = p_document.kind AND r.target_name = p_document.name)
        UNION ALL
        SELECT kind || ' ' || name FROM document
        WHERE p_document.kind = 'Project' AND kind IN ('VM', 'VMGroup', 'TrainingJob', 'ServingDeployment')
          AND project = p_document.name
        UNION ALL
        SELECT 'allocation ' || id FROM allocation
        WHERE p_document.kind = 'Host' AND host = p_document.uid AND state <> 'released'
        UNION ALL
        SELECT 'allocation ' || id FROM allocation
        WHERE p_document.kind IN ('VM', 'TrainingJob', 'ServingDeployment')
          AND cardinality(p_document.finalizers) = 0 AND workload = p_document.uid AND state <> 'released'
        UNION ALL
        SELECT 'allocation ' || id FROM allocation
        WHERE p_document.kind = 'Project' AND project = p_document.name AND state <> 'released'
    ) users LIMIT 1
$$;

-- Releases what has ended, and writes down how. Only what was never seen running can have failed to start. A part's
-- sentence ends with its exit code, where there is one: `parts_seen` makes it so.
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
    UPDATE allocation a SET exit_code = substring(p.message FROM 'exit code (-?[0-9]+)$')::bigint,
        end_message = p.message
    FROM unnest(p_parts) p
    WHERE a.id = p.allocation AND a.id = ANY (v_ended.ids);
    PERFORM allocation_release(v_ended.ids, v_ended.reasons, v_ended.messages, p_source);
    RETURN v_ended.hosts;
END $$;

-- Applies a plan whose parts bring what they run.
CREATE OR REPLACE FUNCTION ledger_commit_tasks_1(
    p_cell text, p_token bigint, p_content text, p_statuses jsonb, p_note jsonb, p_hosts jsonb)
RETURNS TABLE (o_xid xid8, o_refusals jsonb) LANGUAGE plpgsql AS $$
DECLARE
    v_input jsonb := p_content::jsonb;
BEGIN
    SELECT c.o_xid, c.o_refusals INTO o_xid, o_refusals
    FROM ledger_commit_lifetimes_1(p_cell, p_token, p_content, p_statuses, p_note, p_hosts) c;
    UPDATE allocation a SET task = t.task
    FROM (
        SELECT (v #>> '{allocation,id}')::uuid AS id, v #> '{allocation,task}' AS task
        FROM jsonb_array_elements(v_input -> 'groups') g CROSS JOIN LATERAL jsonb_array_elements(g) v
        WHERE v ->> 'directive' = 'allocate' AND jsonb_typeof(v #> '{allocation,task}') = 'object'
    ) t
    -- An id that was refused because it was used before is another's.
    WHERE a.id = t.id AND a.plan = (v_input ->> 'id')::uuid;
    RETURN NEXT;
END $$;

-- How far parts of training jobs are, as their processes told their agents. Kept when a part has ended: its last words
-- say where the job goes on.
CREATE TABLE IF NOT EXISTS part_progress (
    allocation      uuid PRIMARY KEY REFERENCES allocation (id) ON DELETE CASCADE,
    step            bigint NOT NULL,
    checkpoint_step bigint NOT NULL,
    iteration_ms    double precision,
    at              timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Takes what a session tells of parts on its hosts; a part that is told of twice counts as last told. What is known of
-- a checkpoint is never taken back.
CREATE OR REPLACE FUNCTION progress_take_1(p_session uuid, p_parts jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO part_progress AS p (allocation, step, checkpoint_step, iteration_ms, at)
    SELECT DISTINCT ON (a.id) a.id, (v ->> 'step')::bigint, (v ->> 'checkpointStep')::bigint,
        (v ->> 'iterationMilliseconds')::double precision, basalt_now()
    FROM jsonb_array_elements(p_parts) WITH ORDINALITY e (v, n)
    JOIN allocation a ON a.id = (v ->> 'allocation')::uuid
    JOIN host_ledger h ON h.host = a.host AND h.session = p_session
    ORDER BY a.id, n DESC
    ON CONFLICT (allocation) DO UPDATE SET step = excluded.step,
        checkpoint_step = greatest(p.checkpoint_step, excluded.checkpoint_step),
        iteration_ms = coalesce(excluded.iteration_ms, p.iteration_ms), at = excluded.at;
END $$;
