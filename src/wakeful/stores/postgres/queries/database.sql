-- name: probe
select 1

-- name: notify
select pg_notify('wakeful', payload)
from unnest(:payloads::text[]) as payload
