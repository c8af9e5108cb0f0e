-- Injected faults. All that is under way is one book with one version: a change is made of the whole, so that two
-- requests never pass the same limit.

CREATE TABLE IF NOT EXISTS fault_book (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    version bigint NOT NULL DEFAULT 0,
    -- Who switched all faults off, when and why; null while they may run.
    kill_switch jsonb
);
INSERT INTO fault_book DEFAULT VALUES ON CONFLICT DO NOTHING;

CREATE TABLE IF NOT EXISTS fault (
    name text COLLATE "C" PRIMARY KEY,
    record jsonb NOT NULL,
    is_open boolean NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX IF NOT EXISTS fault_open ON fault (name) WHERE is_open;
CREATE INDEX IF NOT EXISTS fault_by_age ON fault (created_at DESC, name DESC);

CREATE TABLE IF NOT EXISTS fault_injector (
    name text COLLATE "C" PRIMARY KEY,
    -- Targets, when it was last heard of, and what lies on its disk unaccounted for.
    entry jsonb NOT NULL
);

-- Writes what changed of the book of a version; false, and nothing is written, when another change came between.
CREATE OR REPLACE FUNCTION fault_commit_1(
    p_version bigint, p_switch jsonb, p_faults jsonb, p_injectors jsonb, p_actor text, p_request text, p_verb text,
    p_subject text
) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE fault_book SET version = version + 1, kill_switch = p_switch WHERE version = p_version;
    IF NOT FOUND THEN RETURN false; END IF;
    INSERT INTO fault AS f (name, record, is_open, created_at)
    SELECT v ->> 'name', v, v ->> 'finishedAt' IS NULL, basalt_now() FROM jsonb_array_elements(p_faults) e (v)
    ON CONFLICT (name) DO UPDATE SET record = excluded.record, is_open = excluded.is_open,
        created_at = CASE WHEN f.record ->> 'createdAt' = excluded.record ->> 'createdAt' THEN f.created_at
                          ELSE excluded.created_at END;
    INSERT INTO fault_injector (name, entry) SELECT key, value FROM jsonb_each(p_injectors)
    ON CONFLICT (name) DO UPDATE SET entry = excluded.entry;
    DELETE FROM fault WHERE NOT is_open AND created_at < basalt_now() - interval '90 days';
    IF p_actor IS NOT NULL THEN
        INSERT INTO audit (at, actor, request_id, verb, name)
        VALUES (basalt_now(), p_actor, p_request, p_verb, p_subject);
    END IF;
    RETURN true;
END $$;
