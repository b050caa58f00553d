"""Room card: protocols.admin.

What is here: the operators' REST API: `config` (records under `/v1/config`), `audit` (`/v1/audit-log`), `wire`
(bodies), `preconditions` (ETag and If-Match), `routes` (all of them). Start reading: `routes.py`.
May import: server, catalog, contracts.
Invariant: an operator's token is checked before anything of a request is read; no secret is in any answer.
"""
