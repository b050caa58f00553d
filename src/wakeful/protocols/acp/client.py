"""The other side, as the rest of the room sees it: whom updates are sent to, and who can be asked."""

from __future__ import annotations

from typing import Protocol, TypeVar

import msgspec

from wakeful.contracts.errors import WakefulError

S = TypeVar("S")


class ClientRefused(WakefulError):
    """The client answered a request of ours with an error, or with something that cannot be read."""

    code = "client_refused"


class Client(Protocol):
    """One connected client."""

    async def update(self, session_id: str, payload: bytes) -> None:
        """Send one `session/update`; waits while the client does not read."""
        ...

    async def ask(self, method: str, params: msgspec.Struct, answer: type[S]) -> S:
        """Send a request and wait for its answer; when cancelled, the client is told by `$/cancel_request`.

        Raises `ClientRefused`.
        """
        ...
