"""Plain routes: one look at a table finds what answers, nothing lies between, and what goes wrong is a problem."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from wakeful.server import problems

Handler = Callable[[Request], Awaitable[Response]]
_NAME = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """A path, in which `{name}` stands for some text without a slash, and what answers there.

    `scope["route"]` names it afterwards, as FastAPI's own routes do. What answers GET answers HEAD.
    """

    path: str
    handler: Handler
    methods: Sequence[str]

    @property
    def taken(self) -> frozenset[str]:
        """The methods it answers."""
        return frozenset((*self.methods, "HEAD") if "GET" in self.methods else self.methods)

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; a defect is raised again once the client was told."""
        request = Request(scope, receive)
        try:
            response = await self.handler(request)
        except Exception as error:
            await problems.told(request, error)(scope, receive, send)
            if problems.is_defect(error):
                raise
        else:
            await response(scope, receive, send)


class Router:
    """Answers requests for its routes; all others are for `otherwise`.

    The first route answers that fits the path and takes the method; when only the method does not fit, that is a 405.
    """

    def __init__(self, otherwise: ASGIApp) -> None:
        self._otherwise = otherwise
        self._routes: list[Route] = []
        self._by_method: dict[str, _Table] = {}
        self._paths = _Table(())

    def add(self, routes: Iterable[Route]) -> None:
        """Add routes behind those it has."""
        self._routes.extend(routes)
        methods = {method for route in self._routes for method in route.taken}
        self._by_method = {
            method: _Table([route for route in self._routes if method in route.taken]) for method in methods
        }
        self._paths = _Table(self._routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] == "http":
            path = _path_below_root(scope)
            found = self._by_method.get(scope["method"], self._paths).find(path) or self._paths.find(path)
            if found is not None:
                route, scope["path_params"] = found
                scope["route"] = route
                if scope["method"] in route.taken:
                    await route.answer(scope, receive, send)
                else:
                    await self._refuse(path, scope, receive, send)
                return
        await self._otherwise(scope, receive, send)

    async def _refuse(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        allowed = sorted(method for method, table in self._by_method.items() if table.find(path))
        error = HTTPException(405, headers={"allow": ", ".join(allowed)})
        await problems.told(Request(scope, receive), error)(scope, receive, send)


class _Table:
    """Routes in order, found by one regular expression."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._pattern = re.compile("|".join(f"({_pattern(route.path)})" for route in routes) or r"(?!)")
        self._by_group: dict[int, tuple[Route, list[str]]] = {}
        group = 1
        for route in routes:
            names = _NAME.findall(route.path)
            self._by_group[group] = route, names
            group += 1 + len(names)

    def find(self, path: str) -> tuple[Route, dict[str, str]] | None:
        """The first route for a path and what its names stand for."""
        match = self._pattern.fullmatch(path)
        if match is None or match.lastindex is None:
            return None
        at = match.lastindex  # the group that closed last is the outermost, the one of the route
        route, names = self._by_group[at]
        return route, dict(zip(names, match.groups()[at:], strict=False))


def _pattern(path: str) -> str:
    """A template as a regular expression with one group per name."""
    literals = _NAME.split(path)[::2]
    return "([^/]+)".join(re.escape(literal) for literal in literals)


def _path_below_root(scope: Scope) -> str:
    """The path without that of the app this one is mounted in."""
    path, root = scope["path"], scope.get("root_path", "")
    if root and path.startswith(root) and path[len(root) : len(root) + 1] in ("", "/"):
        return path[len(root) :]
    return path
