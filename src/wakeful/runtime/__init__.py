"""Room card: runtime.

What is here: what keeps MANY runs alive through crashes: the mailbox takes requests in, `control` stops, interrupts
and answers, `entries` changes what waits, the worker claims runs and carries them with the engine, the recorder
writes their logs, the feed shows the logs to readers, the janitor keeps them small.
Start reading: `runtime.py` (how the parts fit), `mailbox.py`, `worker.py`, `recorder.py`, `feed.py`.
May import: engine, contracts.
Invariant: a run's log has one writer, its recorder, fenced by a lease. Knows no HTTP, no protocol, no SQL.
"""
