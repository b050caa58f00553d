"""Which version of A2A a request speaks: its header `A2A-Version`, or the query parameter; none means 0.3."""

from __future__ import annotations

from starlette.requests import Request

from wakeful.protocols.a2a.encode import Version
from wakeful.protocols.a2a.faults import VERSION_NOT_SUPPORTED, Fault

HEADER = "A2A-Version"
KNOWN: dict[tuple[str, ...], Version] = {("1", "0"): "1.0", ("0", "3"): "0.3"}


def speaks_0_3(request: Request) -> bool:
    """Whether the request says that it speaks 0.3, or says nothing."""
    return KNOWN.get(_numbers(request)) == "0.3"


def spoken(request: Request) -> Version:
    """The version; patch numbers are never looked at. Raises `Fault`."""
    found = KNOWN.get(_numbers(request))
    if found is None:
        said = _said(request)
        raise Fault(
            VERSION_NOT_SUPPORTED,
            f"A2A {said} is not spoken here; expected the header {HEADER} to be 1.0 or 0.3",
            metadata={"requestedVersion": said, "supportedVersions": "1.0, 0.3"},
        )
    return found


def only_1_0(request: Request) -> None:
    """Raise `Fault` unless the request speaks 1.0."""
    if spoken(request) != "1.0":
        raise Fault(
            VERSION_NOT_SUPPORTED,
            f"this path speaks A2A 1.0: send the header {HEADER}: 1.0; paths of 0.3 have /v1 before message: and tasks",
            metadata={"requestedVersion": "0.3", "supportedVersions": "1.0"},
        )


def _numbers(request: Request) -> tuple[str, ...]:
    return tuple(_said(request).split(".")[:2])


def _said(request: Request) -> str:
    return (request.headers.get(HEADER) or request.query_params.get(HEADER) or "0.3").strip()
