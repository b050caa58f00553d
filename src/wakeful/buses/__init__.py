"""Room card: buses.

What is here: one folder per message bus, each keeping the promise of `contracts/bus.py`.
Start reading: `nats/bus.py`.
May import: contracts.
Invariant: only what is committed travels; whatever a bus loses, repeats or delays, the log has.
"""
