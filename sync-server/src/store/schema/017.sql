-- 短信: what a citizen is told by message, one row an action that tells. Neither a number nor a word stands here: both are
-- taken from the case at the moment of sending, and go with it. `state` only rises (services/notifications.rs);
-- `next_ms` is when something is to be done for it, none where nothing is. `gateway_id` is the gateway's name for it.
CREATE TABLE notification (
    envelope_id TEXT NOT NULL REFERENCES case_ (envelope_id),
    version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    queued_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    next_ms BIGINT,
    gateway_id TEXT,
    reason TEXT NOT NULL,
    PRIMARY KEY (envelope_id, version)
) WITHOUT ROWID;
CREATE INDEX notification_by_next ON notification (next_ms, envelope_id) WHERE next_ms IS NOT NULL;
CREATE INDEX notification_by_gateway ON notification (gateway_id) WHERE gateway_id IS NOT NULL;
CREATE INDEX notification_that_failed ON notification (envelope_id) WHERE state = 'failed';
CREATE INDEX notification_by_state ON notification (state, queued_at_ms, envelope_id, version);
CREATE INDEX notification_by_time ON notification (queued_at_ms, envelope_id, version);
