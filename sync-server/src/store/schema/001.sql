-- The centre's store, first version. Migrations are only added, never changed.
-- One SQL for two databases: BIGINT, TEXT and BLOB only; booleans are 0/1, instants are milliseconds since 1970,
-- civil dates are TEXT. A driver for another database may replace the word BLOB and nothing else.

-- What the server knows about itself: epoch, when it was made.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- 目录: every version ever published, kept for ever.
CREATE TABLE catalogue (
    version BIGINT PRIMARY KEY,
    digest TEXT NOT NULL,
    document TEXT NOT NULL,
    stored_at_ms BIGINT NOT NULL
);

-- 网点服务站, as the newest catalogue names them; a station that left the catalogue stays here.
CREATE TABLE station (
    id TEXT PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    district TEXT NOT NULL,
    catalogue_version BIGINT NOT NULL
);

-- One-time codes of enrolment: only their digest is kept.
CREATE TABLE enrol_code (
    digest TEXT PRIMARY KEY,
    station TEXT NOT NULL REFERENCES station (id),
    made_at_ms BIGINT NOT NULL,
    expires_at_ms BIGINT NOT NULL,
    used_at_ms BIGINT,
    used_by TEXT
);

CREATE TABLE terminal (
    id TEXT PRIMARY KEY,
    station TEXT NOT NULL REFERENCES station (id),
    public_key BLOB NOT NULL UNIQUE,
    issuer BIGINT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    software TEXT NOT NULL,
    enrolled_at_ms BIGINT NOT NULL
);

-- The last number that an issuer is known to have used.
CREATE TABLE issuer_counter (
    issuer BIGINT PRIMARY KEY,
    date TEXT NOT NULL,
    counter BIGINT NOT NULL
);

-- 序列: what is known of each lineage of each terminal. Its place says in which order lineages appeared.
CREATE TABLE series (
    terminal TEXT NOT NULL,
    lineage TEXT NOT NULL,
    place BIGINT NOT NULL,
    state TEXT NOT NULL,
    highest_seq BIGINT NOT NULL,
    seqs_seen BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    PRIMARY KEY (terminal, lineage)
);

-- Whatever a terminal sent, exactly as it was signed. Unique is only the envelope id (and the server's own order).
CREATE TABLE envelope (
    server_seq BIGINT PRIMARY KEY,
    envelope_id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    refers_to TEXT,
    terminal TEXT NOT NULL,
    station TEXT NOT NULL,
    lineage TEXT NOT NULL,
    seq BIGINT NOT NULL,
    number TEXT,
    complete BIGINT NOT NULL,
    disposition TEXT NOT NULL,
    digest TEXT NOT NULL,
    signature BLOB NOT NULL,
    header BLOB NOT NULL,
    ciphertext BLOB NOT NULL,
    device_time_ms BIGINT NOT NULL,
    accepted_at_ms BIGINT NOT NULL
);
CREATE INDEX envelope_by_place ON envelope (terminal, lineage, seq);
CREATE INDEX envelope_by_reference ON envelope (refers_to);

-- 办件 as it is now: a projection of its actions, written in the transaction of each action.
CREATE TABLE case_ (
    envelope_id TEXT PRIMARY KEY,
    server_seq BIGINT NOT NULL UNIQUE,
    number TEXT NOT NULL UNIQUE,
    slip_number TEXT,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    reason TEXT NOT NULL,
    item TEXT NOT NULL,
    catalogue_version BIGINT NOT NULL,
    station TEXT NOT NULL,
    terminal TEXT NOT NULL,
    received_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL
);
CREATE INDEX case_by_state ON case_ (state, server_seq);
CREATE INDEX case_by_station ON case_ (station, server_seq);
CREATE INDEX case_by_slip_number ON case_ (slip_number);

-- What happened to a case: append-only.
CREATE TABLE action (
    envelope_id TEXT NOT NULL REFERENCES case_ (envelope_id),
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    body TEXT NOT NULL,
    actor TEXT NOT NULL,
    role TEXT NOT NULL,
    on_behalf_of TEXT,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (envelope_id, version)
);

-- The data key of a case, wrapped under the key of a year. Erasing a case destroys this row (and the header's wrap).
CREATE TABLE case_key (
    envelope_id TEXT PRIMARY KEY,
    key_id TEXT NOT NULL,
    nonce BLOB NOT NULL,
    wrapped BLOB NOT NULL
);

-- Exact search for a person: HMAC of ID number, phone and folded full name.
CREATE TABLE person_key (
    kind TEXT NOT NULL,
    hmac BLOB NOT NULL,
    envelope_id TEXT NOT NULL,
    PRIMARY KEY (kind, hmac, envelope_id)
);
CREATE INDEX person_key_by_case ON person_key (envelope_id);

-- Who did what, in commit order, chained by hash: ids and hashes, never values.
CREATE TABLE audit (
    seq BIGINT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    event TEXT NOT NULL,
    subject TEXT NOT NULL,
    object_digest TEXT NOT NULL,
    previous_hash BLOB NOT NULL,
    hash BLOB NOT NULL
);

-- What people have to look at.
CREATE TABLE alarm (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    object_digest TEXT NOT NULL,
    raised_at_ms BIGINT NOT NULL,
    UNIQUE (kind, subject, object_digest)
);

-- News for stations, in commit order; station * is for all.
CREATE TABLE change_ (
    cursor_ BIGINT PRIMARY KEY,
    station TEXT NOT NULL,
    body TEXT NOT NULL
);
CREATE INDEX change_by_station ON change_ (station, cursor_);
