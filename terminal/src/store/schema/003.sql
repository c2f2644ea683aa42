-- Version 3 of the terminal's store: what is shown to a restored centre, and what the centre signed of its audit chain.

-- 1 while the centre, restored from a backup, was not yet asked whether it has this envelope.
ALTER TABLE outbox ADD COLUMN to_offer INTEGER NOT NULL DEFAULT 0;
-- When it was seen that nobody has the content any more: erased here, and lost at the centre.
ALTER TABLE outbox ADD COLUMN gone_ms INTEGER;
CREATE INDEX outbox_to_offer ON outbox (envelope_id) WHERE to_offer = 1;
-- When the receipt came, in the time that this terminal has lived (trusted time).
ALTER TABLE receipt ADD COLUMN received_lived_ms INTEGER;

-- Ends of the centre's audit chain as it signed them, the newest 400.
CREATE TABLE audit_head (
    epoch    TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    hash     TEXT NOT NULL,
    signed_ms INTEGER NOT NULL,
    document TEXT NOT NULL,
    PRIMARY KEY (epoch, seq)
) STRICT;
