"""Room card: protocols.acp.

What is here: the Agent Client Protocol, version 1, over two pipes: `wire` (shapes), `decode` (what a client sends),
`content` and `calls` (what updates are made of), `encode` (a run's log as updates), `history` (stored messages as
updates), `questions` (interrupts as requests to the client), `grants` (what the user always allows), `session`
(sessions are threads), `servers` (MCP servers the client brings), `turn` (one prompt), `methods` (what a client may
ask for), `connection` (JSON-RPC over lines).
Start reading: `methods.py`.
May import: server, contracts.
Invariant: `decode`, `encode`, `history` and `questions` are pure; all updates of a turn come before its answer.
"""
