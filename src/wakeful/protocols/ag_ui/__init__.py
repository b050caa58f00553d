"""Room card: protocols.ag_ui.

What is here: AG-UI 1.0, readable by the 0.x clients too. `wire.py` has the shapes (`build.py` fills the larger ones,
`ids.py` names messages), `decode.py` reads a `RunAgentInput`, `encode.py` turns a run's log into events, `history.py`
turns stored messages into AG-UI messages, `routes.py` serves them, `attach.py` also to clients that come back.
Start reading: `wire.py`, then `encode.py`.
May import: server, contracts.
Invariant: decode and encode are pure and await nothing; whatever an encoder opens it closes before the run's end.
"""
