-- How the devices of a terminal are, as JSON, by its last heartbeat.
ALTER TABLE heartbeat ADD COLUMN devices TEXT NOT NULL DEFAULT '[]';
