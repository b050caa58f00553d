-- Messages that a later run took the place of: out of the thread's history, and kept. `replaced` counts them, all and
-- those a client sees, because their sequence numbers are not given again.
create table replaced_messages (
  thread_key integer not null references threads (key) on delete cascade,
  seq integer not null,
  id text not null,
  visibility text not null,
  run_id text,
  body blob not null,
  replaced_by text not null,
  primary key (thread_key, seq)
) strict, without rowid;

create index replaced_messages_by_run on replaced_messages (thread_key, replaced_by, seq);

alter table threads add column replaced integer not null default 0;

alter table runs add column replace_from integer;
