-- 目录编辑: when items and bundles changed and by whom, drafts of changes, and versions that wait for their signature.

-- One row for each content that an item or bundle had, under the first version that has it. Editor, checker and note
-- are empty where the version was not made from drafts.
CREATE TABLE item_revision (
    code TEXT NOT NULL,
    version BIGINT NOT NULL REFERENCES catalogue (version),
    revision BIGINT NOT NULL,
    digest TEXT NOT NULL,
    stored_at_ms BIGINT NOT NULL,
    editor TEXT NOT NULL,
    checker TEXT NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (code, version)
);
CREATE INDEX item_revision_by_version ON item_revision (version);

-- The one draft of an item that is being changed. It goes when it is published or discarded; the audit tells of it.
-- Makers stand between blanks: everybody who changed it, so that none of them checks it.
CREATE TABLE catalogue_draft (
    code TEXT PRIMARY KEY,
    base_version BIGINT NOT NULL REFERENCES catalogue (version),
    content TEXT NOT NULL,
    version BIGINT NOT NULL,
    state TEXT NOT NULL,
    makers TEXT NOT NULL,
    editor TEXT NOT NULL,
    note TEXT NOT NULL,
    checker TEXT NOT NULL,
    reason TEXT NOT NULL,
    begun_at_ms BIGINT NOT NULL,
    changed_at_ms BIGINT NOT NULL
);

-- Versions that were made from approved drafts: their numbers are never given out again. Drafts stand as JSON.
CREATE TABLE catalogue_candidate (
    version BIGINT PRIMARY KEY,
    base_version BIGINT NOT NULL REFERENCES catalogue (version),
    digest TEXT NOT NULL,
    document TEXT NOT NULL,
    drafts TEXT NOT NULL,
    state TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at_ms BIGINT NOT NULL
);
