-- A report names a handful of the session's hosts, of which there may be thousands.
CREATE INDEX IF NOT EXISTS host_ledger_session_name ON host_ledger (session, name);
CREATE INDEX IF NOT EXISTS host_ledger_unreachable ON host_ledger (session) WHERE unreachable;
-- The first of them serves for the session alone as well.
DROP INDEX IF EXISTS host_ledger_session;

-- Reads the directives of a plan, in order. PL/pgSQL keeps the plan of its query; a function in SQL would be
-- planned in every transaction. The allocations are looked up one by one: the planner expects ten thousand
-- directives, for which it would read every allocation there is.
CREATE OR REPLACE FUNCTION ledger_directives(p_plan jsonb) RETURNS ledger_directive[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(array_agg(
        ROW (g.n, e.n, v ->> 'directive',
             CASE v ->> 'directive' WHEN 'allocate' THEN v #>> '{allocation,id}' ELSE v ->> 'allocation' END,
             CASE v ->> 'directive' WHEN 'allocate' THEN v #>> '{allocation,host}' ELSE a.host::text END,
             CASE WHEN v #>> '{allocation,cell}' = p_plan ->> 'cell' THEN v ->> 'hostGeneration' END,
             coalesce(v #>> '{allocation,workload,kind}', a.workload_kind),
             coalesce(v #>> '{allocation,workload,uid}', a.workload::text),
             v ->> 'workloadGeneration',
             coalesce(v #>> '{allocation,workload,project}', a.project),
             coalesce(v #>> '{allocation,workload,name}', a.name),
             coalesce(v #>> '{allocation,workload,part}', a.part),
             v #>> '{allocation,class}', v #>> '{allocation,resources,milliCPU}',
             v #>> '{allocation,resources,memoryMiB}',
             v #>> '{allocation,class}' = 'guaranteed' OR v #>> '{allocation,workload,kind}' <> 'VM',
             ARRAY(SELECT u FROM jsonb_array_elements_text(v #> '{allocation,devices}') u ORDER BY u COLLATE "C"),
             v #>> '{allocation,onPartition}', v #> '{allocation,antiAffinity}',
             coalesce(v ->> 'reason', 'Scheduled'), v ->> 'message', p_plan ->> 'cell')::ledger_directive
        ORDER BY g.n, e.n), '{}')
    FROM jsonb_array_elements(p_plan -> 'groups') WITH ORDINALITY g (directives, n)
    CROSS JOIN LATERAL jsonb_array_elements(g.directives) WITH ORDINALITY e (v, n)
    LEFT JOIN LATERAL (
        SELECT * FROM allocation l
        WHERE l.id = CASE v ->> 'directive' WHEN 'release' THEN (v ->> 'allocation')::uuid END
          AND l.cell = p_plan ->> 'cell'
        OFFSET 0
    ) a ON true);
END $$;
