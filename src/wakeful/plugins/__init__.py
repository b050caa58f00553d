"""Room card: plugins.

What is here: our own features through the doors anybody's would use. `mcp` keeps the promise of
`contracts/tool_source.py` with servers that speak the Model Context Protocol.
Start reading: `mcp/source.py`.
May import: contracts and sdk; never another plugin.
Invariant: nothing a plugin connects to can do more than fail the calls made to it.
"""
