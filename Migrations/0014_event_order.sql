-- Events are followed as changes are: by (xid, id), below the oldest open transaction. By id alone a follower misses
-- the event of a slower transaction that took its id earlier.

-- Events from before carry the number of this migration, and so stand before all that follow, in the order of ids.
ALTER TABLE event ADD COLUMN IF NOT EXISTS xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX IF NOT EXISTS event_follow ON event (xid, id);
