-- 窗口: visits to a window with their times, whose case is whose, and forms that are not handed in yet. A visit says
-- nothing of a person. A draft is sealed under the data key that its envelope will have, which lies wrapped beside it;
-- its row goes when the form is handed in, thrown away or too old. A page lies sealed under its digest where attachments
-- lie; its row is written before its bytes, so that nothing is left that nobody knows of.
CREATE TABLE visit (
    id TEXT PRIMARY KEY,
    window_ TEXT NOT NULL,
    clerk TEXT NOT NULL,
    kind TEXT NOT NULL,
    opened_at_ms BIGINT NOT NULL,
    called_at_ms BIGINT,
    started_at_ms BIGINT,
    finished_at_ms BIGINT,
    ended TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX visit_open ON visit (clerk) WHERE ended = '';
CREATE INDEX visit_opened ON visit (opened_at_ms);
CREATE TABLE visit_case (
    envelope_id TEXT PRIMARY KEY REFERENCES case_ (envelope_id),
    visit TEXT NOT NULL REFERENCES visit (id),
    clerk TEXT NOT NULL,
    server_seq BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX visit_case_clerk ON visit_case (clerk, server_seq);
CREATE INDEX visit_case_visit ON visit_case (visit);
CREATE TABLE window_draft (
    envelope_id TEXT PRIMARY KEY,
    visit TEXT NOT NULL REFERENCES visit (id),
    clerk TEXT NOT NULL,
    item TEXT NOT NULL,
    catalogue_version BIGINT NOT NULL,
    begun_at_ms BIGINT NOT NULL,
    saved_at_ms BIGINT NOT NULL,
    key_id TEXT NOT NULL,
    key_nonce BLOB NOT NULL,
    wrapped BLOB NOT NULL,
    nonce BLOB NOT NULL,
    sealed BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX window_draft_clerk ON window_draft (clerk);
CREATE INDEX window_draft_saved ON window_draft (saved_at_ms);
CREATE TABLE window_page (
    envelope_id TEXT NOT NULL REFERENCES window_draft (envelope_id),
    page BIGINT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (envelope_id, page)
) WITHOUT ROWID;
