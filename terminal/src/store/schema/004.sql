-- Version 4 of the terminal's store: pages and photos (附件). The bytes lie sealed in files beside the database, named by
-- their digest and synced before the row. `captured`: of a form that is open or a draft. `waiting`: handed in, the centre
-- does not have it yet. `sent`: it has. The file goes when the content of its envelope goes.
CREATE TABLE blob (
    envelope_id TEXT NOT NULL,
    page        INTEGER NOT NULL,
    digest      TEXT NOT NULL UNIQUE,
    length      INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('captured', 'waiting', 'sent')),
    address     TEXT,
    attempts    INTEGER NOT NULL DEFAULT 0,
    last_error  TEXT,
    next_try_ms INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (envelope_id, page)
) STRICT;
CREATE INDEX blob_state ON blob (state);
