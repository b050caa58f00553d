-- name: runs_to_pack
select key
from runs
where log = 'rows'
  and finished_at < :before
limit :limit

-- name: runs_to_prune
select key
from runs
where log in ('rows', 'packed')
  and finished_at < :before
limit :limit

-- name: insert_pack
insert into packs (run_key, first_seq, last_seq, count, body)
values (?, ?, ?, ?, ?)

-- name: read_pack
select
  first_seq,
  last_seq,
  body
from packs
where run_key = :run_key
  and last_seq > :after
order by first_seq
limit 1

-- name: mark_packed
update runs
set log = 'packed'
where key = :key
  and log = 'rows'
  and finished_at is not null

-- name: mark_pruned
update runs
set log = 'pruned'
where key = :key
  and log <> 'pruned'
  and finished_at is not null

-- name: delete_events
delete from events
where run_key = :run_key

-- name: delete_packs
delete from packs
where run_key = :run_key

-- Reads the header of every row, for an operator who asked.
-- name: sizes
select
  (select count(*) from threads) as threads,
  (select count(*) from runs) as runs,
  (select count(*) from runs indexed by runs_unfinished where finished_at is null) as unfinished_runs,
  message.count as messages,
  message.bytes as message_bytes,
  event.count as events,
  event.bytes as event_bytes,
  pack.count as packs,
  pack.events as packed_events,
  pack.bytes as pack_bytes
from (select count(*) as count, total(length(body)) as bytes from messages) as message
join (select count(*) as count, total(length(body)) as bytes from events) as event
join (select count(*) as count, total(count) as events, total(length(body)) as bytes from packs) as pack

-- name: free_bytes
select (select freelist_count from pragma_freelist_count()) * (select page_size from pragma_page_size())
