-- Pages and photos that envelopes name. The bytes lie beside the store under their digest, sealed as they came.
CREATE TABLE blob_ (
    envelope_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    length BIGINT NOT NULL,
    kind TEXT NOT NULL,
    page BIGINT NOT NULL,
    arrived_at_ms BIGINT,
    PRIMARY KEY (envelope_id, digest)
);

-- Uploads on their way, at most one for a blob of an envelope. What came of them lies in files beside the store.
CREATE TABLE upload (
    id TEXT PRIMARY KEY,
    envelope_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    length BIGINT NOT NULL,
    terminal TEXT NOT NULL,
    station TEXT NOT NULL,
    state TEXT NOT NULL,
    expires_at_ms BIGINT NOT NULL
);
CREATE INDEX upload_by_blob ON upload (envelope_id, digest);
CREATE INDEX upload_by_end ON upload (expires_at_ms);
