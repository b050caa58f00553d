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

-- name: insert_packs
insert into packs (run_key, first_seq, last_seq, count, body)
select
  :run_key::bigint,
  *
from unnest(:first_seqs::bigint[], :last_seqs::bigint[], :counts::bigint[], :bodies::bytea[])

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
where run_key = any(:run_keys::bigint[])

-- name: delete_packs
delete from packs
where run_key = any(:run_keys::bigint[])

-- Reads the header of every row, for an operator who asked.
-- name: sizes
select
  (select count(*) from threads) as threads,
  (select count(*) from runs) as runs,
  (select count(*) from runs where finished_at is null) as unfinished_runs,
  message.count as messages,
  message.bytes as message_bytes,
  event.count as events,
  event.bytes as event_bytes,
  pack.count as packs,
  pack.events as packed_events,
  pack.bytes as pack_bytes,
  disk.bytes as file_bytes
from (select count(*) as count, coalesce(sum(length(body)), 0)::bigint as bytes from messages) as message
cross join (select count(*) as count, coalesce(sum(length(body)), 0)::bigint as bytes from events) as event
cross join (
  select
    count(*) as count,
    coalesce(sum(count), 0)::bigint as events,
    coalesce(sum(length(body)), 0)::bigint as bytes
  from packs
) as pack
cross join (
  select sum(pg_total_relation_size(name))::bigint as bytes
  from unnest(array[
    'threads', 'shared_states', 'messages', 'replaced_messages', 'runs', 'dispatches', 'events', 'packs', 'interrupts'
  ]::regclass[]) as name
) as disk
