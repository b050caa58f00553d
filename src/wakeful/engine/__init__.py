"""Room card: engine.

What is here: what carries ONE run from messages to an ending: the loop, its steps, the model call, the gate in
front of the tools and the toolbox behind it. Start reading: `loop.py`, then `inference.py` and `gate.py`.
May import: contracts.
Invariant: stores nothing; reports everything to its `Journal`. Knows no dispatch, no database, no vendor.
"""
