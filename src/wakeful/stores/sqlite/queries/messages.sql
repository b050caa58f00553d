-- name: known_message_ids
select id
from messages
where thread_key = :thread_key
  and id in (select value from json_each(:ids))

-- name: reserve_messages
update threads
set
  updated_at = max(updated_at, :at), -- if at
  message_seq = message_seq + :count,
  message_count = message_count + :external
where key = :thread_key
returning message_seq

-- name: message_seq
select seq
from messages
where thread_key = :thread_key
  and id = :id

-- name: keep_replaced
insert into replaced_messages (thread_key, seq, id, visibility, run_id, body, replaced_by)
select thread_key, seq, id, visibility, run_id, body, :replaced_by
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

-- name: insert_message
insert into messages (thread_key, seq, id, visibility, run_id, body)
values (?, ?, ?, ?, ?, ?)

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
from messages -- unless run_id
from messages indexed by messages_by_run -- if run_id
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
