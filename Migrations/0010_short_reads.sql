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

CREATE OR REPLACE FUNCTION session_parts(p_session uuid, p_parts jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    v_source text := 'agent/' || p_session;
    v_parts seen_part[];
    v_round seen_part[];
    v_refused jsonb := '[]';
    v_found jsonb;
    v_ended uuid[];
    v_changed uuid[] := '{}';
BEGIN
    IF jsonb_array_length(p_parts) = 0 THEN RETURN '[]'; END IF;
    PERFORM 1 FROM host_ledger h
    WHERE h.host = ANY (ARRAY(
        SELECT l.host FROM (SELECT DISTINCT v ->> 'host' AS name FROM jsonb_array_elements(p_parts) v) n
        CROSS JOIN LATERAL (
            SELECT host FROM host_ledger WHERE session = p_session AND name = n.name OFFSET 0
        ) l))
      AND h.session = p_session
    ORDER BY h.host FOR NO KEY UPDATE;
    v_parts := parts_seen(p_session, p_parts);

    SELECT coalesce(jsonb_agg(jsonb_build_object('n', n, 'host', host_name, 'allocation', allocation, 'reason',
            'ReportRefused', 'message', 'the session does not hold host ' || host_name) ORDER BY n), '[]')
    INTO v_refused FROM unnest(v_parts) WHERE host IS NULL;
    IF v_refused <> '[]' THEN
        PERFORM session_refused(p_session, array_agg(name ORDER BY n),
            array_agg('the session does not hold host ' || name ORDER BY n), 'report', 'ReportRefused')
        FROM (SELECT host_name, min(n) FROM unnest(v_parts) WHERE host IS NULL GROUP BY 1) r (name, n);
    END IF;

    FOR v_round IN
        SELECT array_agg(p::seen_part ORDER BY p.n) FROM unnest(v_parts) p WHERE p.host IS NOT NULL
        GROUP BY p.round ORDER BY p.round
    LOOP
        SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY r.n), '[]') INTO v_found FROM parts_refused(v_round) r;
        v_refused := v_refused || v_found;
        v_changed := v_changed || parts_stray(v_round, v_source);
        v_changed := v_changed || parts_quarantine(v_round, v_source);
        PERFORM parts_start(v_round, v_source);
        v_ended := parts_end(v_round, v_source);
        v_changed := v_changed || v_ended;
        IF v_ended <> '{}' THEN v_changed := v_changed || parts_unveil(v_round); END IF;
    END LOOP;
    IF v_changed <> '{}' THEN
        UPDATE host_ledger SET assignment = assignment + 1 WHERE host = ANY (v_changed);
    END IF;
    RETURN (SELECT coalesce(jsonb_agg(r - 'n' ORDER BY (r ->> 'n')::bigint), '[]')
            FROM jsonb_array_elements(v_refused) r);
END $$;
