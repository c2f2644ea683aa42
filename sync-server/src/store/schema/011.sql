-- What refers to a case and waits to be looked at.
CREATE INDEX envelope_that_is_held ON envelope (server_seq) WHERE disposition = 'held';
