-- 证照: what granted steps gave. Number, title, unit and days say nothing of a person; the signed certificate is sealed
-- under the key of the case, and emptied when the case is erased. `version` is the action that granted it; of the token
-- there is a keyed hash only. `said` is why somebody revoked it, sealed likewise.
CREATE TABLE certificate (
    number TEXT PRIMARY KEY,
    envelope_id TEXT NOT NULL REFERENCES case_ (envelope_id),
    version BIGINT NOT NULL,
    step TEXT NOT NULL,
    title TEXT NOT NULL,
    unit TEXT NOT NULL,
    valid_from TEXT NOT NULL,
    valid_until TEXT,
    issued_at_ms BIGINT NOT NULL,
    token_hash BLOB NOT NULL,
    nonce BLOB NOT NULL,
    sealed BLOB NOT NULL,
    revoked_at_ms BIGINT,
    revoked_by TEXT,
    why TEXT,
    said_nonce BLOB NOT NULL,
    said BLOB NOT NULL,
    UNIQUE (envelope_id, version)
) WITHOUT ROWID;
CREATE INDEX certificate_revoked ON certificate (number) WHERE revoked_at_ms IS NOT NULL;
