-- What routers see of serving deployments: the last report of each.
CREATE TABLE IF NOT EXISTS serving_report (
    deployment uuid NOT NULL REFERENCES document (uid) ON DELETE CASCADE,
    router     text COLLATE "C" NOT NULL,
    report     jsonb NOT NULL,
    at         timestamptz NOT NULL,
    PRIMARY KEY (deployment, router)
) WITH (fillfactor = 50);

-- Takes a report in the place of the router's last one. Routers that have not been heard of for a day are forgotten.
CREATE OR REPLACE FUNCTION serving_take_1(p_deployment uuid, p_report jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO serving_report AS s (deployment, router, report, at)
    SELECT d.uid, p_report ->> 'router', p_report, basalt_now()
    FROM document d WHERE d.uid = p_deployment AND d.kind = 'ServingDeployment'
    ON CONFLICT (deployment, router) DO UPDATE SET report = excluded.report, at = excluded.at;
    DELETE FROM serving_report WHERE deployment = p_deployment AND at < basalt_now() - interval '1 day';
END $$;

-- The last report of each router of the last hour.
CREATE OR REPLACE FUNCTION serving_reports_1(p_deployments uuid[])
RETURNS TABLE (deployment uuid, report text, at timestamptz) LANGUAGE sql STABLE AS $$
    SELECT s.deployment, s.report::text, s.at FROM serving_report s
    WHERE s.deployment = ANY (p_deployments) AND s.at >= basalt_now() - interval '1 hour'
    ORDER BY s.deployment, s.router
$$;
