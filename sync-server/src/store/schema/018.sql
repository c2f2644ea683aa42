-- 送达件: how results (and papers between two centres) are handed over. A row is a projection of its events, written in
-- their transaction. `list_` is the work list in which it stands; `tracking` is emptied when the case is erased.
CREATE TABLE parcel (
    number TEXT PRIMARY KEY,
    envelope_id TEXT NOT NULL REFERENCES case_ (envelope_id),
    unit TEXT NOT NULL,
    state TEXT NOT NULL,
    list_ TEXT NOT NULL,
    version BIGINT NOT NULL,
    round_ BIGINT NOT NULL,
    recalled BIGINT NOT NULL,
    carrier TEXT NOT NULL,
    seal TEXT NOT NULL,
    made_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    tracking TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX parcel_list ON parcel (unit, list_, changed_at_ms, number);
CREATE INDEX parcel_of_case ON parcel (envelope_id);
CREATE INDEX parcel_tracking ON parcel (tracking) WHERE tracking <> '';
-- Append-only. `key_` names the click or the carrier's message: the same one again does nothing. What names somebody (to
-- whom, what is in it, tracking number, words) is sealed under the key of the case, and emptied when the case is erased.
CREATE TABLE parcel_event (
    number TEXT NOT NULL REFERENCES parcel (number),
    version BIGINT NOT NULL,
    envelope_id TEXT NOT NULL,
    body TEXT NOT NULL,
    actor TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    key_ TEXT,
    nonce BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (number, version)
) WITHOUT ROWID;
CREATE UNIQUE INDEX parcel_event_key ON parcel_event (key_) WHERE key_ IS NOT NULL;
CREATE INDEX parcel_event_of_case ON parcel_event (envelope_id);
