"""Room card: protocols.mcp.

What is here: a server of the Model Context Protocol in two eras at one endpoint: 2026-07-28 (every request stands for
itself) and 2025-11-25 with its forerunners (sessions, kept in the store).
In: `wire.py` reads JSON-RPC, `envelope.py` the headers and `_meta` of the new era, `mirrored.py` the arguments that
headers repeat, `origins.py` judges pages.
What is offered: `tools.py` (agents and tools), `resources.py`, `prompts.py`, `completion.py`; `catalogue.py` answers
all that is asked about them and says what the server can do.
Calls: `calls.py` starts, continues and follows the run behind a call, `encode.py` folds its log into notifications,
`results.py` makes the answer of what it wrote, `questions.py` turns its questions into elicitations and back,
`tasks.py` and `legacy_tasks.py` show it as a task, `sealing.py` signs the state that a client carries.
Changes: `changes.py` finds them, `listening.py` tells the new era, `hearing.py` and `session_streams.py` the old one,
through an `outbox.py`.
Doors: `modern.py` and `legacy.py` (with `sessions.py`) are the eras, `routes.py` HTTP (with `streams.py`), `stdio.py`
the pipes.
Start reading: `calls.py`.
May import: server, contracts.
Invariant: no state outside the store and the log; any process may answer any request.
"""
