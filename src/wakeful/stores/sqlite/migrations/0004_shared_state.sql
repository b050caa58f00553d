-- What a thread's agents, tools and client share: one JSON object, absent while nobody wrote one.
create table shared_states (
  thread_key integer primary key references threads (key) on delete cascade,
  state blob not null
) strict;
