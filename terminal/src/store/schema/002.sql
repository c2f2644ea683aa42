-- Version 2 of the terminal's store: forms that somebody left unfinished (草稿), one for a person and an item.
-- Answers and their key are sealed; the person is found by HMAC under a key of this purpose only. `written_ms` counts
-- milliseconds that this terminal has lived (trusted time), not since 1970.
CREATE TABLE draft (
    person_hmac       BLOB NOT NULL,
    item              TEXT NOT NULL,
    envelope_id       TEXT NOT NULL,
    catalogue_version INTEGER NOT NULL,
    written_ms        INTEGER NOT NULL,
    wrapped_key       BLOB NOT NULL,
    content           BLOB NOT NULL,
    PRIMARY KEY (person_hmac, item)
) STRICT;
CREATE INDEX draft_written ON draft (written_ms);
