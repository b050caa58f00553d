"""A2A's routes: both bindings for the default agent and for each agent by name, every path with and without a slash."""

from __future__ import annotations

from collections.abc import Coroutine
from email.utils import formatdate
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from wakeful.contracts.errors import WakefulError
from wakeful.contracts.json import JsonObject
from wakeful.protocols.a2a import legacy_rest
from wakeful.protocols.a2a.calls import Calls
from wakeful.protocols.a2a.card import PREFIX, encoded, matches, tag, with_legacy
from wakeful.protocols.a2a.card_key import KEYS_PATH, CardKeySettings, open_signing
from wakeful.protocols.a2a.faults import fault_of, rest_answer
from wakeful.protocols.a2a.legacy_rest import LegacyRest
from wakeful.protocols.a2a.rest import Handler, Rest, faulty
from wakeful.protocols.a2a.rpc import Rpc
from wakeful.protocols.a2a.version import speaks_0_3, spoken
from wakeful.server.config import ServerConfig
from wakeful.server.operations import Operations
from wakeful.server.routing import Route

WELL_KNOWN = "/.well-known/agent-card.json"
MAX_AGE = 60

Row = tuple[str, Handler, list[str]]


class A2A:
    """The protocol as the app needs it: its routes, and the chore that brings out notifications.

    Raises `ConfigurationError` for a key of cards that cannot be used.
    """

    def __init__(self, operations: Operations, config: ServerConfig) -> None:
        self._signing = open_signing(CardKeySettings(), config.public_url)
        self._calls = Calls(operations, config, self._signing)
        self._cards = Cards(self._calls, operations)

    def routes(self) -> list[Route]:
        """All routes of the protocol."""
        rpc = Rpc(self._calls)
        card = self._cards.show
        found = [Route(WELL_KNOWN, card, methods=["GET"])]
        keys = self._signing.public_keys()
        if keys is not None:
            found.append(Route(KEYS_PATH, _shows(keys), methods=["GET"]))
        for place in (PREFIX, f"{PREFIX}/{{tenant}}"):
            found += _legacy(place, LegacyRest(self._calls))
            found += _rest(place, Rest(self._calls))
            found.append(Route(f"{place}{WELL_KNOWN}", card, methods=["GET"]))
            found += _both(place, rpc.answer, ["POST"])
        return found

    def deliver(self) -> Coroutine[Any, Any, None]:
        """Bring out notifications until cancelled."""
        return self._calls.delivery.run()


def _shows(keys: JsonObject) -> Handler:
    """A handler that shows a JWK set."""
    body = msgspec.json.encode(keys)
    headers = {"cache-control": f"public, max-age={MAX_AGE}"}

    async def show(_: Request) -> Response:  # the routes are those of coroutines
        return Response(body, headers=headers, media_type="application/jwk-set+json")

    return show


def _rest(place: str, rest: Rest) -> list[Route]:
    table: list[Row] = [
        (f"{place}/message:send", rest.send, ["POST"]),
        (f"{place}/message:stream", rest.stream, ["POST"]),
        (f"{place}/tasks", rest.list, ["GET"]),
        *_task(f"{place}/tasks/{{task}}", rest),
        (f"{place}/extendedAgentCard", rest.extended_card, ["GET"]),
    ]
    return [route for path, handler, methods in table for route in _both(path, faulty(handler), methods)]


def _legacy(place: str, rest: LegacyRest) -> list[Route]:
    """The paths of 0.3. An agent may be called v1, so a request of another version is not for them."""
    table: list[Row] = [
        (f"{place}/v1/message:send", rest.send, ["POST"]),
        (f"{place}/v1/message:stream", rest.stream, ["POST"]),
        *_task(f"{place}/v1/tasks/{{task}}", rest),
        (f"{place}/v1/card", rest.extended_card, ["GET"]),
    ]
    return [LegacyRoute(path, legacy_rest.faulty(handler), methods=methods) for path, handler, methods in table]


def _task(task: str, rest: Rest | LegacyRest) -> list[Row]:
    """What both versions have for one task."""
    return [
        (f"{task}:cancel", rest.cancel, ["POST"]),
        (f"{task}:subscribe", rest.subscribe, ["GET", "POST"]),
        (f"{task}/pushNotificationConfigs", rest.create_push, ["POST"]),
        (f"{task}/pushNotificationConfigs", rest.list_push, ["GET"]),
        (f"{task}/pushNotificationConfigs/{{config}}", rest.get_push, ["GET"]),
        (f"{task}/pushNotificationConfigs/{{config}}", rest.delete_push, ["DELETE"]),
        (task, rest.get, ["GET"]),
    ]


class LegacyRoute(Route):
    """A route of A2A 0.3."""

    def serves(self, scope: Scope) -> bool:
        """Whether the request speaks 0.3."""
        return speaks_0_3(Request(scope))


def _both(path: str, handler: Handler, methods: list[str]) -> list[Route]:
    return [Route(path, handler, methods=methods), Route(f"{path}/", handler, methods=methods)]


class Cards:
    """Shows agent cards to everybody."""

    def __init__(self, calls: Calls, operations: Operations) -> None:
        self._calls = calls
        self._operations = operations
        self._changed: dict[str, int] = {}

    async def show(self, request: Request) -> Response:
        """An agent's card, 304 for a client that has it already."""
        try:
            asked = request.headers.get("a2a-version") or request.query_params.get("A2A-Version")
            modern = asked is not None and spoken(request) == "1.0"
            found = self._calls.public_card(request)
        except WakefulError as error:
            return rest_answer(fault_of(error))
        body = encoded(found if modern else with_legacy(found))
        validator = tag(body)
        headers = {
            "cache-control": f"public, max-age={MAX_AGE}, must-revalidate",
            "etag": validator,
            "last-modified": formatdate(self._since(validator) / 1000, usegmt=True),
            "vary": "A2A-Version, Host",
        }
        if matches(request.headers.get("if-none-match"), validator):
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type="application/json")

    def _since(self, validator: str) -> int:
        """When this process showed the card first, which does not change while it runs."""
        if len(self._changed) >= MOST_CARDS:
            self._changed.clear()
        return self._changed.setdefault(validator, self._operations.now())


MOST_CARDS = 1000
"""How many cards' times are remembered; a card has as many as there are names for the server."""
