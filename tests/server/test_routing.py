"""Which plain route answers, and what is said when none does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from wakeful.contracts.errors import Conflict
from wakeful.server.routing import Route, Router

ELSEWHERE = Response("elsewhere", 404)


async def asked(router: Router, method: str, path: str, *, root: str = "") -> tuple[int, dict[str, str], bytes, Any]:
    """Status, headers and body of the answer, and the template of the route that was found."""
    sent: list[Any] = []
    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": root + path,
        "root_path": root,
        "headers": [(b"host", b"test")],
        "query_string": b"",
    }

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    try:
        await router(scope, receive, send)
    finally:
        head, *rest = sent
        headers = {name.decode(): value.decode() for name, value in head["headers"]}
        found = head["status"], headers, b"".join(message["body"] for message in rest), scope.get("route")
    return found


def naming(name: str, *methods: str) -> Route:
    """A route that answers with its own template and what its names stand for."""

    async def answer(request: Request) -> Response:
        return Response(json.dumps([name, request.path_params]))

    return Route(name, answer, methods=methods)


ROUTES = [
    naming("/tasks", "GET"),
    naming("/tasks/{task}:cancel", "POST"),
    naming("/tasks/{task}", "GET"),
    naming("/tasks/{task}/notes", "POST"),
    naming("/tasks/{task}/notes", "GET"),
    naming("/{tenant}/tasks", "GET"),
    naming("/{tenant}/tasks/{task}", "GET"),
    naming("/{tenant}", "POST"),
    naming("/{tenant}/", "POST"),
]


@pytest.fixture
def router() -> Router:
    made = Router(ELSEWHERE)
    made.add(ROUTES)
    return made


@pytest.mark.parametrize("root", ["", "/mounted"])
@pytest.mark.parametrize(
    ("method", "path", "template", "names"),
    [
        ("GET", "/tasks", "/tasks", {}),
        ("HEAD", "/tasks", "/tasks", {}),
        ("GET", "/tasks/7", "/tasks/{task}", {"task": "7"}),
        ("POST", "/tasks/7:cancel", "/tasks/{task}:cancel", {"task": "7"}),
        ("POST", "/tasks/a:b:cancel", "/tasks/{task}:cancel", {"task": "a:b"}),
        ("GET", "/tasks/7:cancel", "/tasks/{task}", {"task": "7:cancel"}),
        ("GET", "/tasks/tasks", "/tasks/{task}", {"task": "tasks"}),
        ("GET", "/acme/tasks", "/{tenant}/tasks", {"tenant": "acme"}),
        ("GET", "/acme/tasks/7", "/{tenant}/tasks/{task}", {"tenant": "acme", "task": "7"}),
        ("POST", "/tasks", "/{tenant}", {"tenant": "tasks"}),
        ("POST", "/acme/", "/{tenant}/", {"tenant": "acme"}),
        ("GET", "/tasks/a b\n", "/tasks/{task}", {"task": "a b\n"}),
    ],
)
async def test_the_route_that_fits_path_and_method_answers(
    router: Router, method: str, path: str, template: str, names: dict[str, str], root: str
):
    status, _, body, route = await asked(router, method, path, root=root)

    assert status == 200
    assert json.loads(body) == [template, names]
    assert route.path == template


@pytest.mark.parametrize(
    ("method", "path", "template", "allowed"),
    [
        ("PUT", "/tasks/7/notes", "/tasks/{task}/notes", "GET, HEAD, POST"),
        ("DELETE", "/tasks", "/tasks", "GET, HEAD, POST"),
        ("PROPFIND", "/acme", "/{tenant}", "POST"),
        ("OPTIONS", "/acme/tasks/7", "/{tenant}/tasks/{task}", "GET, HEAD"),
    ],
)
async def test_another_method_is_refused_with_those_that_are_taken(
    router: Router, method: str, path: str, template: str, allowed: str
):
    status, headers, body, route = await asked(router, method, path)

    assert (status, headers["allow"]) == (405, allowed)
    assert json.loads(body) == {"error": f"{method} {path}: Method Not Allowed", "code": "method_not_allowed"}
    assert route.path == template


@pytest.mark.parametrize("path", ["/", "", "//tasks", "/tasks//notes", "/tasks/7/", "/a/b/c", "/tasks/:cancel/x"])
async def test_other_paths_are_for_somebody_else(router: Router, path: str):
    status, _, body, route = await asked(router, "GET", path)

    assert (status, body, route) == (404, b"elsewhere", None)


async def test_an_error_of_ours_is_told_as_such():
    async def refuse(_: Request) -> Response:
        raise Conflict("taken")

    router = Router(ELSEWHERE)
    router.add([Route("/x", refuse, methods=["GET"])])

    status, _, body, _ = await asked(router, "GET", "/x")

    assert (status, json.loads(body)) == (409, {"error": "taken", "code": "conflict"})


async def test_a_defect_is_told_without_its_reason_and_raised_again(caplog: Any):
    async def fail(_: Request) -> Response:
        raise ValueError("secret")

    router = Router(ELSEWHERE)
    router.add([Route("/x", fail, methods=["GET"])])
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(ValueError, match="secret"):
        await router(
            {"type": "http", "method": "GET", "path": "/x", "headers": [], "query_string": b"", "server": ("x", 1)},
            lambda: None,  # type: ignore[arg-type]
            send,
        )

    assert sent[0]["status"] == 500
    assert json.loads(sent[1]["body"])["code"] == "internal"
    assert b"secret" not in sent[1]["body"]
    assert "GET /x failed" in caplog.text
