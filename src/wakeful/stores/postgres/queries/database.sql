-- name: probe
select 1

-- Tells other processes with the commit; the number by which the transaction can be asked about when its commit was
-- not answered.
-- name: conclude
select
  pg_current_xact_id()::text as number,
  count(pg_notify('wakeful', payload)) as told
from unnest(:payloads::text[]) as payload

-- name: transaction_status
select pg_xact_status(:number::text::xid8)
