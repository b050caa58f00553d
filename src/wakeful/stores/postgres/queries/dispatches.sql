-- name: insert_dispatch
insert into dispatches (run_key, id, status, token, worker, process, due_at)
values (:run_key, :id, :status, :token, :worker, :process, :due_at)
returning key

-- name: due_dispatches
select
  dispatch.key,
  dispatch.run_key,
  dispatch.status,
  dispatch.token,
  dispatch.failures,
  dispatch.steps_at_claim,
  run.thread_key,
  run.attempt,
  run.id,
  run.steps,
  run.last_seq,
  run.input,
  run.replace_from,
  run.cancel_requested_at
from runs as run
join dispatches as dispatch on dispatch.run_key = run.key
where run.thread_key = any(:thread_keys::bigint[])
  and run.finished_at is null
  and dispatch.due_at <= :now
order by dispatch.due_at, dispatch.key

-- A lease that ran out may be renewed at this moment.
-- name: lease_dispatch
update dispatches
set
  status = 'leased',
  token = token + 1,
  worker = :worker,
  process = :process,
  due_at = :until,
  failures = :failures,
  steps_at_claim = :steps
where key = :key
  and token = :token
  and status = :expected
  and due_at <= :now

-- name: leases_held
select
  run_key,
  key as dispatch_key,
  token
from dispatches
where (key, run_key, token) in (
    select *
    from unnest(:dispatch_keys::bigint[], :run_keys::bigint[], :tokens::bigint[])
  )
  and status = 'leased'

-- name: renew_leases
with held as (
  select dispatch.key
  from dispatches as dispatch
  join unnest(:dispatch_keys::bigint[], :run_keys::bigint[], :tokens::bigint[]) as lease (dispatch_key, run_key, token)
    on lease.dispatch_key = dispatch.key
    and lease.run_key = dispatch.run_key
    and lease.token = dispatch.token
  where dispatch.status = 'leased'
  order by dispatch.key
  for no key update of dispatch
)
update dispatches
set due_at = :until
where key in (select key from held)
returning
  run_key,
  key as dispatch_key,
  token

-- name: release_dispatch
update dispatches
set
  status = 'available',
  worker = null,
  process = null,
  failures = 1 + case when (select steps from runs where key = run_key) <= steps_at_claim then failures else 0 end, -- if error
  steps_at_claim = (select steps from runs where key = run_key), -- if error
  last_error = :error, -- if error
  due_at = :available_at
where key = :dispatch_key
  and run_key = :run_key
  and token = :token
  and status = 'leased'

-- name: end_dispatch
update dispatches
set
  status = 'done', -- unless failures
  status = 'dead', -- if failures
  failures = :failures, -- if failures
  last_error = :error, -- if failures
  ended_at = :at,
  due_at = null
where key = :dispatch_key
  and run_key = :run_key
  and token = :token
  and status = 'leased'

-- name: end_pause
update dispatches
set due_at = :now
where run_key = :run_key
  and status = 'available'
  and due_at > :now

-- name: cancel_dispatch
update dispatches
set
  status = 'cancelled',
  ended_at = :at,
  due_at = null
where run_key = :run_key
  and status = 'available'

-- When a run finishes, the next one of its thread becomes due, as old as it was when it was accepted.
-- name: promote_next
update dispatches
set due_at = least(:at::bigint, (select created_at from runs where key = run_key))
where run_key = (
    select key
    from runs
    where thread_key = :thread_key
      and finished_at is null
    order by position, key
    limit 1
  )
  and status = 'available'
  and due_at is null

-- name: newest_dispatch
select id
from dispatches
where run_key = :run_key
order by key desc
limit 1

-- Two halves of one move: the run whose turn is next is the one that is due.
-- name: take_turn
update dispatches
set due_at = (select due_at from dispatches where run_key = :former and status = 'available')
where run_key = :run_key
  and status = 'available'

-- name: lose_turn
update dispatches
set due_at = null
where run_key = :run_key
  and status = 'available'

-- name: break_own_leases
update dispatches
set due_at = 0
where key in (
    select key
    from dispatches
    where due_at > :now
      and status = 'leased'
      and process = :process
    order by key
    for no key update
  )

-- name: pull_near
update dispatches
set due_at = :now
where key in (
    select key
    from dispatches
    where due_at > :latest
    order by key
    for no key update
  )

-- name: give_up
update dispatches
set
  status = 'dead',
  last_error = :error,
  ended_at = :at,
  due_at = null
where key = :key

-- name: dead_letters
select
  dispatch.key as dispatch_key,
  dispatch.id as dispatch_id,
  dispatch.failures,
  dispatch.last_error,
  dispatch.ended_at,
  run.*
from dispatches as dispatch
join run_rows as run on run.key = dispatch.run_key
where dispatch.status = 'dead'
  and dispatch.key < :before
  and dispatch.id = :id -- if id
  and run.scope = :scope
order by dispatch.key desc
limit :limit
