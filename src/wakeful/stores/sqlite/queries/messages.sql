-- name: known_message_ids
select id
from messages
where thread_key = :thread_key
  and id in (select value from json_each(:ids))

-- name: reserve_messages
update threads
set
  message_seq = message_seq + :count,
  message_count = message_count + :external,
  updated_at = max(updated_at, :at)
where key = :thread_key
returning message_seq

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

-- The thread keeps these two numbers, so that a page of a long thread does not count it.
-- name: count_messages
select
  message_seq as every,
  message_count as external
from threads
where key = :thread_key

-- name: count_messages_of_run
select count(*)
from messages
where thread_key = :thread_key
  and run_id = :run_id
  and visibility = :visibility -- if visibility
