-- 异地代收转办: what is taken in for another region, or comes from one. `side` says which of the two this centre is for it
-- (accepting, home), `partner` is the code of the other region. State, version, round, form version and number follow
-- from the steps. `unit` decides it (home side; empty if the catalogue does not have the item), `clerk` took it in
-- (accepting side). The content of the accepting side is sealed under a key of its own, which lies wrapped under the key
-- of the year; both are gone some days after the home region accepted it, or once it said that it is not its own.
CREATE TABLE handoff (
    id TEXT NOT NULL,
    side TEXT NOT NULL,
    partner TEXT NOT NULL,
    item TEXT NOT NULL,
    title TEXT NOT NULL,
    unit TEXT NOT NULL,
    clerk TEXT NOT NULL,
    legal_tenths BIGINT NOT NULL,
    legal_unit TEXT NOT NULL,
    form_version BIGINT NOT NULL,
    state TEXT NOT NULL,
    version BIGINT NOT NULL,
    received_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    key_id TEXT,
    key_nonce BLOB,
    wrapped BLOB,
    nonce BLOB,
    sealed BLOB,
    PRIMARY KEY (id)
) WITHOUT ROWID;
CREATE INDEX handoff_by_clerk ON handoff (clerk, received_at_ms) WHERE side = 'accepting';
CREATE INDEX handoff_by_unit ON handoff (unit, state, received_at_ms) WHERE side = 'home';
CREATE INDEX handoff_by_partner ON handoff (partner, state) WHERE side = 'home';
-- Steps, only added; `message` is the one that brought or told it.
CREATE TABLE handoff_step (
    handoff TEXT NOT NULL REFERENCES handoff (id),
    version BIGINT NOT NULL,
    side TEXT NOT NULL,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    step TEXT NOT NULL,
    message TEXT,
    PRIMARY KEY (handoff, version)
) WITHOUT ROWID;
-- Signed messages in both directions (`out`, `in`). `state`: waiting, confirmed, dropped (out: nobody went on with its
-- handoff), taken, odd (in: it did not follow; its document is not kept).
-- `document` is emptied once its sealed part is needed no more; digest and receipt stay, so that whoever sends it again
-- hears the same.
CREATE TABLE partner_message (
    id TEXT NOT NULL,
    handoff TEXT NOT NULL,
    partner TEXT NOT NULL,
    direction TEXT NOT NULL,
    seq BIGINT NOT NULL,
    state TEXT NOT NULL,
    digest TEXT NOT NULL,
    document TEXT NOT NULL,
    tries BIGINT NOT NULL,
    next_ms BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    PRIMARY KEY (id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX partner_message_place ON partner_message (handoff, partner, direction, seq);
CREATE INDEX partner_message_due ON partner_message (next_ms) WHERE state = 'waiting';
CREATE INDEX partner_message_odd ON partner_message (partner, at_ms) WHERE state = 'odd';
-- Forms of other regions as they were last heard of, so that a form can be filled while its region does not answer.
CREATE TABLE partner_form (
    partner TEXT NOT NULL,
    item TEXT NOT NULL,
    catalogue_version BIGINT NOT NULL,
    digest TEXT NOT NULL,
    document TEXT NOT NULL,
    heard_at_ms BIGINT NOT NULL,
    PRIMARY KEY (partner, item)
) WITHOUT ROWID;
