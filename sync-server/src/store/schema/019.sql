-- 缴费. A bill is the fold of its events (`bill_event`, JSON, never changed); `bill` and `refund` are projections of it, for
-- lists and for the thread that speaks with the gateway. Whoever paid is not kept, and no card number ever is. A payment
-- that fits no bill has a bill of its own (`state` stray, without case and unit). `pay_url` is what the gateway gave for
-- the order; `wake_ms` when something is to be done with the gateway, `tries` how often that failed; `simulated` that the
-- gateway that gave `pay_url` is a simulator.
CREATE TABLE bill (
    number TEXT PRIMARY KEY,
    place BIGINT NOT NULL UNIQUE,
    envelope_id TEXT REFERENCES case_ (envelope_id),
    case_number TEXT NOT NULL,
    step TEXT NOT NULL,
    item TEXT NOT NULL,
    unit TEXT NOT NULL,
    state TEXT NOT NULL,
    needs BIGINT NOT NULL,
    fen BIGINT NOT NULL,
    received_fen BIGINT NOT NULL,
    kept_fen BIGINT NOT NULL,
    refunded_fen BIGINT NOT NULL,
    owed_fen BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    version BIGINT NOT NULL,
    opened_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL,
    pay_url TEXT NOT NULL,
    wake_ms BIGINT,
    tries BIGINT NOT NULL,
    simulated BIGINT NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX bill_open ON bill (envelope_id, step) WHERE state = 'open' AND envelope_id IS NOT NULL;
CREATE INDEX bill_of_case ON bill (envelope_id) WHERE envelope_id IS NOT NULL;
CREATE INDEX bill_of_number ON bill (case_number, place);
CREATE INDEX bill_in_state ON bill (state, place);
CREATE INDEX bill_needs ON bill (place) WHERE needs = 1;
CREATE INDEX bill_owed ON bill (place) WHERE owed_fen > 0;
CREATE INDEX bill_due ON bill (wake_ms) WHERE wake_ms IS NOT NULL;
CREATE TABLE bill_event (
    bill TEXT NOT NULL REFERENCES bill (number),
    version BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (bill, version)
) WITHOUT ROWID;
-- Each payment once, by the gateway's number of it, with the order that it named and the way by which it was heard of.
CREATE TABLE payment (
    transaction_no TEXT PRIMARY KEY,
    bill TEXT NOT NULL REFERENCES bill (number),
    order_no TEXT NOT NULL,
    fen BIGINT NOT NULL,
    currency TEXT NOT NULL,
    paid_at_ms BIGINT NOT NULL,
    arrived_at_ms BIGINT NOT NULL,
    way TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX payment_paid ON payment (paid_at_ms);
CREATE TABLE refund (
    number TEXT PRIMARY KEY,
    bill TEXT NOT NULL REFERENCES bill (number),
    place BIGINT NOT NULL,
    transaction_no TEXT NOT NULL,
    fen BIGINT NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    wake_ms BIGINT,
    done_at_ms BIGINT
) WITHOUT ROWID;
CREATE INDEX refund_of_bill ON refund (bill, place);
CREATE INDEX refund_due ON refund (wake_ms) WHERE wake_ms IS NOT NULL;
CREATE INDEX refund_done ON refund (done_at_ms) WHERE done_at_ms IS NOT NULL;
