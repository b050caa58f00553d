"""Room card: protocols.native.

What is here: Wakeful's own REST + SSE API: `wire` (bodies), `decode` (bodies to requests), `encode` (events to JSON),
`threads`, `messages` and `runs` (the routes by noun), `routes` (all of them). Start reading: `routes.py`.
May import: server, contracts.
Invariant: ids are checked against the principal before anything else; times are milliseconds; snake_case out.
"""
