-- The time of a run's end is its last change, so finished runs need no index that moves while runs are carried. Holds
-- all that finished runs are counted by.
create index runs_by_finish on runs (scope, finished_at, key) include (status, agent_id, origin)
where finished_at is not null;
