-- Nothing yet: the tables of rollouts take this number.
SELECT 1;
