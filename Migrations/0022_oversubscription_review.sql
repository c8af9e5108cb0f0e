-- Decisions about ratios are kept for a while and not for ever.

-- The windows of closed decisions sort as their text does.
CREATE INDEX IF NOT EXISTS rate_decision_closed ON rate_decision ((content ->> 'windowStart'))
    WHERE state IN ('superseded', 'rolled_back');

-- Drops closed decisions whose window began before an age of the fleet clock, with their trials. What is in force and
-- what is open stays.
CREATE OR REPLACE FUNCTION rate_keep_1(p_age interval) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    DELETE FROM rate_decision
    WHERE state IN ('superseded', 'rolled_back')
      AND content ->> 'windowStart' < rfc3339(fleet_time(basalt_now()) - p_age);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $$;
