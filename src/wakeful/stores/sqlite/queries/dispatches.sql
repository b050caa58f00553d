-- name: insert_dispatch
insert into dispatches (run_key, id, status, token, worker, due_at)
values (:run_key, :id, :status, :token, :worker, :due_at)
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
from dispatches as dispatch
join runs as run on run.key = dispatch.run_key
where dispatch.due_at <= :now
order by dispatch.due_at, dispatch.key
limit :limit

-- name: lease_dispatch
update dispatches
set
  status = 'leased',
  token = token + 1,
  worker = :worker,
  due_at = :until,
  failures = :failures,
  steps_at_claim = :steps
where key = :key
  and token = :token
  and status = :expected

-- name: lease_held
select 1
from dispatches
where key = :dispatch_key
  and run_key = :run_key
  and token = :token
  and status = 'leased'

-- name: renew_lease
update dispatches
set due_at = :until
where key = :dispatch_key
  and run_key = :run_key
  and token = :token
  and status = 'leased'

-- name: release_dispatch
update dispatches
set
  status = 'available',
  worker = null,
  failures = failures * ((select steps from runs where key = run_key) <= steps_at_claim) + 1, -- if error
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
set due_at = min(:at, (select created_at from runs where key = run_key))
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

-- Whoever held these leases is dead.
-- name: break_leases
update dispatches
set due_at = 0
where due_at > :now
  and status = 'leased'

-- name: pull_near
update dispatches
set due_at = :now
where due_at > :latest

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
from dispatches as dispatch indexed by dispatches_dead
join run_rows as run on run.key = dispatch.run_key
where dispatch.status = 'dead'
  and dispatch.key < :before
  and dispatch.id = :id -- if id
  and run.scope = :scope
order by dispatch.key desc
limit :limit
