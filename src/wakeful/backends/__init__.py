"""Room card: backends.

What is here: the plugs that keep the promise of `contracts/backend.py` with something elsewhere. `a2a` asks an agent on
another server over A2A.
Start reading: `a2a/backend.py`.
May import: contracts; never another backend.
Invariant: whatever the other side does, the run it works for ends or goes on; it costs no other run anything.
"""
