"""Signed agent cards: verified by the SDK, with the key that the server shows, and by nothing that was changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from a2a.client.card_resolver import parse_agent_card
from a2a.types import a2a_pb2 as pb
from a2a.utils.signing import InvalidSignaturesError, NoSignatureError, create_signature_verifier
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from jwt import PyJWK, get_unverified_header
from tests.protocols.a2a.talking import NEW, ROOT, Gate, agents

from wakeful.contracts.errors import ConfigurationError

Serve = Callable[..., Awaitable[Any]]
WELL_KNOWN = "/.well-known/agent-card.json"
PUBLIC_URL = "https://agents.example.com/deep"
KEYS = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RS256": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


def written(folder: Path, key: Any, encryption: Any = None) -> str:
    path = folder / "card.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()))
    return str(path)


@pytest.fixture(params=KEYS)
def algorithm(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Servers sign with a key of each kind in turn."""
    monkeypatch.setenv("WAKEFUL_A2A_CARD_KEY", written(tmp_path, KEYS[request.param]()))
    return request.param


async def verifier(server: Any, algorithm: str) -> Callable[[pb.AgentCard], None]:
    """The SDK's, which asks for keys by their id where the signature says."""
    (key,) = (await server.client.get("/.well-known/jwks.json")).json()["keys"]

    def provide(key_id: str | None, keys_url: str | None) -> PyJWK:
        assert (key_id, keys_url) == (key["kid"], f"{PUBLIC_URL}/.well-known/jwks.json")
        return PyJWK(key)

    return create_signature_verifier(provide, [algorithm])


async def test_the_sdk_verifies_cards_with_the_key_that_the_server_shows(
    serve: Serve, gate: Gate, algorithm: str
) -> None:
    server = await serve(agents=agents(gate), public_url=PUBLIC_URL, api_tokens={"a": "token"})
    verify = await verifier(server, algorithm)
    server.client.headers["authorization"] = "Bearer token"

    for place in (WELL_KNOWN, f"{ROOT}/second{WELL_KNOWN}", f"{ROOT}/extendedAgentCard"):
        response = await server.client.get(place, headers=NEW)
        verify(parse_agent_card(response.json()))
    verify(parse_agent_card((await server.client.get(WELL_KNOWN)).json()))  # with the fields of 0.3 beside it

    (signature,) = response.json()["signatures"]
    header = get_unverified_header(f"{signature['protected']}..{signature['signature']}")
    assert (header["alg"], header["typ"]) == (algorithm, "JOSE")


async def test_a_card_that_was_changed_is_not_verified(serve: Serve, gate: Gate, algorithm: str) -> None:
    server = await serve(agents=agents(gate), public_url=PUBLIC_URL)
    verify = await verifier(server, algorithm)
    shown = (await server.client.get(WELL_KNOWN, headers=NEW)).json()
    (signature,) = shown["signatures"]
    places = [{**shown["supportedInterfaces"][0], "url": "https://evil.example.com"}]

    for change in (
        {"supportedInterfaces": places},
        {"description": "Other."},
        {"skills": []},
        {"signatures": [{**signature, "signature": "AAAA" + signature["signature"][4:]}]},
    ):
        with pytest.raises(InvalidSignaturesError):
            verify(parse_agent_card({**shown, **change}))
    with pytest.raises(NoSignatureError):
        verify(parse_agent_card({**shown, "signatures": []}))


async def test_the_same_card_has_the_same_signature_and_tag_in_every_process(
    serve: Serve, gate: Gate, algorithm: str
) -> None:
    shown = []
    for _ in range(2):
        server = await serve(agents=agents(gate), public_url=PUBLIC_URL)
        shown.append(await server.client.get(WELL_KNOWN))
    tag = shown[0].headers["etag"]
    again = await server.client.get(WELL_KNOWN, headers={"if-none-match": tag})

    assert shown[0].content == shown[1].content
    assert (again.status_code, again.headers["etag"]) == (304, tag)


async def test_the_shown_key_is_public(serve: Serve, algorithm: str) -> None:
    server = await serve(public_url=PUBLIC_URL)

    response = await server.client.get("/.well-known/jwks.json")

    assert response.headers["content-type"] == "application/jwk-set+json"
    (key,) = response.json()["keys"]
    assert key.keys() <= {"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"}
    assert (key["alg"], key["use"]) == (algorithm, "sig")


async def test_without_a_key_cards_are_not_signed_and_no_keys_are_shown(serve: Serve) -> None:
    server = await serve(public_url=PUBLIC_URL)

    assert "signatures" not in (await server.client.get(WELL_KNOWN)).json()
    assert (await server.client.get("/.well-known/jwks.json")).status_code == 404


BAD = {
    "no file": lambda folder: str(folder / "nowhere.pem"),
    "another curve": lambda folder: written(folder, ec.generate_private_key(ec.SECP384R1())),
    "short": lambda folder: written(folder, rsa.generate_private_key(public_exponent=65537, key_size=1024)),
    "password": lambda folder: written(folder, KEYS["ES256"](), BestAvailableEncryption(b"geheim")),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
async def test_a_key_that_cannot_be_used_is_said_at_once(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bad: Callable[[Path], str]
) -> None:
    monkeypatch.setenv("WAKEFUL_A2A_CARD_KEY", bad(tmp_path))

    with pytest.raises(ConfigurationError, match="WAKEFUL_A2A_CARD_KEY"):
        await serve(public_url=PUBLIC_URL)


async def test_nothing_is_signed_that_the_asker_can_choose(serve: Serve, algorithm: str) -> None:
    with pytest.raises(ConfigurationError, match="WAKEFUL_PUBLIC_URL"):
        await serve()
