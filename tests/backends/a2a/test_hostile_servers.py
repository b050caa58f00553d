"""Servers that are broken, or mean harm: the run that asked them fails with clear words, and nothing else happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from tests.backends.a2a.conftest import Here

from wakeful.backends.a2a import remote as limits
from wakeful.backends.a2a.origins import origin
from wakeful.runtime.config import RuntimeConfig

PATIENCE = 30
TASK = {"id": "task", "contextId": "context", "status": {"state": "TASK_STATE_WORKING"}}
Answer = Callable[[Request, str], Any]


class Hostile:
    """An ASGI app: `card` is what its card says, `answer` what it answers to a JSON-RPC method."""

    def __init__(self, answer: Answer | None = None, **card: Any) -> None:
        self.asked: list[str] = []
        self._answer = answer
        self._card = card

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for phase in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{phase}.complete"})
            return
        request = Request(scope, receive)
        response = await self._response(request)
        await response(scope, receive, send)

    async def _response(self, request: Request) -> Response:
        if request.method == "GET":
            base = str(request.base_url)
            place = {"url": f"{base}a2a", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
            card = {"name": "x", "description": "x", "version": "1", "supportedInterfaces": [place]}
            return JSONResponse({**card, "capabilities": {"streaming": True}, **self._card})
        body = json.loads(await request.body())
        self.asked.append(body["method"])
        assert self._answer is not None
        return self._answer(request, body["method"])


def stream(*results: Any) -> StreamingResponse:
    async def frames() -> AsyncIterator[str]:
        for result in results:
            yield f"data: {json.dumps({'jsonrpc': '2.0', 'id': 1, 'result': result})}\n\n"

    return StreamingResponse(frames(), media_type="text/event-stream")


def words(text: str, *, task: str = "task", **update: Any) -> Any:
    artifact = {"artifactId": "a", "parts": [{"text": text}]}
    return {"artifactUpdate": {"taskId": task, "contextId": "context", "artifact": artifact, **update}}


async def failed(here: Here, url: str, **endpoint: Any) -> Any:
    """The error of the run that asked."""
    runtime = await here.open(url, config=RuntimeConfig(max_attempts=1), **endpoint)
    async with asyncio.timeout(PATIENCE):
        result = await runtime.run("remote", "Hello")
    assert result.run.status == "failed"
    assert result.run.error is not None
    return result.run.error


async def test_a_card_that_leads_elsewhere_is_not_followed(here: Here, listen: Callable[..., Any]):
    victim = Hostile()
    async with listen(victim) as inside:
        place = {"url": f"http://127.0.0.1:{inside}/a2a", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
        async with listen(Hostile(supportedInterfaces=[place])) as port:
            error = await failed(here, f"http://127.0.0.1:{port}")

    assert error.code == "untrusted_agent_card"
    assert f"127.0.0.1:{inside}" in error.message
    assert victim.asked == []


async def test_a_redirect_is_not_followed(here: Here, listen: Callable[..., Any]):
    victim = Hostile(lambda request, method: stream({"task": TASK}))
    async with listen(victim) as inside:
        target = f"http://127.0.0.1:{inside}/a2a"
        async with listen(Hostile(lambda request, method: RedirectResponse(target, 307))) as port:
            error = await failed(here, f"http://127.0.0.1:{port}")

    assert "redirects" in error.message
    assert victim.asked == []


async def test_an_interface_that_is_not_spoken_is_said_so(here: Here, listen: Callable[..., Any]):
    place = {"url": "http://127.0.0.1/", "protocolBinding": "GRPC", "protocolVersion": "1.0"}
    async with listen(Hostile(supportedInterfaces=[place])) as port:
        assert "no interface that is spoken here" in (await failed(here, f"http://127.0.0.1:{port}")).message


async def test_words_about_another_task_are_refused(here: Here, listen: Callable[..., Any]):
    def answer(request: Request, method: str) -> Response:
        if method == "GetTask":
            return JSONResponse({"jsonrpc": "2.0", "id": 1, "result": TASK})
        return stream({"task": TASK}, words("not yours", task="other"))

    async with listen(Hostile(answer)) as port:
        assert "speaks of task 'other'" in (await failed(here, f"http://127.0.0.1:{port}")).message


@pytest.mark.parametrize("ended", [b"", b"\n\n"])
async def test_what_is_too_long_is_not_read(
    here: Here, listen: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, ended: bytes
):
    """One event without an end, and one stream of small events without an end."""
    monkeypatch.setattr(limits, "MOST_BYTES", 100_000)
    monkeypatch.setattr(limits, "MOST_STREAMED", 200_000)

    async def endless() -> AsyncIterator[bytes]:
        yield b": begins" if ended else b"data: "
        while True:
            yield b": " + b"x" * 1000 + ended
            await asyncio.sleep(0)  # lets it be told that the other side has left

    def answer(request: Request, method: str) -> Response:
        return StreamingResponse(endless(), media_type="text/event-stream")

    async with listen(Hostile(answer)) as port:
        assert "00000 bytes" in (await failed(here, f"http://127.0.0.1:{port}")).message


async def test_silence_is_bounded(here: Here, listen: Callable[..., Any]):
    async def silent() -> AsyncIterator[bytes]:
        yield b"\n"
        await asyncio.Event().wait()

    def answer(request: Request, method: str) -> Response:
        return StreamingResponse(silent(), media_type="text/event-stream")

    async with listen(Hostile(answer)) as port:
        error = await failed(here, f"http://127.0.0.1:{port}", timeout_seconds=0.2)

    assert error.code == "model_timeout"


@pytest.mark.parametrize(
    "result", [{"task": {"id": ""}}, {"task": {**TASK, "id": "x" * 1000}}, {"task": []}, [], "words", None]
)
async def test_nonsense_is_a_malformed_reply(here: Here, listen: Callable[..., Any], result: Any):
    async with listen(Hostile(lambda request, method: stream(result))) as port:
        assert (await failed(here, f"http://127.0.0.1:{port}")).code == "malformed_reply"


async def test_more_of_an_artifact_that_never_began_is_its_beginning(here: Here, listen: Callable[..., Any]):
    done = {"statusUpdate": {"taskId": "task", "status": {"state": "TASK_STATE_COMPLETED"}}}

    def answer(request: Request, method: str) -> Response:
        return stream({"task": TASK}, words("Out of nowhere", append=True), done)

    async with listen(Hostile(answer)) as port, asyncio.timeout(PATIENCE):
        result = await (await here.open(f"http://127.0.0.1:{port}")).run("remote", "Hello")

    assert (result.run.status, result.text) == ("completed", "Out of nowhere")


async def test_a_server_that_is_not_there_may_be_there_later(here: Here, listen: Callable[..., Any]):
    async with listen(Hostile()) as port:
        pass

    assert (await failed(here, f"http://127.0.0.1:{port}")).code == "model_unavailable"


async def test_a_token_that_is_not_set_is_named(here: Here):
    error = await failed(here, "http://127.0.0.1:9", token_env="NOT_SET_ANYWHERE")

    assert error.code == "configuration"
    assert "NOT_SET_ANYWHERE" in error.message


async def test_the_token_goes_to_the_endpoint_only_and_into_no_error(
    here: Here, listen: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("ELSEWHERE_TOKEN", "geheim")
    seen: list[str] = []

    def answer(request: Request, method: str) -> Response:
        seen.append(request.headers["authorization"])
        return Response("no", 401)

    async with listen(Hostile(answer)) as port:
        error = await failed(here, f"http://127.0.0.1:{port}", token_env="ELSEWHERE_TOKEN")

    assert set(seen) == {"Bearer geheim"}
    assert error.code == "model_unauthorised"
    assert "geheim" not in error.message


@pytest.mark.parametrize(
    "url", ["http://a:8080/x", "https://a/x", "http://b/x", "http://a@b/x", "http:///x", "file:///x", "http://[", "x"]
)
def test_another_origin_is_never_the_same(url: str):
    assert origin(url) != origin("http://a/card.json")


def test_the_default_port_is_a_port():
    assert origin("http://a/card.json") == origin("HTTP://A:80/other")
