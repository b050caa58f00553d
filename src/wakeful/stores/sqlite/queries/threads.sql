-- name: insert_thread
insert into threads (scope, id, created_at, updated_at, title, resource_id, parent_key, custom)
values (:scope, :id, :created_at, :updated_at, :title, :resource_id, :parent_key, :custom)
on conflict (scope, id) do nothing
returning key

-- name: open_thread
insert into threads (scope, id, created_at, updated_at, custom, latest_agent_id, generation)
values (:scope, :id, :at, :at, cast('{}' as blob), :agent_id, :generations)
returning key

-- name: touch_thread
update threads
set
  updated_at = max(updated_at, :at),
  latest_agent_id = :agent_id,
  generation = generation + :generations
where key = :key

-- name: hand_thread_to
update threads
set latest_agent_id = :agent_id
where key = (select thread_key from runs where key = :run_key)

-- name: next_generation
update threads
set
  generation = generation + 1,
  updated_at = max(updated_at, :at)
where key = :key
returning generation

-- name: thread_key
select key
from threads
where scope = :scope
  and id = :id

-- name: get_thread
select *
from thread_rows
where scope = :scope
  and id = :id

-- name: thread_by_key
select *
from thread_rows
where key = :key

-- name: list_threads
select *
from thread_rows
where scope = :scope -- unless parent_thread_id
where parent_key = (select key from threads where scope = :scope and id = :parent_thread_id) -- if parent_thread_id
  and parent_key is null -- if root
  and resource_id = :resource_id -- if resource_id
  and updated_at <= :after_at -- if after_id
  and (updated_at < :after_at or id > :after_id) -- if after_id
order by updated_at desc, id
limit :limit
offset :offset

-- name: count_threads
select count(*)
from threads
where scope = :scope -- unless parent_thread_id
where parent_key = (select key from threads where scope = :scope and id = :parent_thread_id) -- if parent_thread_id
  and parent_key is null -- if root
  and resource_id = :resource_id -- if resource_id

-- name: ancestors
with recursive ancestor (key) as (
  select :key
  union
  select thread.parent_key
  from ancestor
  join threads as thread on thread.key = ancestor.key
  where thread.parent_key is not null
)
select key
from ancestor

-- name: descendants
with recursive descendant (key) as (
  select :key
  union
  select thread.key
  from descendant
  join threads as thread on thread.parent_key = descendant.key
)
select key
from descendant

-- name: change_thread
update threads
set
  title = :title,
  resource_id = :resource_id,
  parent_key = :parent_key,
  custom = :custom,
  updated_at = max(updated_at, :at)
where key = :key

-- name: running_within
select id
from runs
where thread_key in (select value from json_each(:keys))
  and finished_at is null
  and status = 'running'
limit 1

-- name: delete_threads
delete from threads
where key in (select value from json_each(:keys))

-- name: shared_state
select state
from shared_states
where thread_key = :thread_key

-- name: share_state
insert into shared_states (thread_key, state)
values (:thread_key, :state)
on conflict (thread_key) do update
set state = excluded.state
