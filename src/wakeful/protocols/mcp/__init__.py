"""Room card: protocols.mcp.

What is here: a server of the Model Context Protocol in two eras at one endpoint: 2026-07-28 (every request stands for
itself) and 2025-11-25 with its forerunners (sessions, kept in the store).
In: `wire.py` reads JSON-RPC, `envelope.py` the headers and `_meta` of the new era, `origins.py` judges pages.
What is offered: `tools.py` (agents and tools), `resources.py`, `prompts.py`; `catalogue.py` answers all that is asked
about them, `discovery.py` says what the server is.
Calls: `calls.py` starts, continues and follows the run behind a call, `encode.py` folds its log into notifications,
`results.py` makes the answer of what it wrote, `questions.py` turns its questions into elicitations and back,
`tasks.py` shows it as a task, `sealing.py` signs the state that a client carries, `listening.py` tells what changed.
Doors: `modern.py` and `legacy.py` (with `sessions.py`) are the eras, `routes.py` HTTP, `stdio.py` the pipes.
Start reading: `calls.py`.
May import: server, contracts.
Invariant: no state outside the store and the log; any process may answer any request.
"""
