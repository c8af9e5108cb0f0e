-- What placement by lifetimes knows of a cell and of its hosts, as its controller wrote it down: the text is the
-- engine's own. A host is what the last note says and the VMs that plans put there since, in their order, which are
-- written with their allocations and therefore hold for accepted groups alone.
CREATE TABLE IF NOT EXISTS cell_lifetime (
    cell    text PRIMARY KEY,
    content jsonb NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS host_lifetime (
    host     uuid PRIMARY KEY REFERENCES host_ledger (host) ON DELETE CASCADE,
    cell     text NOT NULL,
    -- Null until there is a note: the host was empty.
    kept     jsonb,
    arrivals jsonb NOT NULL DEFAULT '[]'
) WITH (fillfactor = 50);
CREATE INDEX IF NOT EXISTS host_lifetime_cell ON host_lifetime (cell);
-- What models of lifetimes learn from: the youngest ends of a cell.
CREATE INDEX IF NOT EXISTS allocation_ended ON allocation (cell, id) WHERE state = 'released';

-- Replaces what is known of the cell and of the hosts named. Hosts that are gone are left out.
CREATE OR REPLACE FUNCTION lifetime_note(p_cell text, p_content jsonb, p_hosts jsonb) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    IF p_content IS NULL THEN RETURN; END IF;
    INSERT INTO cell_lifetime (cell, content) VALUES (p_cell, p_content)
    ON CONFLICT (cell) DO UPDATE SET content = excluded.content;
    INSERT INTO host_lifetime (host, cell, kept)
    SELECT h.host, p_cell, n.value FROM jsonb_each(p_hosts) n JOIN host_ledger h ON h.host = n.key::uuid
    ORDER BY h.host
    ON CONFLICT (host) DO UPDATE SET cell = excluded.cell, kept = excluded.kept, arrivals = '[]';
END $$;

CREATE OR REPLACE FUNCTION lifetime_note_1(p_cell text, p_token bigint, p_content jsonb, p_hosts jsonb)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lease_check(p_cell, p_token);
    PERFORM lifetime_note(p_cell, p_content, p_hosts);
END $$;

-- Applies a plan, with the notes that it was made on and what it predicts of the VMs that it places.
CREATE OR REPLACE FUNCTION ledger_commit_lifetimes_1(
    p_cell text, p_token bigint, p_content text, p_statuses jsonb, p_note jsonb, p_hosts jsonb)
RETURNS TABLE (o_xid xid8, o_refusals jsonb) LANGUAGE plpgsql AS $$
DECLARE
    v_input jsonb := p_content::jsonb;
BEGIN
    SELECT c.o_xid, c.o_refusals INTO o_xid, o_refusals
    FROM ledger_commit_1(p_cell, p_token, p_content, p_statuses) c;
    PERFORM lifetime_note(p_cell, p_note, p_hosts);
    INSERT INTO host_lifetime (host, cell, arrivals)
    SELECT a.host, p_cell,
        jsonb_agg(jsonb_build_object('allocation', a.id, 'lifetime', v -> 'lifetime') ORDER BY g.n, e.n)
    FROM jsonb_array_elements(v_input -> 'groups') WITH ORDINALITY g (directives, n)
    CROSS JOIN LATERAL jsonb_array_elements(g.directives) WITH ORDINALITY e (v, n)
    JOIN allocation a ON a.plan = (v_input ->> 'id')::uuid
        AND a.id = CASE WHEN v ? 'lifetime' THEN (v #>> '{allocation,id}')::uuid END
    GROUP BY a.host ORDER BY a.host
    ON CONFLICT (host) DO UPDATE SET cell = excluded.cell, arrivals = host_lifetime.arrivals || excluded.arrivals;
    RETURN NEXT;
END $$;
