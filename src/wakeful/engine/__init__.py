"""Room card: engine.

What is here: what carries ONE run from messages to an ending: the loop, its steps, what makes a step's reply (`source`:
a model or a backend), the gate in front of the tools, the toolbox behind it with the desk a running call reports to and
the shared state it writes, and the limits of it all.
Start reading: `loop.py`, then `inference.py`, `gate.py`, `toolbox.py` and `limits.py`.
May import: contracts.
Invariant: stores nothing; reports everything to its `Journal`. Knows no dispatch, no database, no vendor.
"""
