"""Room card: bootstrap.

What is here: the only place that names concrete plugs: `plugs` (providers by prefix, stores and buses by URL), `build`
(a checked catalog and a runtime), `exposing` (what other programs are offered), `application` (the ASGI app with every
protocol), `pipes` and `editor` (an MCP client, an editor at standard input and output), `serve` (that app in uvicorn),
`processes` (several of it behind one socket), `work` (a runtime without an app), `garbage` (when the collector runs),
`settings` (the environment's), `demo` (the agent shown when nothing else is given), `masking` (URLs without their
passwords), `install` (which installation a database makes). Start reading: `build.py`.
May import: everything below the doors.
Invariant: chooses and wires; contains no logic beyond that.
"""
