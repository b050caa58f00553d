"""Room card: runtime.

What is here: what keeps MANY runs alive through crashes: the mailbox takes requests in, `answering` continues what
waits, `control` stops, interrupts and answers, `entries` changes what waits in line, the worker claims runs and
carries them with the engine, the recorder writes their logs, the feed shows the logs to readers, `listener` and `tail`
bring what other processes do, `leases` renews them or stops runs in time, `delegation` lets one agent call another and
`handoff` give it the conversation, `chain` refuses work that goes in circles, `memory` is what backends remember,
`abandonment` stops what goes on elsewhere, the janitor keeps the logs small.
Start reading: `runtime.py` (how the parts fit), `mailbox.py`, `worker.py`, `recorder.py`, `feed.py`.
May import: engine, contracts.
Invariant: a run's log has one writer, its recorder, fenced by a lease. Knows no HTTP, no protocol, no SQL.
"""
