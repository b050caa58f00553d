"""Which cards and addresses of another server are trusted: those that are signed, and those that are named."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID
from pydantic import ValidationError
from tests.backends.a2a.conftest import Here
from tests.backends.a2a.test_hostile_servers import Hostile, failed, stream, words
from tests.backends.a2a.working import Gate, agents, tasks

from wakeful.backends.a2a.failures import UntrustedCard, failure
from wakeful.backends.a2a.origins import GuardedTransport, Origins
from wakeful.contracts.spec import Endpoint

PATIENCE = 30


def public(key: Any) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


class Signed:
    """The other server behind an address it says itself, with a key of its own; `change` what its card says."""

    def __init__(self, app: Any, change: Callable[[bytes], bytes] = lambda body: body) -> None:
        self._app = app
        self._change = change

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("agent-card.json"):
            await self._app(scope, receive, send)
            return

        async def passed_on(message: Any) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [pair for pair in message["headers"] if pair[0] != b"content-length"]}
            elif message["type"] == "http.response.body":
                message = {**message, "body": self._change(message.get("body", b""))}
            await send(message)

        await self._app(scope, receive, passed_on)


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the other server signs its card with."""
    made = ec.generate_private_key(ec.SECP256R1())
    path = tmp_path / "card.pem"
    path.write_bytes(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    monkeypatch.setenv("WAKEFUL_A2A_CARD_KEY", str(path))
    return made


class Later:
    """An ASGI app that is known only when its port is."""

    def __init__(self) -> None:
        self.app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.app(scope, receive, send)
            return
        for phase in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{phase}.complete"})


Signing = Callable[..., Any]


@pytest.fixture
def signing(serve: Any, listen: Any, gate: Gate, key: Any) -> Signing:
    """A server whose card is signed: `async with signing() as (server, url)`."""

    @asynccontextmanager
    async def start(change: Callable[[bytes], bytes] = lambda body: body) -> Any:
        front = Later()
        async with listen(front) as port:
            url = f"http://127.0.0.1:{port}"
            server = await serve(agents=agents(gate), public_url=url)
            front.app = Signed(server.agent_server.app, change)
            yield server, url

    return start


async def test_a_card_that_is_signed_with_a_trusted_key_is_followed(here: Here, signing: Signing, key: Any):
    async with signing() as (_, url):
        runtime = await here.open(url, trusted_keys=(public(ed25519.Ed25519PrivateKey.generate()), public(key)))
        async with asyncio.timeout(PATIENCE):
            result = await runtime.run("remote", "Hello")

    assert result.text == "You said: Hello"


async def test_a_card_that_is_signed_with_another_key_is_refused(here: Here, signing: Signing):
    async with signing() as (server, url):
        error = await failed(here, url, trusted_keys=(public(ec.generate_private_key(ec.SECP256R1())),))
        asked = await tasks(server)

    assert error.code == "untrusted_agent_card"
    assert "not signed with any of the trusted_keys" in error.message
    assert asked == []


async def test_a_card_that_was_changed_on_its_way_is_refused(here: Here, signing: Signing, key: Any):
    def change(body: bytes) -> bytes:
        return body.replace(b"Does what it is told.", b"Does what he is told.")

    async with signing(change) as (server, url):
        error = await failed(here, url, trusted_keys=(public(key),))
        asked = await tasks(server)

    assert error.code == "untrusted_agent_card"
    assert asked == []


async def test_a_card_without_a_signature_is_refused(here: Here, remote: Any):
    error = await failed(here, f"http://127.0.0.1:{remote.port}", trusted_keys=(public(_key()),))

    assert error.code == "untrusted_agent_card"
    assert "is not signed" in error.message


def _key() -> Any:
    return ed25519.Ed25519PrivateKey.generate()


async def test_a_key_of_an_unknown_kind_is_said(here: Here, remote: Any):
    strange = ec.generate_private_key(ec.SECP384R1())

    error = await failed(here, f"http://127.0.0.1:{remote.port}", trusted_keys=(public(strange),))

    assert error.code == "configuration"
    assert "expected Ed25519, P-256 or RSA" in error.message


PRIVATE = _key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    "wrong",
    [
        {"trusted_keys": ["words"]},
        {"trusted_keys": [PRIVATE]},
        {"interface_origins": ["https://a/path"]},
        {"interface_origins": ["https://user@a"]},
        {"interface_origins": ["ftp://a"]},
        {"interface_origins": ["*"]},
    ],
    ids=["words", "a private key", "a path", "a user", "another scheme", "a pattern"],
)
def test_what_is_no_public_key_and_no_origin_is_refused_at_once(wrong: dict[str, Any]):
    with pytest.raises(ValidationError) as refused:
        Endpoint(url="https://a", **wrong)

    assert PRIVATE[30:60] not in str(refused.value)


# -- other origins


def answering(request: Any, method: str) -> Any:
    task = {"id": "task", "contextId": "context", "status": {"state": "TASK_STATE_WORKING"}}
    done = {"statusUpdate": {"taskId": "task", "status": {"state": "TASK_STATE_COMPLETED"}}}
    return stream({"task": task}, words("From the other port."), done)


class Elsewhere:
    """A card on one port that leads to another: each is an origin of its own."""

    def __init__(self, url: str, inside: Hostile, origin: str) -> None:
        self.url = url
        self.inside = inside
        self.origin = origin


@pytest.fixture
async def elsewhere(listen: Any) -> Any:
    async with AsyncExitStack() as stack:
        inside = Hostile(answering)
        origin = f"http://127.0.0.1:{await stack.enter_async_context(listen(inside))}"
        place = {"url": f"{origin}/a2a", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
        port = await stack.enter_async_context(listen(Hostile(supportedInterfaces=[place])))
        yield Elsewhere(f"http://127.0.0.1:{port}", inside, origin)


async def test_another_origin_is_refused_unless_it_is_named(here: Here, elsewhere: Elsewhere):
    error = await failed(here, elsewhere.url, interface_origins=("https://a.example.com",), interfaces_on_loopback=True)

    assert error.code == "untrusted_agent_card"
    assert elsewhere.origin in error.message
    assert "interface_origins" in error.message
    assert elsewhere.inside.asked == []


async def test_a_named_origin_on_this_machine_is_asked_where_that_is_allowed(here: Here, elsewhere: Elsewhere):
    runtime = await here.open(elsewhere.url, interface_origins=(elsewhere.origin,), interfaces_on_loopback=True)
    async with asyncio.timeout(PATIENCE):
        result = await runtime.run("remote", "Hello")

    assert result.text == "From the other port."


async def test_a_named_origin_on_this_machine_is_refused_by_default(here: Here, elsewhere: Elsewhere):
    error = await failed(here, elsewhere.url, interface_origins=(elsewhere.origin,))

    assert error.code == "untrusted_agent_card"
    assert "not on the public internet" in error.message
    assert elsewhere.inside.asked == []


HOST = "agents.example.com"


@dataclass(frozen=True)
class Secure:
    """A server whose certificate is for `HOST`, and who trusts that."""

    port: int
    trusted: ssl.SSLContext


class Sent(httpx.AsyncBaseTransport):
    """Remembers what would have been sent; an address in `dead` cannot be reached."""

    def __init__(self, *dead: str) -> None:
        self.requests: list[httpx.Request] = []
        self._dead = dead

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.host in self._dead:
            raise httpx.ConnectError("dead")
        return httpx.Response(200)


def guarded(sent: Sent, addresses: Sequence[str], **endpoint: Any) -> httpx.AsyncClient:
    origins = Origins("a", Endpoint(url="http://10.0.0.1/", interface_origins=("https://b", "http://c"), **endpoint))

    async def look_up(host: str, port: int) -> Any:
        return [ip_address(address) for address in addresses]

    return httpx.AsyncClient(transport=GuardedTransport(sent, origins, lookup=look_up))


async def test_the_address_that_was_looked_at_is_the_one_that_is_asked() -> None:
    sent = Sent("2001:4860:4860::8888")

    await guarded(sent, ["2001:4860:4860::8888", "8.8.8.8"]).post("https://b/a2a", content=b"{}")

    assert [request.url.host for request in sent.requests] == ["2001:4860:4860::8888", "8.8.8.8"]
    for request in sent.requests:
        assert request.headers["host"] == "b"
        assert request.extensions["sni_hostname"] == "b"
        assert await request.aread() == b"{}"


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"],
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["::ffff:10.0.0.1"],
        ["64:ff9b::a00:1"],
        ["fe80::1"],
        ["8.8.8.8", "192.168.0.1"],
        [],
    ],
    ids=str,
)
async def test_private_addresses_are_refused_whatever_is_named(addresses: list[str]) -> None:
    sent = Sent()

    with pytest.raises(UntrustedCard, match="not on the public internet"):
        await guarded(sent, addresses).get("https://b/a2a")

    assert sent.requests == []


async def test_a_host_that_is_not_known_may_be_known_later() -> None:
    async def look_up(_: str, __: int) -> Any:
        raise OSError("no such host")

    origins = Origins("a", Endpoint(url="http://10.0.0.1/", interface_origins=("https://b",)))
    client = httpx.AsyncClient(transport=GuardedTransport(Sent(), origins, lookup=look_up))

    with pytest.raises(httpx.ConnectError) as failed_to:
        await client.get("https://b/a2a")

    assert failure("a", failed_to.value).retryable


@pytest.mark.parametrize("address", ["10.0.0.1", "192.168.0.1", "169.254.169.254"])
async def test_the_switch_is_for_this_machine_and_for_no_other_private_address(address: str) -> None:
    with pytest.raises(UntrustedCard):
        await guarded(Sent(), [address], interfaces_on_loopback=True).get("https://b/a2a")
    sent = Sent()
    await guarded(sent, ["127.0.0.1"], interfaces_on_loopback=True).get("http://c/a2a")
    assert sent.requests


async def test_nothing_is_sent_in_clear_text_to_another_origin() -> None:
    with pytest.raises(UntrustedCard, match="https only"):
        await guarded(Sent(), ["8.8.8.8"]).get("http://c/a2a")


async def test_the_endpoints_own_origin_may_be_private_and_no_third_one_is_asked() -> None:
    sent = Sent()
    client = guarded(sent, [])

    await client.get("http://10.0.0.1/card.json")
    with pytest.raises(UntrustedCard):
        await client.get("https://third/")

    assert [str(request.url) for request in sent.requests] == ["http://10.0.0.1/card.json"]


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[Secure]:
    """A server with TLS, at any port, that answers one request."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    day = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, day - timedelta(days=1), day + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    chain, secret = tmp_path / "chain.pem", tmp_path / "secret.pem"
    chain.write_bytes(certificate.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(chain, secret)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        answering = asyncio.create_task(asyncio.to_thread(answer_once, listener, context))
        yield Secure(listener.getsockname()[1], ssl.create_default_context(cafile=chain))
        await answering


def answer_once(listener: socket.socket, context: ssl.SSLContext) -> None:
    connection, _ = listener.accept()
    with connection, suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
        tls.recv(65536)
        tls.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")


@pytest.mark.parametrize(("host", "proved"), [(HOST, True), ("other.example.com", False)])
async def test_tls_proves_the_host_that_was_named_not_its_address(secure: Secure, host: str, proved: bool) -> None:
    url = f"https://{host}:{secure.port}"
    origins = Origins("a", Endpoint(url="http://10.0.0.1/", interface_origins=(url,), interfaces_on_loopback=True))

    async def look_up(_: str, __: int) -> Any:
        return [ip_address("127.0.0.1")]

    transport = GuardedTransport(httpx.AsyncHTTPTransport(verify=secure.trusted), origins, lookup=look_up)
    async with asyncio.timeout(PATIENCE), httpx.AsyncClient(transport=transport) as client:
        if proved:
            assert (await client.get(url)).status_code == 200
        else:
            with pytest.raises(httpx.ConnectError, match="certificate"):
                await client.get(url)
