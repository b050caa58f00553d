"""The operators' desk: who may change the configuration, and with what it is changed."""

from __future__ import annotations

import hashlib
import hmac

from starlette.requests import Request

from wakeful.catalog.editor import Editor
from wakeful.catalog.journal import Who
from wakeful.contracts.errors import Unauthorised
from wakeful.server.config import DIGEST, ServerConfig


class Administration:
    """What any admin route may ask for: `editor`, once `admit` has let somebody in."""

    def __init__(self, editor: Editor, config: ServerConfig) -> None:
        self.editor = editor
        named = dict(config.admin_tokens)
        if config.admin_token is not None:
            named["admin"] = config.admin_token
        self._digests = {name: _digest(token.get_secret_value()) for name, token in named.items()}

    def admit(self, request: Request) -> Who:
        """Who the operator is. Raises `Unauthorised` for a missing, wrong or doubled token."""
        headers = request.headers.getlist("authorization")
        scheme, _, token = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
        sent = hashlib.sha256(token.strip().encode()).digest()
        found = [name for name, known in self._digests.items() if hmac.compare_digest(known, sent)]
        if scheme.lower() != "bearer" or not found:
            raise Unauthorised("expected one header 'Authorization: Bearer <token>' with an operator's token")
        return Who(
            actor=found[0],
            address=request.client.host if request.client else None,
            request_id=request.headers.get("x-request-id"),
        )


def _digest(token: str) -> bytes:
    if token.startswith(DIGEST):
        return bytes.fromhex(token.removeprefix(DIGEST))
    return hashlib.sha256(token.encode()).digest()
