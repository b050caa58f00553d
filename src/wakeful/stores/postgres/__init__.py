"""Room card: stores.postgres.

What is here: the store in one PostgreSQL database that any number of processes share. `store.py` is the public class
and its doors that write, `reads.py` those that only read; `accept`, `dispatches`, `progress`, `endings`, `decisions`,
`mailbox`, `threads` and their neighbours hold what each method does inside its transaction; `logs`, `packing` and
`upkeep` keep logs and make them small; `address`, `database` and `pool` connect, `readers` and `writer` begin and end
transactions, `schema` migrates; `portable` moves house; `documents` keeps what protocols put beside the log;
`announcements` and `listener` carry word between processes; `queries/` and `migrations/` hold all SQL.
Start reading: `store.py`, then `writer.py`, then `accept.py`.
May import: contracts.
Invariant: who writes about a thread holds the lock on its row, several always in the order of their keys; a run is
due only while its turn is the first of its thread; nothing outlives a transaction on its connection.
"""
