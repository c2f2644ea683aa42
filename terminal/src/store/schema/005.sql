-- Version 5 of the terminal's store: papers that are to be printed (打印队列). What stands on them is drawn anew from the
-- slip; no word of it lies here. `printing` is committed before the first byte goes to the printer: a row that is found so
-- at the next start may have been printed, and is never printed again by itself.
CREATE TABLE print_job (
    id            INTEGER PRIMARY KEY,
    kind          TEXT NOT NULL CHECK (kind IN ('slip', 'page')),
    envelope_id   TEXT NOT NULL,
    language      TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('queued', 'printing', 'printed', 'failed')),
    -- 1 if it failed and may lie in the tray all the same.
    doubtful      INTEGER NOT NULL DEFAULT 0,
    -- What the printer said last.
    trouble       TEXT,
    tries         INTEGER NOT NULL DEFAULT 0,
    made_ms       INTEGER NOT NULL,
    -- Until then somebody waits for it.
    wait_until_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX print_job_state ON print_job (state);
CREATE INDEX print_job_envelope ON print_job (envelope_id);
