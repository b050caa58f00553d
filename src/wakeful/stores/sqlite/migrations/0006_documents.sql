-- What protocols and plugs keep beside the log. `key` is for moving house only. From `due_at` on a document may be
-- claimed.
create table documents (
  key integer primary key,
  scope text not null,
  kind text not null,
  id text not null,
  value blob not null,
  revision integer not null,
  updated_at integer not null,
  thread_key integer references threads (key) on delete cascade,
  due_at integer,
  unique (scope, kind, id)
) strict;

create index documents_due on documents (kind, due_at)
where due_at is not null;

create index documents_of_thread on documents (thread_key)
where thread_key is not null;
