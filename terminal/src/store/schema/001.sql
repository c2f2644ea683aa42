-- Version 1 of the terminal's store. Later versions are added as further files; this one never changes.
-- Instants are milliseconds since 1970 (UTC); digests are 64 hexadecimal digits; documents are JSON text.

-- Single facts: lineage, next_seq, counter, identity, cursor, server_epoch, server_offset_ms.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

-- Every catalogue version that this terminal ever used, kept for ever.
CREATE TABLE catalogue (
    version INTEGER PRIMARY KEY,
    digest  TEXT NOT NULL,
    json    TEXT NOT NULL,
    kept_ms INTEGER NOT NULL
) STRICT;

-- What leaves this terminal. `ciphertext` becomes NULL once the centre has it in a verified backup.
CREATE TABLE outbox (
    envelope_id TEXT PRIMARY KEY,
    lineage     TEXT NOT NULL,
    seq         INTEGER NOT NULL,
    kind        TEXT NOT NULL,
    header      BLOB NOT NULL,
    ciphertext  BLOB,
    digest      TEXT NOT NULL,
    signature   BLOB NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('queued', 'delivered', 'quarantined', 'conflict')),
    reason      TEXT,
    attempts    INTEGER NOT NULL DEFAULT 0,
    last_error  TEXT,
    next_try_ms INTEGER NOT NULL DEFAULT 0,
    created_ms  INTEGER NOT NULL,
    UNIQUE (lineage, seq)
) STRICT;
CREATE INDEX outbox_state ON outbox (state);

-- The slip (凭条) of each submission and its four marks. No name, no ID number: the person is found by HMAC.
CREATE TABLE slip (
    envelope_id    TEXT PRIMARY KEY REFERENCES outbox (envelope_id),
    number         TEXT NOT NULL,
    corrected_from TEXT,
    item           TEXT NOT NULL,
    person_hmac    BLOB NOT NULL,
    document       TEXT NOT NULL,
    qr_url         TEXT NOT NULL,
    saved_ms       INTEGER NOT NULL,
    delivered_ms   INTEGER,
    accepted_ms    INTEGER,
    completed_ms   INTEGER,
    case_state     TEXT,
    case_version   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX slip_person ON slip (person_hmac, saved_ms);

-- Verified receipts (回执), kept 90 days so that a restored server can be offered what it lost.
CREATE TABLE receipt (
    envelope_id    TEXT PRIMARY KEY REFERENCES outbox (envelope_id),
    document       TEXT NOT NULL,
    server_seq     INTEGER NOT NULL,
    accepted_at_ms INTEGER NOT NULL,
    received_ms    INTEGER NOT NULL
) STRICT;

-- What was done, with ids and digests only.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at_ms   INTEGER NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    digest  TEXT
) STRICT;
