-- name: last_interrupt_position
select coalesce(max(position), 0)
from interrupts
where run_key = :run_key

-- name: insert_interrupt
insert into interrupts (run_key, position, id, body)
values (?, ?, ?, ?)

-- name: interrupts
select
  body,
  decision
from interrupts
where run_key = :run_key
order by position

-- name: decide_interrupt
update interrupts
set
  decision = :decision,
  decided_at = :at
where run_key = :run_key
  and id = :id
  and decision is null
