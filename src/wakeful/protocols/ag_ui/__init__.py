"""Room card: protocols.ag_ui.

What is here: AG-UI 1.0, readable by the 0.x clients too.
In: `sent.py` has the shapes of a request, `decode.py` reads it with `turn.py` (what is new) and `base.py` (what the
client holds); `resume.py` judges answers to questions, `reception.py` finds out what they are for.
Out: `wire.py` and `messages.py` have the shapes (`build.py` fills the larger ones, `ids.py` names messages).
`encode.py` turns a run's log into events; what it keeps in mind is in `segment.py`, `step.py`, `blocks.py`, `calls.py`,
`state.py`, `subagents.py` and `held.py`. `history.py` turns stored messages into AG-UI messages, `capabilities.py` an
agent's spec into what it can do. `routes.py` serves all this, `attach.py` runs to clients that come back.
Start reading: `decode.py`, then `encode.py`.
May import: server, contracts.
Invariant: decode and encode are pure and await nothing; whatever an encoder opens it closes before the run's end.
"""
