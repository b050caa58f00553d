"""Who asks: bearer tokens and the scope each belongs to."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from starlette.requests import HTTPConnection

from wakeful.contracts.errors import Unauthorised
from wakeful.server.config import ServerConfig

DEFAULT_SCOPE = "default"


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who may use one scope. Ids of other scopes do not exist for them."""

    scope: str


class Auth:
    """Checks requests against the configured tokens."""

    def __init__(self, config: ServerConfig) -> None:
        self._tokens = {scope: token.get_secret_value().encode() for scope, token in config.api_tokens.items()}

    @property
    def open(self) -> bool:
        """Whether nobody needs a token."""
        return not self._tokens

    def principal(self, request: HTTPConnection) -> Principal:
        """Who sent the request; raises `Unauthorised` for a missing, wrong or doubled token."""
        if not self._tokens:
            return Principal(DEFAULT_SCOPE)
        headers = request.headers.getlist("authorization")
        scheme, _, token = headers[0].partition(" ") if len(headers) == 1 else ("", "", "")
        sent = token.strip().encode()
        found = [scope for scope, known in self._tokens.items() if hmac.compare_digest(known, sent)]
        if scheme.lower() != "bearer" or not found:
            raise Unauthorised("expected one header 'Authorization: Bearer <token>' with a known token")
        return Principal(found[0])
