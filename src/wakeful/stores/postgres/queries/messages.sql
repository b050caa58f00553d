-- name: known_message_ids
select
  message.thread_key,
  message.id
from unnest(:thread_keys::bigint[], :ids::text[]) as wanted (thread_key, id)
join messages as message on message.thread_key = wanted.thread_key and message.id = wanted.id

-- name: reserve_messages
update threads as thread
set
  message_seq = thread.message_seq + more.count,
  message_count = thread.message_count + more.external,
  updated_at = greatest(thread.updated_at, more.at)
from unnest(:thread_keys::bigint[], :counts::bigint[], :externals::bigint[], :ats::bigint[])
  as more (thread_key, count, external, at)
where thread.key = more.thread_key
returning
  thread.key,
  thread.message_seq

-- name: insert_messages
insert into messages (thread_key, seq, id, visibility, run_id, body)
select *
from unnest(:thread_keys::bigint[], :seqs::bigint[], :ids::text[], :visibilities::text[], :run_ids::text[], :bodies::bytea[])

-- name: message_seq
select seq
from messages
where thread_key = :thread_key
  and id = :id

-- name: keep_replaced
insert into replaced_messages (thread_key, seq, id, visibility, run_id, body, replaced_by)
select
  thread_key,
  seq,
  id,
  visibility,
  run_id,
  body,
  :replaced_by::text
from messages
where thread_key = :thread_key
  and seq >= :first

-- name: count_replaced
update threads
set
  replaced = replaced + (select count(*) from messages where thread_key = :thread_key and seq >= :first),
  message_count = message_count - (
    select count(*)
    from messages
    where thread_key = :thread_key
      and seq >= :first
      and visibility = 'external'
  )
where key = :thread_key

-- name: drop_replaced
delete from messages
where thread_key = :thread_key
  and seq >= :first

-- name: list_replaced_messages
select
  seq,
  id,
  body
from replaced_messages
where thread_key = :thread_key
  and replaced_by = :replaced_by
  and visibility = :visibility -- if visibility
  and seq > :after -- if after
  and seq < :before -- if before
order by seq desc -- if descending
order by seq -- unless descending
limit :limit

-- name: count_replaced_messages
select count(*)
from replaced_messages
where thread_key = :thread_key
  and replaced_by = :replaced_by
  and visibility = :visibility -- if visibility

-- name: history
select
  id,
  body
from messages
where thread_key = :thread_key
order by seq

-- name: list_messages
select
  seq,
  id,
  body
from messages
where thread_key = :thread_key
  and run_id = :run_id -- if run_id
  and visibility = :visibility -- if visibility
  and seq > :after -- if after
  and seq < :before -- if before
order by seq desc -- if descending
order by seq -- unless descending
limit :limit

-- The thread keeps these numbers, so that a page of a long thread does not count it.
-- name: count_messages
select
  message_seq - replaced as every,
  message_count as external
from threads
where key = :thread_key

-- name: count_messages_of_run
select count(*)
from messages
where thread_key = :thread_key
  and run_id = :run_id
  and visibility = :visibility -- if visibility
