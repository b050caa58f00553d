-- name: get_document
select *
from documents
where scope = :scope
  and kind = :kind
  and id = :id

-- Only what may have the prefix: from the prefix on, or from the last row seen, up to the next prefix.
-- name: list_documents
select *
from documents
where scope = :scope
  and kind = :kind
  and id >= :prefix -- unless after
  and id > :after -- if after
  and id < :next_prefix -- if next_prefix
order by id
limit :limit

-- No revision is 0, so of two who expect 0 only the first writes.
-- name: put_document
insert into documents (scope, kind, id, value, revision, updated_at, thread_key, due_at)
values (:scope, :kind, :id, :value, 1, :at, :thread_key, :due_at)
on conflict (scope, kind, id) do update
set
  value = excluded.value,
  revision = documents.revision + 1,
  updated_at = excluded.updated_at,
  thread_key = excluded.thread_key,
  due_at = excluded.due_at
where documents.revision = :expected -- if expected
returning revision

-- name: change_document
update documents
set
  value = :value,
  revision = revision + 1,
  updated_at = :at,
  thread_key = :thread_key,
  due_at = :due_at
where scope = :scope
  and kind = :kind
  and id = :id
  and revision = :expected
returning revision

-- name: delete_document
delete from documents
where scope = :scope
  and kind = :kind
  and id = :id
  and revision = :expected -- if expected

-- name: has_document
select 1
from documents
where scope = :scope
  and kind = :kind
  and id = :id

-- name: has_thread
select 1
from threads
where key = :key

-- name: due_documents
select *
from documents
where kind = :kind
  and due_at <= :now
order by due_at, key
limit :limit

-- name: postpone_documents
update documents
set
  due_at = :until,
  revision = revision + 1
where key in (select value from json_each(:keys))
