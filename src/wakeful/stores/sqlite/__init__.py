"""Room card: stores.sqlite.

What is here: the store in one SQLite file, or in memory. `store.py` is the public class and its doors that write,
`reads.py` those that only read; `accept`, `dispatches`, `progress`, `endings`, `decisions`, `mailbox`, `threads` and
their neighbours hold what each method does inside its transaction; `logs`, `packing` and `upkeep` keep logs and make
them small; `writer` and `readers` decide on which thread and connection; `owner` knows whether the process is alone;
`portable` moves house; `documents` keeps what protocols put beside the log; `queries/` and `migrations/` hold all SQL.
Start reading: `store.py`, then `writer.py`, then `accept.py`.
May import: contracts.
Invariant: one thread writes; a run is due only while its turn is the first of its thread.
"""
