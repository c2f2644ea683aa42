-- 账号: people who work at the centre, their sessions, and wrong sign-ins.

-- Somebody who may sign in. Never removed: audit rows name its id. Roles stand between blanks.
CREATE TABLE account (
    id TEXT PRIMARY KEY,
    place BIGINT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    display TEXT NOT NULL,
    unit TEXT NOT NULL,
    roles TEXT NOT NULL,
    locked BIGINT NOT NULL,
    password TEXT NOT NULL,
    must_change BIGINT NOT NULL,
    password_at_ms BIGINT NOT NULL,
    created_at_ms BIGINT NOT NULL,
    signed_in_at_ms BIGINT,
    version BIGINT NOT NULL
);

-- Who is signed in: only the digest of the browser's token is kept.
CREATE TABLE session (
    token_digest TEXT PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (id),
    created_at_ms BIGINT NOT NULL,
    seen_at_ms BIGINT NOT NULL
);
CREATE INDEX session_by_account ON session (account, created_at_ms);

-- Wrong sign-ins since the last right one, under a hash of a sign-in name or of an address.
CREATE TABLE sign_in_failure (
    key_hash TEXT PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_ms BIGINT NOT NULL
);
CREATE INDEX sign_in_failure_by_time ON sign_in_failure (last_ms);
