-- name: insert_dispatch
insert into dispatches (run_key, status, token, worker, due_at)
values (:run_key, :status, :token, :worker, :due_at)
returning key

-- name: due_dispatches
select
  dispatch.key,
  dispatch.run_key,
  dispatch.status,
  dispatch.token,
  run.thread_key,
  run.attempt,
  run.input,
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
  due_at = :until
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
  due_at = :available_at
where key = :dispatch_key
  and run_key = :run_key
  and token = :token
  and status = 'leased'

-- name: end_dispatch
update dispatches
set
  status = 'done',
  due_at = null
where key = :dispatch_key
  and run_key = :run_key
  and token = :token
  and status = 'leased'

-- name: cancel_dispatch
update dispatches
set
  status = 'cancelled',
  due_at = null
where run_key = :run_key
  and status = 'available'

-- When a run finishes, the next one of its thread becomes due, as old as it was when it was accepted.
-- name: promote_next
update dispatches
set due_at = (select created_at from runs where key = run_key)
where run_key = (
    select key
    from runs
    where thread_key = :thread_key
      and finished_at is null
    order by key
    limit 1
  )
  and status = 'available'
  and due_at is null
