"""Room card: backends.a2a.

What is here: an agent at an endpoint, asked over A2A with the official SDK's client. `backend.py` carries a step: it
sends, follows and comes back to the remote task; `handle.py` is what is remembered of that.
Out: `outgoing.py` writes the message of a step. In: `incoming.py` has the shapes and `parts.py` makes ours of them,
`reply.py` folds what the server says into chunks, `questions.py` makes calls of what it asks.
Wire: `remote.py` finds the agent card and calls methods, `trust.py` verifies the card's signature, `origins.py` limits
which addresses are asked, `bounded.py` what is read; `failures.py` names what goes wrong.
Start reading: `backend.py`, then `reply.py`.
May import: contracts, and the SDK.
Invariant: nothing is sent twice under two names, and nothing to an origin that is neither the endpoint's own
nor named by it.
"""
