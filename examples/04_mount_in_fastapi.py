"""Wakeful below a path of an app you already have: its clients find the same routes under /agents."""

import uvicorn
from fastapi import FastAPI

from wakeful import Agent, AgentRuntime, AgentServer

runtime = AgentRuntime(agents=[Agent("assistant", model="demo:offline")])
app = FastAPI(title="My app")


@app.get("/hello")
def hello() -> dict[str, str]:
    """One of your own routes."""
    return {"hello": "from my app"}


# Joins the app's lifespan: runs are handed back when your app stops. `app.mount("/agents", server.app)` would work
# too; then the runtime starts with its first request and nobody stops it.
AgentServer(runtime).mount(app, "/agents")

if __name__ == "__main__":
    # The limit is for streams that are open when the server is asked to stop.
    uvicorn.run(app, host="127.0.0.1", port=3000, timeout_graceful_shutdown=5)
