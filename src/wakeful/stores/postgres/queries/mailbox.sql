-- name: mailbox
select
  run.*,
  entry.mode,
  entry.input,
  (select id from dispatches where run_key = entry.key order by key desc limit 1) as dispatch_id
from runs as entry
join run_rows as run on run.key = entry.key
where entry.thread_key = :thread_key
  and entry.finished_at is null
  and entry.input is not null
order by entry.position, entry.key

-- name: mailbox_entry
select
  run.*,
  entry.mode,
  entry.input,
  (select id from dispatches where run_key = entry.key order by key desc limit 1) as dispatch_id
from runs as entry
join run_rows as run on run.key = entry.key
where entry.key = :key
  and entry.input is not null

-- name: edit_entry
update runs
set
  input = :input,
  last_seq = coalesce(:last_seq::bigint, last_seq),
  updated_at = :at
where key = :key
  and input is not null
  and last_seq = :revision

-- name: place_entries
update runs as run
set position = place.position
from unnest(:positions::bigint[], :run_keys::bigint[]) as place (position, run_key)
where run.key = place.run_key
  and run.input is not null
