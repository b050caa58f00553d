"""Room card: protocols.native.

What is here: Wakeful's own REST + SSE API: `wire` and `control_wire` (bodies), `decode` (bodies to requests), `encode`
(events and stored things to JSON), the routes by noun (`threads`, `messages`, `runs`, `inputs`, `mailbox`, `control`,
`dead_letters`), `routes` (all of them). Start reading: `routes.py`.
May import: server, contracts.
Invariant: ids are checked against the principal before anything else; times are milliseconds; snake_case out.
"""
