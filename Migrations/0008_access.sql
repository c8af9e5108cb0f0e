-- Tokens that are bound to projects, and refused attempts in the audit log.

-- Projects that a token is bound to; null reaches the whole fleet.
ALTER TABLE access_token ADD COLUMN IF NOT EXISTS projects text[];

-- Whether the row tells of an attempt that was refused; nothing was changed then.
ALTER TABLE audit ADD COLUMN IF NOT EXISTS refused boolean NOT NULL DEFAULT false;
-- Who asks about somebody reads newest first.
CREATE INDEX IF NOT EXISTS audit_actor ON audit (actor, id);
