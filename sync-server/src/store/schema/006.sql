-- 终端身份: until when a terminal's certificate is good, which terminal a code replaces, and what people did with
-- terminals.

ALTER TABLE terminal ADD COLUMN certificate_until_ms BIGINT;
ALTER TABLE enrol_code ADD COLUMN replaces TEXT;

-- One row a step: taken out of service, taken in again, replaced; by whom, when, why.
CREATE TABLE terminal_step (
    id BIGINT PRIMARY KEY,
    terminal TEXT NOT NULL REFERENCES terminal (id),
    at_ms BIGINT NOT NULL,
    actor TEXT NOT NULL,
    step TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX terminal_step_by_terminal ON terminal_step (terminal, id);
