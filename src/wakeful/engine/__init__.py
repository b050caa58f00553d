"""Room card: engine.

What is here: what carries ONE run from messages to an ending: the loop, its steps, the model call, the gate in
front of the tools, the toolbox behind it and the limits of it all.
Start reading: `loop.py`, then `inference.py`, `gate.py`, `toolbox.py` and `limits.py`.
May import: contracts.
Invariant: stores nothing; reports everything to its `Journal`. Knows no dispatch, no database, no vendor.
"""
