"""Room card: plugins.mcp, the client of MCP servers (Model Context Protocol, revisions 2026-07-28 and 2025-11-25).

What is here: `spec` (what an operator writes), `source` (stays connected; the tool source), `connection` (one
connected session of the official SDK), `process` and `http` (its two transports, bounded), `guard` (what a server may
say unasked), `listing` with `schemas` (a server's list into our tools), `tool` with `questions` and `results` (one
call).
Start reading: `source.py`, then `tool.py`.
May import: contracts, sdk, and the SDK of the `mcp` extra.
Invariant: all that a server says is data of bounded size from a stranger: its hints are believed only when the operator
says so, and its death, silence or noise fails its calls and nothing else.
"""
