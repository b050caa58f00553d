"""Room card: stores.sqlite.

What is here: the store in one SQLite file, or in memory. `store.py` is the public class; `accept`, `dispatches`,
`progress`, `decisions`, `runs`, `threads` and `messages` hold what each method does inside its transaction;
`writer` and `readers` decide on which thread and connection; `queries/` and `migrations/` hold all SQL.
Start reading: `store.py`, then `writer.py`, then `accept.py`.
May import: contracts.
Invariant: one thread writes; a run is due only while it is the oldest unfinished run of its thread.
"""
