"""What all wires of our own share: one POST, read as it arrives, and every way it fails."""

import asyncio
import subprocess
import sys
from contextlib import aclosing

import pytest

from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.event import TextDelta
from wakeful.contracts.model_errors import (
    MalformedReply,
    ModelRequestInvalid,
    ModelTimeout,
    ModelUnauthorised,
    ModelUnavailable,
    Overloaded,
    RateLimited,
)
from wakeful.providers.http import READ_BYTES

KEY = "key-that-stays-secret"


async def test_a_reply_in_single_bytes_is_heard_whole(vendor, wire, whole_reply, open_provider, ask, listen) -> None:
    vendor.will_send(*(whole_reply[at : at + 1] for at in range(len(whole_reply))))

    async with open_provider(wire, base_url=vendor.url) as provider:
        heard = await listen(provider, ask("hello"))

    assert heard.text == "hi"
    assert heard.finished.reason == "stop"


async def test_carriage_returns_and_comments_do_no_harm(vendor, wire, whole_reply, open_provider, ask, listen) -> None:
    vendor.will_send(b": ping\r\n\r\n" + whole_reply.replace(b"\n", b"\r\n"))

    async with open_provider(wire, base_url=vendor.url) as provider:
        heard = await listen(provider, ask("hello"))

    assert heard.text == "hi"


async def test_a_flood_is_read_in_slices_and_others_get_their_turn_between(vendor, open_provider, ask) -> None:
    words = 1000
    event = b'data: {"choices":[{"index":0,"delta":{"content":"' + b"x" * words + b'"}}]}\n\n'
    vendor.will_send(
        event * words + b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
    )
    turns, heard, slices = 0, 0, 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with open_provider("openai", base_url=vendor.url) as provider:
        waiting = asyncio.create_task(others())
        async for batch in provider.stream(ask("hello")):
            text = sum(len(chunk.delta) for chunk in batch if isinstance(chunk, TextDelta))
            assert text <= READ_BYTES + words
            heard += text
            slices += 1
        waiting.cancel()

    assert heard == words * words
    assert turns >= slices - 1


async def test_a_connection_is_used_again(vendor, wire, whole_reply, open_provider, ask, listen) -> None:
    vendor.will_send(whole_reply, then="wait")
    vendor.will_send(whole_reply)

    async with open_provider(wire, base_url=vendor.url) as provider:
        async for _ in provider.stream(ask("hello")):
            vendor.go.set()  # the end of the response comes after the end of the reply
        await listen(provider, ask("hello"))

    assert (len(vendor.asked), vendor.connections) == (2, 1)


async def test_a_reply_ends_at_its_end_marker_even_if_the_line_stays_open(
    vendor, wire, whole_reply, open_provider, ask, listen
) -> None:
    vendor.will_send(whole_reply, then="hang")

    async with open_provider(wire, base_url=vendor.url) as provider:
        heard = await listen(provider, ask("hello"))

    assert heard.text == "hi"


async def test_a_rate_limit_carries_the_vendors_advice(vendor, wire, open_provider, ask, listen) -> None:
    vendor.will_refuse("429 Too Many Requests", b'{"error":{"message":"slow down"}}', "retry-after: 7")

    async with open_provider(wire, base_url=vendor.url) as provider:
        with pytest.raises(RateLimited, match="slow down") as caught:
            await listen(provider, ask("hello"))

    assert caught.value.retry_after_ms == 7000


async def test_an_overloaded_vendor_can_be_asked_again(vendor, wire, whole_reply, open_provider, ask, listen) -> None:
    vendor.will_refuse("503 Service Unavailable", b"try later")
    vendor.will_send(whole_reply)

    async with open_provider(wire, base_url=vendor.url) as provider:
        with pytest.raises(Overloaded, match="answered 503: try later"):
            await listen(provider, ask("hello"))
        heard = await listen(provider, ask("hello"))

    assert heard.text == "hi"


async def test_an_echoed_key_does_not_reach_the_message(vendor, wire, open_provider, ask, listen) -> None:
    vendor.will_refuse("401 Unauthorized", f'{{"error":{{"message":"no such key: {KEY}, sent as x-extra"}}}}'.encode())

    async with open_provider(wire, base_url=vendor.url, api_key=KEY) as provider:
        with pytest.raises(ModelUnauthorised) as caught:
            await listen(provider, ask("hello"))

    assert KEY in str(vendor.asked[0].headers)
    assert "no such key: [redacted]" in caught.value.message


async def test_without_a_key_none_is_sent(vendor, wire, whole_reply, open_provider, ask, listen) -> None:
    vendor.will_send(whole_reply)

    async with open_provider(wire, base_url=vendor.url, headers={"x-extra": "1"}) as provider:
        await listen(provider, ask("hello"))

    assert not {"authorization", "x-api-key"} & vendor.asked[0].headers.keys()
    assert vendor.asked[0].headers["x-extra"] == "1"


async def test_the_vendor_itself_is_not_asked_without_a_key(wire, open_provider, ask, listen) -> None:
    async with open_provider(wire) as provider:
        with pytest.raises(ModelUnauthorised, match=r"set (OPENAI|ANTHROPIC)_API_KEY"):
            await listen(provider, ask("hello"))


async def test_a_redirect_is_not_followed(vendor, wire, open_provider, ask, listen) -> None:
    vendor.will_refuse("307 Temporary Redirect", b"", f"location: {vendor.url}/elsewhere")

    async with open_provider(wire, base_url=vendor.url, api_key=KEY) as provider:
        with pytest.raises(ModelRequestInvalid, match="answered 307"):
            await listen(provider, ask("hello"))

    assert len(vendor.asked) == 1


@pytest.mark.parametrize("then", ["drop", "end"])
async def test_a_reply_without_its_end_is_a_dropped_connection(
    vendor, wire, whole_reply, open_provider, ask, listen, then
) -> None:
    # One event alone does not end a reply; the chat wire's first event has to lose its finish reason too.
    vendor.will_send(whole_reply.split(b"\n\n")[0].replace(b',"finish_reason":"stop"', b"") + b"\n\n", then=then)
    chunks = []

    async with open_provider(wire, base_url=vendor.url) as provider:
        with pytest.raises(ModelUnavailable, match="connection dropped"):
            await listen(provider, ask("hello"), into=chunks)

    assert chunks == [TextDelta("hi")]


@pytest.mark.parametrize(
    "payload",
    [
        b"{malformed",
        b'{"type":7,"choices":7}',
        b"\xff\xfe",
        b'{"type":"\xff","model":"\xff"}',
        b'{"type":"x","x":%b}' % (b"[" * 100_000),
    ],
    ids=["no JSON", "wrong types", "no UTF-8", "no UTF-8 inside", "endless nesting"],
)
async def test_a_reply_that_cannot_be_read_is_malformed_and_what_came_before_is_kept(
    vendor, wire, whole_reply, open_provider, ask, listen, payload
) -> None:
    first = whole_reply.split(b"\n\n")[0]
    vendor.will_send(first + b"\n\ndata: " + payload + b"\n\n")
    chunks = []

    async with open_provider(wire, base_url=vendor.url) as provider:
        with pytest.raises(MalformedReply, match="cannot be read"):
            await listen(provider, ask("hello"), into=chunks)

    assert chunks == [TextDelta("hi")]


async def test_a_page_is_no_reply(vendor, wire, open_provider, ask, listen) -> None:
    vendor.will_refuse("200 OK", b"{malformed json")

    async with open_provider(wire, base_url=vendor.url) as provider:
        with pytest.raises(MalformedReply, match="expected an event stream, got application/json"):
            await listen(provider, ask("hello"))


@pytest.mark.parametrize("said", [(), (b": ping\n\n",)])
async def test_a_silent_vendor_times_out(vendor, wire, open_provider, ask, listen, said) -> None:
    vendor.will_send(*said, then="hang")

    async with open_provider(wire, base_url=vendor.url, idle_timeout_ms=50) as provider:
        with pytest.raises(ModelTimeout, match="sent nothing for 50 ms"):
            await listen(provider, ask("hello"))


async def test_a_vendor_that_is_not_there_is_unavailable(vendor, wire, open_provider, ask, listen) -> None:
    probe = await asyncio.start_server(vendor.serve, "127.0.0.1", 0)
    port = probe.sockets[0].getsockname()[1]
    probe.close()
    await probe.wait_closed()

    async with open_provider(wire, base_url=f"http://user:{KEY}@127.0.0.1:{port}") as provider:
        with pytest.raises(ModelUnavailable, match="cannot connect") as caught:
            await listen(provider, ask("hello"))

    assert KEY not in caught.value.message


@pytest.mark.parametrize("rest", ["[broken", "host:port", ""])
async def test_a_broken_base_url_is_refused_without_repeating_it(wire, open_provider, rest) -> None:
    with pytest.raises(ConfigurationError, match="base_url is not an http or https URL") as caught:
        async with open_provider(wire, base_url=f"http://user:{KEY}@{rest}"):
            pass

    assert KEY not in caught.value.message


async def test_leaving_early_releases_the_connection(vendor, wire, whole_reply, open_provider, ask) -> None:
    vendor.will_send(whole_reply.split(b"\n\n")[0] + b"\n\n", then="hang")

    async with open_provider(wire, base_url=vendor.url) as provider, asyncio.timeout(5):
        async with aclosing(provider.stream(ask("hello"))) as batches:
            await anext(batches)
        await vendor.hung_up.wait()


async def test_a_cancelled_reader_releases_the_connection(vendor, wire, open_provider, ask, listen) -> None:
    vendor.will_send(b": ping\n\n", then="hang")

    async with open_provider(wire, base_url=vendor.url) as provider, asyncio.timeout(5):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await listen(provider, ask("hello"))
        await vendor.hung_up.wait()


async def test_building_without_aiohttp_says_what_to_install(wire, open_provider, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "aiohttp", None)

    with pytest.raises(ConfigurationError, match=r'pip install "wakeful\[models\]"'):
        async with open_provider(wire):
            pass


def test_importing_the_providers_imports_no_vendor_library() -> None:
    program = (
        "import sys, wakeful.providers.openai.provider, wakeful.providers.openai_responses.provider,"
        " wakeful.providers.anthropic.provider, wakeful.providers.pydantic_ai.provider;"
        "print({'aiohttp', 'pydantic_ai'} & sys.modules.keys())"
    )

    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert printed.strip() == "set()"
