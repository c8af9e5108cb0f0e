-- Questions for output on their way to agents, and the answers on their way back. A crash may lose them: whoever
-- reads asks again.
CREATE UNLOGGED TABLE IF NOT EXISTS log_question (
    id       uuid PRIMARY KEY,
    session  uuid NOT NULL,
    asked_at timestamptz NOT NULL,
    question text NOT NULL,
    taken    boolean NOT NULL DEFAULT false,
    answer   text
);
CREATE INDEX IF NOT EXISTS log_question_waiting ON log_question (session, asked_at) WHERE NOT taken;
