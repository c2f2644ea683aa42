-- 分批发布: which terminals run which catalogue version, what they said of it, and what was withdrawn in an emergency.

-- One row a version that was rolled out. `before_` is what terminals ran before it, `way_back` the version that was
-- signed beforehand with the content of `before_`. The newest row says what every terminal runs.
CREATE TABLE rollout (
    id BIGINT PRIMARY KEY,
    version BIGINT NOT NULL UNIQUE,
    way_back BIGINT,
    before_ BIGINT NOT NULL,
    rings TEXT NOT NULL,
    back_by_itself BIGINT NOT NULL,
    state TEXT NOT NULL,
    ring BIGINT NOT NULL,
    ring_began_ms BIGINT NOT NULL,
    began_ms BIGINT NOT NULL,
    changed_ms BIGINT NOT NULL
);

-- Terminals of a rollout, each in its ring, fixed when it begins.
CREATE TABLE rollout_terminal (
    rollout BIGINT NOT NULL REFERENCES rollout (id),
    terminal TEXT NOT NULL REFERENCES terminal (id),
    ring BIGINT NOT NULL,
    adopted_ms BIGINT,
    failed_ms BIGINT,
    failure TEXT NOT NULL,
    tries BIGINT NOT NULL,
    PRIMARY KEY (rollout, terminal)
);
CREATE INDEX rollout_terminal_by_ring ON rollout_terminal (rollout, ring);

-- What was done with a rollout: by whom, when, why.
CREATE TABLE rollout_step (
    id BIGINT PRIMARY KEY,
    rollout BIGINT NOT NULL REFERENCES rollout (id),
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    step TEXT NOT NULL,
    ring BIGINT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX rollout_step_by_rollout ON rollout_step (rollout, id);

-- The last heartbeat of each terminal. `number_` rises, so that an old one that comes again changes nothing.
CREATE TABLE heartbeat (
    terminal TEXT PRIMARY KEY REFERENCES terminal (id),
    number_ BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    catalogue BIGINT NOT NULL,
    order_ BIGINT NOT NULL,
    failures TEXT NOT NULL,
    program TEXT NOT NULL,
    queued BIGINT NOT NULL,
    oldest_ms BIGINT,
    parked BIGINT NOT NULL,
    disk_free BIGINT,
    clock_offset_ms BIGINT
);

-- Items that nobody may begin, whatever the catalogue says.
CREATE TABLE withdrawn (
    item TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    since_ms BIGINT NOT NULL,
    actor TEXT NOT NULL
);
