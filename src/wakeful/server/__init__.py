"""Room card: server.

What is here: the front desk. The operations any protocol may ask for, who may ask, and the HTTP plumbing all
protocols share: routes (`routing`, and `documented` for FastAPI's), bodies, errors, streams, limits, probes, metrics;
and lines over pipes (`pipes`).
Start reading: `operations.py`, `app.py`, `sse.py`.
May import: runtime, contracts.
Invariant: mentions no protocol by name; every error that leaves it has one JSON shape.
"""
