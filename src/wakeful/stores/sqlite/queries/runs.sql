-- name: find_submission
select
  run.key,
  run.id,
  run.digest,
  thread.id as thread_id,
  (select id from dispatches where run_key = run.key order by key desc limit 1) as dispatch_id
from runs as run
join threads as thread on thread.key = run.thread_key
where run.scope = :scope
  and run.id = :run_id -- unless idempotency_key
  and (run.id = :run_id or run.idempotency_key = :idempotency_key) -- if idempotency_key

-- name: insert_run
insert into runs (
  thread_key, scope, id, agent_id, status, origin, created_at, updated_at, started_at, parent_run_id, attempt,
  usage, options, input, digest, idempotency_key, last_seq, mode, replace_from, position
)
values (
  :thread_key, :scope, :id, :agent_id, :status, :origin, :at, :at, :started_at, :parent_run_id, :attempt,
  cast('{}' as blob), :options, :input, :digest, :idempotency_key, :last_seq, :mode, :replace_from,
  case :status when 'queued' then (select coalesce(max(key), 0) + 1 from runs) else 0 end
)
returning key

-- name: start_run
update runs
set
  status = 'running',
  attempt = :attempt,
  started_at = coalesce(started_at, :now),
  updated_at = :now,
  position = 0,
  input = null
where key = :key
  and status = :expected

-- name: advance_run
update runs
set
  last_seq = coalesce(:last_seq, last_seq),
  steps = :steps,
  usage = :usage,
  voids = :voids, -- if voids
  updated_at = coalesce(:at, updated_at)
where key = :run_key
  and (:first_seq is null or last_seq < :first_seq)
  and exists (
    select 1
    from dispatches
    where key = :dispatch_key
      and run_key = :run_key
      and token = :token
      and status = 'leased'
  )
returning thread_key

-- name: rest_run
update runs
set
  status = :status,
  stop_reason = :stop_reason,
  error = :error,
  last_seq = coalesce(:last_seq, last_seq),
  steps = :steps,
  usage = :usage,
  voids = :voids, -- if voids
  updated_at = :at,
  finished_at = :finished_at
where key = :key
  and status = 'running'
  and (:first_seq is null or last_seq < :first_seq)
returning thread_key

-- name: retire_run
update runs
set
  status = :status,
  stop_reason = :stop_reason,
  last_seq = coalesce(:new_last_seq, last_seq),
  input = null,
  updated_at = :at,
  finished_at = :at
where key = :key
  and status = :expected
  and last_seq = :last_seq

-- name: hand_run_to
update runs
set agent_id = :agent_id
where key = :key

-- name: queue_run
update runs
set
  status = 'queued',
  updated_at = :at
where key = :key
  and status = :expected

-- name: extend_run
update runs
set last_seq = :new_last_seq
where key = :key
  and last_seq = :last_seq

-- name: fail_run
update runs
set
  status = 'failed',
  stop_reason = 'error',
  error = :error,
  last_seq = :last_seq,
  input = null,
  updated_at = :at,
  finished_at = :at
where key = :key

-- name: touch_run
update runs
set updated_at = :at
where key = :key

-- name: request_cancel
update runs
set
  cancel_requested_at = :at,
  updated_at = :at
where key = :key
  and finished_at is null
  and cancel_requested_at is null

-- name: claimed_run
select
  *,
  exists (
    select 1
    from runs as entry
    where entry.thread_key = run_rows.thread_key
      and entry.mode = 'steer'
      and entry.input is not null
      and entry.finished_at is null
  ) as steered
from run_rows
where key = :key

-- name: get_run
select *
from run_rows
where scope = :scope
  and id = :id

-- name: run_by_key
select *
from run_rows
where key = :key

-- Not the whole row: what else it holds may be damaged.
-- name: log_state
select
  status,
  log,
  (
    select due_at
    from dispatches
    where run_key = :key
      and status = 'leased'
  ) as leased_until
from runs
where key = :key

-- name: last_seqs
select
  key,
  last_seq
from runs
where key in (select value from json_each(:keys))

-- name: orders
select
  key,
  cancel_requested_at is not null as stop,
  exists (
    select 1
    from runs as entry
    where entry.thread_key = runs.thread_key
      and entry.mode = 'steer'
      and entry.input is not null
      and entry.finished_at is null
  ) as steer
from runs
where key in (select value from json_each(:keys))
  and status = 'running'

-- name: unfinished_runs
select *
from run_rows
where thread_key = :thread_key
  and finished_at is null
order by position, key

-- name: active_run
select *
from run_rows
where thread_key = :thread_key
  and finished_at is null
order by position, key
limit 1

-- Two are enough to know what is in the way of a new run, however long the queue.
-- name: in_the_way
select
  key,
  id,
  status,
  attempt
from runs
where thread_key = :thread_key
  and finished_at is null
order by position, key
limit 2

-- Counts no further than it has to.
-- name: backlog_is_full
select 1
from runs
where thread_key = :thread_key
  and finished_at is null
limit 1
offset :max_backlog - 1

-- name: count_unfinished
select
  status,
  count(*) as count
from runs indexed by runs_unfinished
where finished_at is null
  and scope = :scope
group by status

-- name: latest_run
select *
from run_rows
where thread_key = :thread_key
order by created_at desc, key desc
limit 1

-- name: list_runs
select *
from run_rows
where scope = :scope -- unless thread_id
where thread_key = (select key from threads where scope = :scope and id = :thread_id) -- if thread_id
  and status in (select value from json_each(:statuses)) -- if statuses
  and agent_id = :agent_id -- if agent_id
  and origin = :origin -- if origin
  and parent_run_id = :parent_run_id -- if parent_run_id
  and created_at >= :created_from -- if created_from
  and created_at <= :created_to -- if created_to
  and updated_at >= :updated_from -- if updated_from
  and updated_at <= :updated_to -- if updated_to
  and (created_at, key) < (:after_at, :after_key) -- if after_key
order by created_at desc, key desc
limit :limit
offset :offset

-- name: count_runs
select count(*)
from runs
where scope = :scope -- unless thread_id
where thread_key = (select key from threads where scope = :scope and id = :thread_id) -- if thread_id
  and status in (select value from json_each(:statuses)) -- if statuses
  and agent_id = :agent_id -- if agent_id
  and origin = :origin -- if origin
  and parent_run_id = :parent_run_id -- if parent_run_id
  and created_at >= :created_from -- if created_from
  and created_at <= :created_to -- if created_to
  and updated_at >= :updated_from -- if updated_from
  and updated_at <= :updated_to -- if updated_to

-- The last change of a finished run was its end. What is unfinished is sorted here, whole.
-- name: list_changed_runs
with changed (key, at) as (
  select
    key,
    updated_at
  from runs indexed by runs_unfinished
  where scope = :scope -- unless thread_id
  where thread_key = (select key from threads where scope = :scope and id = :thread_id) -- if thread_id
    and finished_at is null
    and status in (select value from json_each(:statuses)) -- if statuses
    and agent_id = :agent_id -- if agent_id
    and origin = :origin -- if origin
    and parent_run_id = :parent_run_id -- if parent_run_id
    and created_at >= :created_from -- if created_from
    and created_at <= :created_to -- if created_to
    and updated_at >= :updated_from -- if updated_from
    and updated_at <= :updated_to -- if updated_to
    and (updated_at, key) < (:after_at, :after_key) -- if after_key
  union all
  select * from (
    select
      key,
      finished_at
    from runs
    where scope = :scope -- unless thread_id
    where thread_key = (select key from threads where scope = :scope and id = :thread_id) -- if thread_id
      and finished_at is not null
      and status in (select value from json_each(:statuses)) -- if statuses
      and agent_id = :agent_id -- if agent_id
      and origin = :origin -- if origin
      and parent_run_id = :parent_run_id -- if parent_run_id
      and created_at >= :created_from -- if created_from
      and created_at <= :created_to -- if created_to
      and finished_at >= :updated_from -- if updated_from
      and finished_at <= :updated_to -- if updated_to
      and (finished_at, key) < (:after_at, :after_key) -- if after_key
    order by finished_at desc, key desc
    limit :limit + :offset
  )
),
page (key) as (
  select key
  from changed
  order by at desc, key desc
  limit :limit
  offset :offset
)
select run_rows.*
from page
join run_rows on run_rows.key = page.key
order by run_rows.updated_at desc, run_rows.key desc

-- name: count_changed_runs
select
  (
    select count(*)
    from runs indexed by runs_unfinished
    where scope = :scope -- unless thread_id
    where thread_key = (select key from threads where scope = :scope and id = :thread_id) -- if thread_id
      and finished_at is null
      and status in (select value from json_each(:statuses)) -- if statuses
      and agent_id = :agent_id -- if agent_id
      and origin = :origin -- if origin
      and parent_run_id = :parent_run_id -- if parent_run_id
      and created_at >= :created_from -- if created_from
      and created_at <= :created_to -- if created_to
      and updated_at >= :updated_from -- if updated_from
      and updated_at <= :updated_to -- if updated_to
  ) + (
    select count(*)
    from runs
    where scope = :scope -- unless thread_id
    where thread_key = (select key from threads where scope = :scope and id = :thread_id) -- if thread_id
      and finished_at is not null
      and status in (select value from json_each(:statuses)) -- if statuses
      and agent_id = :agent_id -- if agent_id
      and origin = :origin -- if origin
      and parent_run_id = :parent_run_id -- if parent_run_id
      and created_at >= :created_from -- if created_from
      and created_at <= :created_to -- if created_to
      and finished_at >= :updated_from -- if updated_from
      and finished_at <= :updated_to -- if updated_to
  )

-- name: run_id_by_idempotency_key
select id
from runs
where scope = :scope
  and idempotency_key = :idempotency_key
