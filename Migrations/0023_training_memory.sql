-- What the training engine of a cell learnt and counted: use of projects, plans that ran out of memory, measured steps. One
-- document per cell, written whole by who holds the cell's lease.
CREATE TABLE IF NOT EXISTS training_memory (
    cell    uuid PRIMARY KEY REFERENCES document (uid) ON DELETE CASCADE,
    content jsonb NOT NULL,
    at      timestamptz NOT NULL
);

CREATE OR REPLACE FUNCTION training_memory_keep_1(p_cell text, p_token bigint, p_content jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lease_check(p_cell, p_token);
    INSERT INTO training_memory (cell, content, at)
    SELECT uid, p_content, basalt_now() FROM document WHERE kind = 'Cell' AND project = '' AND name = p_cell
    ON CONFLICT (cell) DO UPDATE SET content = EXCLUDED.content, at = EXCLUDED.at;
END $$;
