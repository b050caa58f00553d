"""The state a client carries between the rounds of one call, signed so that it cannot be changed or moved elsewhere."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets

import msgspec

from wakeful.contracts.document import Document
from wakeful.contracts.errors import Conflict
from wakeful.contracts.json import JsonObject
from wakeful.protocols.mcp import wire
from wakeful.server.auth import Principal
from wakeful.server.operations import Operations

KIND = "mcp-key"
KEY_SCOPE = ""
KEY_ID = "request-state"


class Carried(msgspec.Struct, frozen=True, array_like=True):
    """Which run a call goes on with, and which call that was."""

    run_id: str
    call: str


class Seal:
    """Signs with a key that all processes of one store share; it is made with the first use and never shown."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._key: bytes | None = None

    async def seal(self, principal: Principal, tool: str, arguments: JsonObject, run_id: str) -> str:
        """The state of a call that goes on with this run."""
        body = msgspec.json.encode(Carried(run_id, _digest(principal, tool, arguments)))
        return f"{_text(body)}.{_text(await self._sign(body))}"

    async def open(self, principal: Principal, tool: str, arguments: JsonObject, state: str) -> str:
        """The run id in a state; raises `Refused` for one that this server did not make for this very call."""
        head, _, tail = state.partition(".")
        try:
            body, signature = _bytes(head), _bytes(tail)
        except (binascii.Error, ValueError):
            raise _tampered() from None
        if not hmac.compare_digest(signature, await self._sign(body)):
            raise _tampered()
        carried = msgspec.json.decode(body, type=Carried)
        if not hmac.compare_digest(carried.call, _digest(principal, tool, arguments)):
            raise wire.Refused(
                wire.INVALID_PARAMS, "requestState belongs to another call; repeat the same name and arguments"
            )
        return carried.run_id

    async def _sign(self, body: bytes) -> bytes:
        if self._key is None:
            self._key = await self._shared_key()
        return hmac.digest(self._key, body, "sha256")

    async def _shared_key(self) -> bytes:
        store = self._operations.store
        found = await store.get_document(KEY_SCOPE, KIND, KEY_ID)
        if found is None:
            made = Document(scope=KEY_SCOPE, kind=KIND, id=KEY_ID, value={"key": secrets.token_hex(32)})
            try:
                found = await store.put_document(made, self._operations.now(), expected=0)
            except Conflict:  # another process was first
                found = await store.get_document(KEY_SCOPE, KIND, KEY_ID)
        return bytes.fromhex(str(found.value["key"])) if found is not None else secrets.token_bytes(32)


def _digest(principal: Principal, tool: str, arguments: JsonObject) -> str:
    body = msgspec.json.encode([principal.scope, tool, arguments], order="sorted")
    return hashlib.blake2b(body, digest_size=16).hexdigest()


def _tampered() -> wire.Refused:
    return wire.Refused(wire.INVALID_PARAMS, "expected requestState exactly as it was sent; begin the call again")


def _text(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
