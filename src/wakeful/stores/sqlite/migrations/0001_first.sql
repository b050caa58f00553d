-- Keys are never reused (autoincrement): a stale lease must not fit a newer run.

create table threads (
  key integer primary key autoincrement,
  scope text not null,
  id text not null,
  created_at integer not null,
  updated_at integer not null,
  title text,
  resource_id text,
  parent_key integer references threads (key) on delete set null,
  custom blob not null,
  message_seq integer not null default 0,
  message_count integer not null default 0,
  latest_agent_id text,
  unique (scope, id)
) strict;

create index threads_by_activity on threads (scope, updated_at desc, id);

create index threads_by_resource on threads (scope, resource_id, updated_at desc, id)
where resource_id is not null;

create index threads_by_parent on threads (parent_key, updated_at desc, id)
where parent_key is not null;

create table messages (
  thread_key integer not null references threads (key) on delete cascade,
  seq integer not null,
  id text not null,
  visibility text not null,
  run_id text,
  body blob not null,
  primary key (thread_key, seq),
  unique (thread_key, id)
) strict, without rowid;

create index messages_by_run on messages (thread_key, run_id, seq)
where run_id is not null;

-- `input` holds the messages of a run that was never claimed. `finished_at` is null exactly while a run is unfinished.
create table runs (
  key integer primary key autoincrement,
  thread_key integer not null references threads (key) on delete cascade,
  scope text not null,
  id text not null,
  agent_id text not null,
  status text not null,
  origin text not null,
  created_at integer not null,
  updated_at integer not null,
  started_at integer,
  finished_at integer,
  cancel_requested_at integer,
  stop_reason text,
  error blob,
  parent_run_id text,
  attempt integer not null default 0,
  steps integer not null default 0,
  usage blob not null,
  options blob not null,
  input blob,
  digest text not null,
  idempotency_key text,
  last_seq integer not null,
  unique (scope, id)
) strict;

create unique index runs_by_idempotency_key on runs (scope, idempotency_key)
where idempotency_key is not null;

create index runs_by_age on runs (scope, created_at);

create index runs_of_thread on runs (thread_key, created_at);

create index runs_unfinished on runs (thread_key)
where finished_at is null;

create index runs_by_parent on runs (scope, parent_run_id, created_at)
where parent_run_id is not null;

-- `due_at` is when a worker may take the dispatch: from then on when it is available, the end of the lease when it is
-- leased. It is null when no worker may: the dispatch is over, or an older run of the thread is unfinished.
create table dispatches (
  key integer primary key autoincrement,
  run_key integer not null references runs (key) on delete cascade,
  status text not null,
  token integer not null,
  worker text,
  due_at integer
) strict;

create index dispatches_of_run on dispatches (run_key);

create index dispatches_due on dispatches (due_at)
where due_at is not null;

create table events (
  run_key integer not null references runs (key) on delete cascade,
  seq integer not null,
  at integer not null,
  body blob not null,
  primary key (run_key, seq)
) strict, without rowid;

create table interrupts (
  run_key integer not null references runs (key) on delete cascade,
  position integer not null,
  id text not null,
  body blob not null,
  decision blob,
  decided_at integer,
  primary key (run_key, position),
  unique (run_key, id)
) strict, without rowid;

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
  thread.latest_agent_id
from threads as thread
left join threads as parent on parent.key = thread.parent_key;

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
  run.last_seq
from runs as run
join threads as thread on thread.key = run.thread_key;
