-- Who writes about a thread holds its row until the commit, taken before anything else is read.

-- name: lock_thread
select key
from threads
where key = :key
for no key update

-- name: lock_thread_by_id
select key
from threads
where scope = :scope
  and id = :id
for no key update

-- name: lock_thread_of_run
select key
from threads
where key = (select thread_key from runs where key = :run_key)
for no key update

-- In one order, so that two who lock several never wait for each other.
-- name: lock_threads_of_runs
select
  run.key as run_key,
  thread.key as thread_key
from runs as run
join threads as thread on thread.key = run.thread_key
where run.key = any(:run_keys::bigint[])
order by thread.key
for no key update of thread

-- Passes by what another worker claims at this moment.
-- name: lock_due_threads
select thread.key
from dispatches as dispatch
join runs as run on run.key = dispatch.run_key
join threads as thread on thread.key = run.thread_key
where dispatch.due_at <= :now
order by dispatch.due_at, dispatch.key
limit :limit
for no key update of thread skip locked

-- A thread with all below it.
-- name: lock_family
with recursive descendant (key) as (
  select :key::bigint
  union
  select thread.key
  from descendant
  join threads as thread on thread.parent_key = descendant.key
)
select key
from threads
where key in (select key from descendant)
order by key
for update

-- One thread at a time gets another parent, in all processes: two moves at once could make a circle.
-- name: lock_families
select pg_advisory_xact_lock(7310579601)
