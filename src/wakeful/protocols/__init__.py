"""Room card: protocols.

What is here: one folder a protocol, each with the same files: `wire` (shapes), `decode` (wire to request), `encode`
(events to wire), `routes` (HTTP) or `stdio` (pipes). Reading one is reading all. Start reading: `native/`.
May import: server, contracts; never another protocol.
Invariant: `decode` and `encode` are pure; nothing in them awaits.
"""
