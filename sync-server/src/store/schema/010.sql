-- 办理环节 and 时限: with what a case ended, until when it is due, what is to be done for it and by whom.

ALTER TABLE case_ ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
-- When its clock began; none before it is accepted.
ALTER TABLE case_ ADD COLUMN accepted_at_ms BIGINT;
-- The last moment of its present time; none where no time runs. `standing`: the citizen has the next move.
ALTER TABLE case_ ADD COLUMN due_ms BIGINT;
ALTER TABLE case_ ADD COLUMN due_expected BIGINT NOT NULL DEFAULT 0;
ALTER TABLE case_ ADD COLUMN standing BIGINT NOT NULL DEFAULT 0;
UPDATE case_ SET accepted_at_ms = (SELECT MIN(a.at_ms) FROM action a WHERE a.envelope_id = case_.envelope_id
    AND a.kind = 'accepted') WHERE state IN ('accepted', 'completed');
-- When the clock has something to do for it next; none where it waits for people only. What is closed is not in the index.
ALTER TABLE case_ ADD COLUMN wake_ms BIGINT;
CREATE INDEX case_by_wake ON case_ (wake_ms, envelope_id) WHERE wake_ms IS NOT NULL;

-- One row a step of a case, a projection like the case's own row. `open_` is 1 where somebody can or must do something
-- now; `due_ms` is the case's, the end of time where none runs, so that an inbox is one stretch of an index.
-- `consulted` is the unit whose opinion is waited for.
CREATE TABLE task (
    envelope_id TEXT NOT NULL REFERENCES case_ (envelope_id),
    place BIGINT NOT NULL,
    step TEXT NOT NULL,
    unit TEXT NOT NULL,
    state TEXT NOT NULL,
    open_ BIGINT NOT NULL,
    holder TEXT,
    version BIGINT NOT NULL,
    since_ms BIGINT NOT NULL,
    due_ms BIGINT NOT NULL,
    consulted TEXT,
    PRIMARY KEY (envelope_id, place)
) WITHOUT ROWID;
CREATE INDEX task_of_unit ON task (unit, due_ms, envelope_id) WHERE open_ = 1;
CREATE INDEX task_of_holder ON task (holder, due_ms, envelope_id) WHERE open_ = 1 AND holder IS NOT NULL;
CREATE INDEX task_of_consulted ON task (consulted, due_ms, envelope_id) WHERE open_ = 1 AND consulted IS NOT NULL;

-- Several identical clicks are one action: the name that the form gave the click.
ALTER TABLE action ADD COLUMN click TEXT;
CREATE UNIQUE INDEX action_by_click ON action (click) WHERE click IS NOT NULL;

-- What people wrote with an action, sealed under the key of the case: it goes when the case's key goes.
CREATE TABLE case_text (
    envelope_id TEXT NOT NULL REFERENCES case_ (envelope_id),
    version BIGINT NOT NULL,
    nonce BLOB NOT NULL,
    sealed BLOB NOT NULL,
    PRIMARY KEY (envelope_id, version)
) WITHOUT ROWID;
