-- name: last_interrupt_position
select coalesce(max(position), 0)
from interrupts
where run_key = :run_key

-- name: insert_interrupts
insert into interrupts (run_key, position, id, body, expires_at)
select
  :run_key::bigint,
  *
from unnest(:positions::bigint[], :ids::text[], :bodies::bytea[], :expiries::bigint[])

-- name: interrupts
select
  id,
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

-- A run that ended answers no more questions.
-- name: forget_deadlines
update interrupts
set expires_at = null
where run_key = :run_key
  and decision is null

-- name: expired_interrupts
select
  interrupt.id as interrupt_id,
  interrupt.body,
  run.*
from interrupts as interrupt
join run_rows as run on run.key = interrupt.run_key
where interrupt.decision is null
  and interrupt.expires_at <= :now
  and run.status = 'waiting'
order by interrupt.expires_at
limit :limit
