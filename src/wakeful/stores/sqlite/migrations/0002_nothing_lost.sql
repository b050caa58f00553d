alter table threads add column generation integer not null default 0;

-- `position` is the run's turn on its thread, 0 once it was carried. `log` says where the events are: 'rows' of their
-- own, 'packed', or 'pruned'. `voids` are the parts of the log that were taken back.
alter table runs add column position integer not null default 0;

alter table runs add column mode text not null default 'queue';

alter table runs add column voids blob;

alter table runs add column log text not null default 'rows';

update runs
set position = key
where input is not null;

drop index runs_unfinished;

-- In the order of turns: rows of equal position follow their key.
create index runs_unfinished on runs (thread_key, position)
where finished_at is null;

create index runs_steering on runs (thread_key)
where mode = 'steer'
  and input is not null
  and finished_at is null;

create index runs_by_end on runs (log, finished_at)
where finished_at is not null;

-- `failures` counts attempts in a row that came to nothing; a step begun after `steps_at_claim` starts it anew.
alter table dispatches add column id text not null default '';

alter table dispatches add column failures integer not null default 0;

alter table dispatches add column steps_at_claim integer not null default 0;

alter table dispatches add column last_error blob;

alter table dispatches add column ended_at integer;

update dispatches
set id = 'dispatch-' || key;

create index dispatches_dead on dispatches (key)
where status = 'dead';

alter table interrupts add column expires_at integer;

update interrupts
set expires_at = json_extract(cast(body as text), '$.expires_at')
where decision is null
  and json_valid(cast(body as text));

create index interrupts_by_expiry on interrupts (expires_at)
where decision is null
  and expires_at is not null;

-- `body` holds the events `first_seq` to `last_seq`, compressed.
create table packs (
  run_key integer not null references runs (key) on delete cascade,
  first_seq integer not null,
  last_seq integer not null,
  count integer not null,
  body blob not null,
  primary key (run_key, first_seq)
) strict;

drop view thread_rows;

create view thread_rows as
select
  thread.key,
  thread.scope,
  thread.id,
  thread.created_at,
  thread.updated_at,
  thread.title,
  thread.resource_id,
  thread.parent_key,
  parent.id as parent_thread_id,
  thread.custom,
  thread.message_count,
  thread.latest_agent_id,
  thread.generation
from threads as thread
left join threads as parent on parent.key = thread.parent_key;

drop view run_rows;

create view run_rows as
select
  run.key,
  run.thread_key,
  run.scope,
  run.id,
  thread.id as thread_id,
  run.agent_id,
  run.status,
  run.origin,
  run.created_at,
  run.updated_at,
  run.started_at,
  run.finished_at,
  run.stop_reason,
  run.error,
  run.parent_run_id,
  run.attempt,
  run.steps,
  run.usage,
  run.options,
  run.voids,
  run.log,
  run.last_seq,
  run.position
from runs as run
join threads as thread on thread.key = run.thread_key;
