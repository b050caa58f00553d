-- name: insert_events
insert into events (run_key, seq, at, body)
select *
from unnest(:run_keys::bigint[], :seqs::bigint[], :ats::bigint[], :bodies::bytea[])

-- name: read_events
select
  seq,
  at,
  body
from events
where run_key = :run_key
  and seq > :after
order by seq
limit :limit

-- The run with a page of its log, or one row without an event: one statement is one snapshot. Not the whole run: what
-- else it holds may be damaged.
-- name: read_log
select
  run.status,
  run.log,
  (
    select due_at
    from dispatches
    where dispatches.run_key = run.key
      and dispatches.status = 'leased'
  ) as leased_until,
  event.seq,
  event.at,
  event.body
from runs as run
left join lateral (
  select
    seq,
    at,
    body
  from events
  where run_key = run.key
    and seq > :after
  order by seq
  limit :limit
) as event on true
where run.key = :run_key
order by event.seq
