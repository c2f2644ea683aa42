-- 自动审批. A published version of a rule set never changes; which one is in force is the highest of its entry and step.
CREATE TABLE rule_set (
    entry TEXT NOT NULL,
    step TEXT NOT NULL,
    version BIGINT NOT NULL,
    digest TEXT NOT NULL,
    document TEXT NOT NULL,
    published_by TEXT NOT NULL,
    published_at_ms BIGINT NOT NULL,
    PRIMARY KEY (entry, step, version)
) WITHOUT ROWID;
-- 回放: that a version which nobody runs yet was tried over recorded cases, against the one in force; no personal data.
CREATE TABLE rule_replay (
    digest TEXT NOT NULL,
    against TEXT NOT NULL,
    cases BIGINT NOT NULL,
    otherwise_ BIGINT NOT NULL,
    replayed_by TEXT NOT NULL,
    replayed_at_ms BIGINT NOT NULL,
    PRIMARY KEY (digest, against)
) WITHOUT ROWID;
-- What is to be judged by which version, noted when the case is opened. `state`: waiting, person, approved, over.
-- `reasons` are names of rules and facts, as in the action. `tries` counts waits for a source, `failures` turns that failed.
CREATE TABLE automatic (
    envelope_id TEXT NOT NULL REFERENCES case_ (envelope_id),
    step TEXT NOT NULL,
    set_version BIGINT NOT NULL,
    state TEXT NOT NULL,
    tries BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    next_ms BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    reasons TEXT NOT NULL,
    PRIMARY KEY (envelope_id, step)
) WITHOUT ROWID;
CREATE INDEX automatic_due ON automatic (next_ms) WHERE state = 'waiting';
-- The facts of one judgement, sealed under the key of the case; emptied when the case is erased. `version` is the action.
CREATE TABLE judgement (
    envelope_id TEXT NOT NULL REFERENCES case_ (envelope_id),
    version BIGINT NOT NULL,
    entry TEXT NOT NULL,
    step TEXT NOT NULL,
    set_version BIGINT NOT NULL,
    at_ms BIGINT NOT NULL,
    nonce BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (envelope_id, version)
) WITHOUT ROWID;
CREATE INDEX judgement_of_set ON judgement (entry, step, at_ms);
-- Each look into a data source for a case: what for and on what ground, never what was said.
CREATE TABLE source_look (
    envelope_id TEXT NOT NULL REFERENCES case_ (envelope_id),
    place BIGINT NOT NULL,
    source TEXT NOT NULL,
    purpose TEXT NOT NULL,
    basis TEXT NOT NULL,
    consent TEXT NOT NULL,
    simulated BIGINT NOT NULL,
    asked_at_ms BIGINT NOT NULL,
    took_ms BIGINT NOT NULL,
    answered TEXT NOT NULL,
    PRIMARY KEY (envelope_id, place)
) WITHOUT ROWID;
-- Names of companies that cannot be had: kept for somebody until a moment, wanted by a case, or registered. The key is
-- the folded name at its authority; that it is unique settles who was first. `holder` is a keyed hash of an ID number.
CREATE TABLE company_name (
    key_ TEXT PRIMARY KEY,
    shop TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    envelope_id TEXT,
    holder BLOB NOT NULL,
    since_ms BIGINT NOT NULL,
    until_ms BIGINT
) WITHOUT ROWID;
CREATE INDEX company_name_shop ON company_name (shop);
CREATE INDEX company_name_case ON company_name (envelope_id) WHERE envelope_id IS NOT NULL;
