-- name: insert_event
insert into events (run_key, seq, at, body)
values (?, ?, ?, ?)

-- name: read_events
select
  seq,
  at,
  body
from events
where run_key = :run_key
  and seq > :after
order by seq
limit :limit
