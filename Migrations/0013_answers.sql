-- Answers to verbs that were sent with an idempotency key. A document that was created with one has its own: the row
-- is written in the transaction that creates it.

-- Counts who performed the request; 0 is a document's.
ALTER TABLE idempotency ADD COLUMN IF NOT EXISTS claim bigint NOT NULL DEFAULT 0;
-- What repeats are answered; null while the request is performed.
ALTER TABLE idempotency ADD COLUMN IF NOT EXISTS answer text;

-- Claims a key for a request: a claim to perform it, or the answer of an earlier one, or neither while another call
-- performs it. A claim older than `p_patience` is taken over.
CREATE OR REPLACE FUNCTION request_claim_1(p_key text, p_hash text, p_actor text, p_patience interval)
RETURNS TABLE (o_claim bigint, o_answer text) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := basalt_now();
    v_earlier idempotency;
BEGIN
    INSERT INTO idempotency (actor, key, request_hash, draft, rv_xid, rv_seq, created_at, claim)
    VALUES (p_actor, p_key, p_hash, '{}', pg_current_xact_id(), 0, v_now, 1)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN QUERY SELECT 1::bigint, NULL::text;
        RETURN;
    END IF;
    SELECT * INTO v_earlier FROM idempotency WHERE actor = p_actor AND key = p_key FOR UPDATE;
    -- Given back between the two: the next call finds it free.
    IF NOT FOUND THEN RETURN; END IF;
    IF v_earlier.request_hash <> p_hash THEN PERFORM refuse('BA010', p_key); END IF;
    IF v_earlier.answer IS NOT NULL THEN
        RETURN QUERY SELECT NULL::bigint, v_earlier.answer;
    ELSIF v_earlier.created_at + p_patience <= v_now THEN
        RETURN QUERY UPDATE idempotency SET claim = claim + 1, created_at = v_now
        WHERE actor = p_actor AND key = p_key RETURNING claim, NULL::text;
    END IF;
END $$;
