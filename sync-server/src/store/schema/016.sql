-- 统计: what is counted of a case, a projection of its fold like its own row; says nothing of a person. One row for the
-- whole (`unit` is empty) and one for each unit that has a part in it, so that what a unit's leader sees is one stretch
-- of the key. `day_` (days since 1970 in China) and `hour_` are those of the receipt. `used_s` and `wall_s` are the time
-- until the decision by the clock of the promise and by the wall, in seconds, from an hour on in whole minutes; none
-- before it is decided. `clock` is that of the promise by which `used_s` was counted (`minutes`, `office_hours`; empty
-- before), `counted_by` the catalogue version whose calendar it was counted by.
CREATE TABLE case_fact (
    unit TEXT NOT NULL,
    day_ BIGINT NOT NULL,
    envelope_id TEXT NOT NULL REFERENCES case_ (envelope_id),
    item TEXT NOT NULL,
    station TEXT NOT NULL,
    hour_ BIGINT NOT NULL,
    state TEXT NOT NULL,
    used_s BIGINT,
    wall_s BIGINT,
    rounds BIGINT NOT NULL,
    overdue BIGINT NOT NULL,
    clock TEXT NOT NULL,
    counted_by BIGINT NOT NULL,
    PRIMARY KEY (unit, day_, envelope_id)
) WITHOUT ROWID;
CREATE INDEX case_fact_by_case ON case_fact (envelope_id);
