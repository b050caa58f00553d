"""Reads a bus's URL: `nats://user:password@host:4222,other:4222/name`."""

from __future__ import annotations

import re
from typing import NoReturn
from urllib.parse import unquote

import msgspec

from wakeful.contracts.errors import ConfigurationError

EXAMPLE = "nats://user:password@host:4222/name"
PORT = 4222

_URL = re.compile(r"(nats|tls)://(?:(?P<who>[^/]*)@)?(?P<hosts>[^/@?#]+)(?:/(?P<name>[^/?#]*))?")
_HOST = re.compile(r"(?:[\w.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """Where the servers are and who asks: a user with a password, or a token alone.

    `name` tells apart the installations that share a server; None when the URL has none.
    """

    servers: tuple[str, ...]
    name: str | None
    user: str | None = None
    password: str | None = None
    token: str | None = None


def read_address(url: str) -> Address:
    """The parts of a URL. Raises `ConfigurationError`, which never shows it: it may hold a password."""
    match = _URL.fullmatch(url)
    if match is None:
        _refuse("another form")
    scheme, hosts, name = match[1], match["hosts"].split(","), match["name"] or None
    if not all(_HOST.fullmatch(host) for host in hosts):
        _refuse("a host or port that cannot be read")
    if name is not None and not _NAME.fullmatch(name):
        _refuse("a name of something else than up to 64 letters, digits, - and _")
    user, colon, password = (match["who"] or "").partition(":")
    return Address(
        servers=tuple(f"{scheme}://{host}" for host in hosts),
        name=name,
        user=unquote(user) if colon else None,
        password=unquote(password) if colon else None,
        token=unquote(user) if user and not colon else None,
    )


def _refuse(found: str) -> NoReturn:
    raise ConfigurationError(
        f"bus URL: expected one such as {EXAMPLE}, with /, @ and : of a password percent-encoded, found {found}; "
        "correct it and start again"
    )
