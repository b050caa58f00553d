-- How far a copy of another database into this one is; there is a row only while one is under way.
create table copies (
  only_one bigint primary key check (only_one = 1),
  progress bytea not null
);
