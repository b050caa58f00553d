"""The whole walk: build the runtime, create the server, configure the SSE buffer, start it.

Then: curl -N -H 'content-type: application/json' http://127.0.0.1:3000/v1/runs \
        -d '{"messages": [{"role": "user", "content": "use add {\"a\": 2, \"b\": 3}"}]}'
"""

import os

from wakeful import AgentRuntime, AgentServer, AgentSpec, ModelSpec, ServerConfig, tool


@tool(effect="pure")
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


# 1. The runtime: what exists. Specs are plain configuration; an `Agent` bundles a spec with its tools.
runtime = AgentRuntime(
    agents=[AgentSpec(id="assistant", model="small", instructions="Be brief.", tools=("add",), max_steps=8)],
    models=[ModelSpec(id="small", provider="demo", name="offline")],
    tools=[add],
    store=os.environ.get("STORE", "sqlite:///:memory:"),
)

# 2. The server: how it is reached. `sse_buffer_size` is the most events handed to one connection at a time; a
#    client that reads slower than its run goes on from the log, and the run never waits for it.
server = AgentServer(runtime, ServerConfig(address=os.environ.get("ADDRESS", "127.0.0.1:3000"), sse_buffer_size=64))

# 3. `server.app` is an ASGI app for any server, and `wakeful serve examples/02_serve.py:server` finds the server.
app = server.app

if __name__ == "__main__":
    server.run()
