"""Plain routes: one look at a table finds what answers, nothing lies between, and what goes wrong is a problem."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from wakeful.server import problems

Handler = Callable[[Request], Awaitable[Response]]
_NAME = re.compile(r"\{(\w+)\}")


class Route:
    """A path, in which `{name}` stands for some text without a slash, and what answers there.

    `scope["route"]` names it afterwards, as FastAPI's own routes do. What answers GET answers HEAD.
    """

    def __init__(self, path: str, handler: Handler, *, methods: Sequence[str]) -> None:
        self.path = path
        self.names: tuple[str, ...] = tuple(_NAME.findall(path))
        self.taken = (*methods, "HEAD") if "GET" in methods else tuple(methods)
        self._handler = handler

    def serves(self, scope: Scope) -> bool:
        """Whether a request for the path is one for this route; else it is as if the route were not there."""
        del scope
        return True

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; a defect is raised again once the client was told."""
        response, defect = await self._respond(Request(scope, receive))
        await response(scope, receive, send)
        if defect is not None:
            raise defect

    async def _respond(self, request: Request) -> tuple[Response, Exception | None]:
        try:
            return await self._handler(request), None
        except Exception as error:
            return problems.told(request, error), error if problems.is_defect(error) else None


class Router:
    """Answers requests for its routes; all others are for `otherwise`.

    A path that fits, but no route that takes the method, is a 405.
    """

    def __init__(self, otherwise: ASGIApp) -> None:
        self._otherwise = otherwise
        self._root = _Place()

    def add(self, routes: Iterable[Route]) -> None:
        """Add routes. Where several fit a request, text goes before names, and what was added first before others."""
        for route in routes:
            place = self._root
            for segment in route.path.split("/"):
                place = place.below(segment)
            for method in route.taken:
                place.routes.setdefault(method, route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        answer = self._answering(scope) if scope["type"] == "http" else self._otherwise
        await answer(scope, receive, send)

    def _answering(self, scope: Scope) -> ASGIApp:
        """What answers a request; the scope is told the route and what its names stand for."""
        fits = self._fits(scope)
        if not fits:
            return self._otherwise
        for place, values in fits:
            if route := place.routes.get(scope["method"]):
                scope["route"], scope["path_params"] = route, dict(zip(route.names, values, strict=True))
                return route.answer
        scope["route"] = next(iter(fits[0][0].routes.values()))
        methods = {method for place, _ in fits for method in place.routes}
        error = HTTPException(405, headers={"allow": ", ".join(sorted(methods))})
        return problems.told(Request(scope), error)

    def _fits(self, scope: Scope) -> list[_Fit]:
        """The places that have routes for a request's path, best first."""
        found: list[_Fit] = [(self._root, ())]
        for segment in _path_below_root(scope).split("/"):
            found = [fit for place, values in found for fit in place.fits(segment, values)]
        return [fit for fit in found if any(route.serves(scope) for route in fit[0].routes.values())]


class _Place:
    """A node in the tree of paths: the routes that end here by their methods, and what may be the next segment."""

    def __init__(self) -> None:
        self.routes: dict[str, Route] = {}
        self._texts: dict[str, _Place] = {}
        self._names: dict[tuple[str, str], _Place] = {}

    def below(self, segment: str) -> _Place:
        """The place of a template's next segment, which has at most one name; made when absent."""
        before, name, after = (*_NAME.split(segment), "", "")[:3]
        if not name:
            return self._texts.setdefault(segment, _Place())
        return self._names.setdefault((before, after), _Place())

    def fits(self, segment: str, values: tuple[str, ...]) -> list[_Fit]:
        """The places of a path's next segment, each with what the names up to there stand for."""
        place = self._texts.get(segment)
        found = [] if place is None else [(place, values)]
        for (before, after), named in self._names.items():
            value = segment[len(before) : len(segment) - len(after)]
            if value and segment == f"{before}{value}{after}":
                found.append((named, (*values, value)))
        return found


_Fit = tuple[_Place, tuple[str, ...]]


def _path_below_root(scope: Scope) -> str:
    """The path without that of the app this one is mounted in."""
    path, root = scope["path"], scope.get("root_path", "")
    if root and path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/"):
        return path[len(root) :]
    return path
