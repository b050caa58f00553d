-- Everything there is, page by page. `sizing` asks how large the rows are, in bytes, before they are read.

-- name: take_out_threads
select
  length(custom) as size -- if sizing
  key, scope, id, created_at, updated_at, title, resource_id, custom, message_seq, message_count, -- unless sizing
  replaced, latest_agent_id, generation -- unless sizing
from threads
where key > :first
order by key
limit :limit

-- name: take_in_threads
insert into threads (
  key, scope, id, created_at, updated_at, title, resource_id, custom, message_seq, message_count, replaced,
  latest_agent_id, generation
)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: take_out_parents
select
  0 as size -- if sizing
  key, parent_key -- unless sizing
from threads
where key > :first
  and parent_key is not null
order by key
limit :limit

-- name: take_in_parents
update threads
set parent_key = ?2
where key = ?1

-- name: take_out_shared_states
select
  length(state) as size -- if sizing
  thread_key, state -- unless sizing
from shared_states
where thread_key > :first
order by thread_key
limit :limit

-- name: take_in_shared_states
insert into shared_states (thread_key, state)
values (?, ?)

-- name: take_out_messages
select
  length(body) as size -- if sizing
  thread_key, seq, id, visibility, run_id, body -- unless sizing
from messages
where (thread_key, seq) > (:first, :second)
order by thread_key, seq
limit :limit

-- name: take_in_messages
insert into messages (thread_key, seq, id, visibility, run_id, body)
values (?, ?, ?, ?, ?, ?)

-- name: take_out_replaced_messages
select
  length(body) as size -- if sizing
  thread_key, seq, id, visibility, run_id, body, replaced_by -- unless sizing
from replaced_messages
where (thread_key, seq) > (:first, :second)
order by thread_key, seq
limit :limit

-- name: take_in_replaced_messages
insert into replaced_messages (thread_key, seq, id, visibility, run_id, body, replaced_by)
values (?, ?, ?, ?, ?, ?, ?)

-- name: take_out_runs
select
  coalesce(length(error), 0) + length(usage) + length(options) + coalesce(length(input), 0) + -- if sizing
  coalesce(length(voids), 0) as size -- if sizing
  key, thread_key, scope, id, agent_id, status, origin, created_at, updated_at, started_at, -- unless sizing
  finished_at, cancel_requested_at, stop_reason, error, parent_run_id, attempt, steps, usage, -- unless sizing
  options, input, digest, idempotency_key, last_seq, position, mode, voids, log, replace_from -- unless sizing
from runs
where key > :first
order by key
limit :limit

-- name: take_in_runs
insert into runs (
  key, thread_key, scope, id, agent_id, status, origin, created_at, updated_at, started_at, finished_at,
  cancel_requested_at, stop_reason, error, parent_run_id, attempt, steps, usage, options, input, digest,
  idempotency_key, last_seq, position, mode, voids, log, replace_from
)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: take_out_interrupts
select
  length(body) + coalesce(length(decision), 0) as size -- if sizing
  run_key, position, id, body, decision, decided_at, expires_at -- unless sizing
from interrupts
where (run_key, position) > (:first, :second)
order by run_key, position
limit :limit

-- name: take_in_interrupts
insert into interrupts (run_key, position, id, body, decision, decided_at, expires_at)
values (?, ?, ?, ?, ?, ?, ?)

-- name: take_out_events
select
  length(body) as size -- if sizing
  run_key, seq, at, body -- unless sizing
from events
where (run_key, seq) > (:first, :second)
order by run_key, seq
limit :limit

-- name: take_in_events
insert into events (run_key, seq, at, body)
values (?, ?, ?, ?)

-- name: take_out_packs
select
  length(body) as size -- if sizing
  run_key, first_seq, last_seq, count, body -- unless sizing
from packs
where (run_key, first_seq) > (:first, :second)
order by run_key, first_seq
limit :limit

-- name: take_in_packs
insert into packs (run_key, first_seq, last_seq, count, body)
values (?, ?, ?, ?, ?)

-- name: take_out_dispatches
select
  coalesce(length(last_error), 0) as size -- if sizing
  key, run_key, id, status, token, -- unless sizing
  case status when 'leased' then null else worker end as worker, -- unless sizing
  case status when 'leased' then 0 else due_at end as due_at, -- unless sizing
  failures, steps_at_claim, last_error, ended_at -- unless sizing
from dispatches
where key > :first
order by key
limit :limit

-- name: take_in_dispatches
insert into dispatches (
  key, run_key, id, status, token, worker, due_at, failures, steps_at_claim, last_error, ended_at
)
values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: take_out_documents
select
  length(value) as size -- if sizing
  key, scope, kind, id, value, revision, updated_at, thread_key, due_at -- unless sizing
from documents
where key > :first
order by key
limit :limit

-- name: take_in_documents
insert into documents (key, scope, kind, id, value, revision, updated_at, thread_key, due_at)
values (?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: holdings
select
  (select coalesce(max(key), 0) from threads) as threads,
  (select coalesce(max(key), 0) from runs) as runs,
  (select coalesce(max(key), 0) from dispatches) as dispatches,
  (select coalesce(max(key), 0) from documents) as documents,
  (select coalesce(max(position), 0) from runs indexed by runs_unfinished where finished_at is null) as turns,
  (select count(*) from runs indexed by runs_unfinished where finished_at is null and status = 'running') as running,
  coalesce(
    (select created_at || ' ' || scope || ' ' || id from threads where key = (select min(key) from threads)), ''
  ) as first

-- The highest numbers ever given.
-- name: numbers_given
select
  coalesce(max(case name when 'threads' then seq end), 0) as threads,
  coalesce(max(case name when 'runs' then seq end), 0) as runs,
  coalesce(max(case name when 'dispatches' then seq end), 0) as dispatches
from sqlite_sequence

-- name: copy_progress
select progress
from copies
where only_one = 1

-- Nothing where one was begun, or where there are threads, to which all the rest but documents belongs.
-- name: begin_copy
insert into copies (only_one, progress)
select
  1,
  :progress
where not exists (select 1 from threads where key > 0)
  and not exists (select 1 from documents where key > 0)
on conflict (only_one) do nothing

-- name: advance_copy
update copies
set progress = :now
where only_one = 1
  and progress = :before

-- name: end_copy
delete from copies
where only_one = 1
