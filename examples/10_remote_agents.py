"""An agent on another server, asked over A2A. Needs the extra: pip install "wakeful[a2a]"."""

import asyncio
import socket
from collections.abc import AsyncIterator

import uvicorn

from wakeful import Agent, AgentRequest, AgentRuntime, AgentServer, AskUser, Decision, Endpoint, agent


@agent("forecaster", description="Knows the weather anywhere.")
async def forecaster(request: AgentRequest) -> AsyncIterator[str | AskUser]:
    """The agent on the other server, which may be of any vendor."""
    if "city" not in request.answers:
        yield AskUser("For which city?", key="city")
    else:
        yield f"Sun in {request.answers['city']}."


async def ask(port: int) -> None:
    """This server's agent `weather` answers over there."""
    weather = Agent("weather", endpoint=Endpoint(url=f"http://127.0.0.1:{port}", agent="forecaster"))
    async with AgentRuntime(agents=[weather]) as runtime:
        asked = await runtime.run("weather", "How is the weather?")
        (question,) = asked.interrupts
        print(question.message)
        print((await runtime.decide(asked.run.id, Decision(question.id, output="Rome"))).text)


async def main() -> None:
    """Both servers in one process, for want of two machines."""
    elsewhere = AgentServer(AgentRuntime(agents=[forecaster]))
    server = uvicorn.Server(uvicorn.Config(elsewhere.app, log_level="warning"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listener]))
            await ask(listener.getsockname()[1])
            server.should_exit = True


if __name__ == "__main__":
    asyncio.run(main())
