-- 保存与销毁: what was erased and what must not be, and the daily heads of the audit chain.

-- Content that was erased: its keys are destroyed. `done` is 0 until everything of it is gone.
CREATE TABLE erasure (
    envelope_id TEXT PRIMARY KEY,
    at_ms BIGINT NOT NULL,
    why TEXT NOT NULL,
    done BIGINT NOT NULL
);
CREATE INDEX erasure_that_is_open ON erasure (envelope_id) WHERE done = 0;
-- Only few envelopes refer to another one; they go with it.
CREATE INDEX envelope_that_refers ON envelope (refers_to) WHERE refers_to IS NOT NULL;

-- Content that is kept whatever its time says.
CREATE TABLE legal_hold (
    envelope_id TEXT PRIMARY KEY,
    reason TEXT NOT NULL,
    since_ms BIGINT NOT NULL,
    actor TEXT NOT NULL
);

-- The end of the audit chain as it was signed, once a day.
CREATE TABLE audit_head (
    epoch TEXT NOT NULL,
    day_ TEXT NOT NULL,
    seq BIGINT NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (epoch, day_)
);

-- Submissions that a terminal has a receipt of, that the centre lost, and that nobody has any more.
CREATE TABLE lost_submission (
    envelope_id TEXT PRIMARY KEY,
    number TEXT,
    terminal TEXT NOT NULL,
    accepted_at_ms BIGINT NOT NULL,
    told_at_ms BIGINT NOT NULL
);
