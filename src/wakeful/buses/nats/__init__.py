"""Room card: buses.nats.

What is here: the bus over NATS, with nats-py. `bus.py` is the public class: what is to be sent and heard, and the loop
that stays connected; `connection` is one connection's life, `outbox` what waits to be sent, `wire` batches as bytes
and subjects, `interest` the runs nobody hears, `address` the URL.
Start reading: `bus.py`, then `connection.py`.
May import: contracts.
Invariant: plain subjects, no stream: nothing is kept in NATS. Every buffer is bounded; who does not answer is left.
"""
