"""Reads a store's URL: where the database is, and how this process uses it."""

from __future__ import annotations

import re
from typing import NoReturn
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from wakeful.contracts.errors import ConfigurationError

POOL_SIZE = 10
POOL_TIMEOUT = 3.0

EXAMPLE = "postgresql://user:password@host:5432/wakeful"

# A name or an address, and perhaps its port.
_HOST = re.compile(r"([^:\[\]]*|\[[^\]]*\])(:\d{1,4}|:[1-5]\d{4}|:6[0-5]\d{3})?")


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach a database.

    `dsn` and `listen_dsn` are what the driver is given, the second to a server that passes notifications on. At most
    `pool_size` connections are open besides the listening one; who waits longer than `pool_timeout` seconds for one of
    them, or for a lock, is refused. `pooled`: a pgbouncer in transaction mode is between.
    """

    dsn: str
    listen_dsn: str
    name: str
    pool_size: int = POOL_SIZE
    pool_timeout: float = POOL_TIMEOUT
    pooled: bool = False


def read_address(url: str) -> Address:
    """The parts of `postgresql://...?pool_size=10&pool_timeout=3&pgbouncer=true&listen_url=...`.

    Other parameters are the driver's. `listen_url` is percent-encoded. Raises `ConfigurationError`.
    """
    split = _split(url)
    given = dict(parse_qsl(split.query, keep_blank_values=True))
    pooled = _flag("pgbouncer", given.pop("pgbouncer", "false"))
    listen_url = given.pop("listen_url", None)
    if pooled and listen_url is None:
        _refuse("listen_url=<the percent-encoded URL of PostgreSQL itself> beside pgbouncer=true", "none")
    settings = Address(
        dsn="",
        listen_dsn="",
        name=split.path.strip("/") or given.get("dbname", split.username or "postgres"),
        pool_size=int(_number("pool_size", given.pop("pool_size", str(POOL_SIZE)), least=1)),
        pool_timeout=_number("pool_timeout", given.pop("pool_timeout", str(POOL_TIMEOUT)), least=0.001),
        pooled=pooled,
    )
    dsn = urlunsplit(split._replace(query=urlencode(given)))
    listen_dsn = dsn if listen_url is None else urlunsplit(_split(listen_url))
    return msgspec.structs.replace(settings, dsn=dsn, listen_dsn=listen_dsn)


def budget(address: Address) -> str:
    """How many connections this process may open, for the operator who has to provide them."""
    return f"at most {address.pool_size + 1} connections: {address.pool_size} for work, 1 to listen"


def _split(url: str) -> SplitResult:
    try:
        split = urlsplit(url)
    except ValueError:
        _refuse(f"a store URL such as {EXAMPLE}", "one that cannot be read")
    if split.scheme not in {"postgresql", "postgres"} or not url.partition(":")[2].startswith("//"):
        _refuse(f"a store URL such as {EXAMPLE}", f"scheme {split.scheme!r}")
    hosts = split.netloc.rpartition("@")[2].split(",")
    if not all(_HOST.fullmatch(host) for host in hosts):
        _refuse("a port number after each host, and /, @ and : of a password percent-encoded", "another port")
    return split


def _flag(name: str, text: str) -> bool:
    if text not in {"true", "false"}:
        _refuse(f"{name}=true or {name}=false", f"{name}={text}")
    return text == "true"


def _number(name: str, text: str, *, least: float) -> float:
    try:
        number = float(text) if name == "pool_timeout" else int(text)
    except ValueError:
        number = None
    if number is None or not least <= number < 10_000:
        _refuse(f"{name} to be a number from {least} to 9999", f"{name}={text}")
    return number


def _refuse(expected: str, found: str) -> NoReturn:
    """Never shows the URL, which may hold a password."""
    raise ConfigurationError(f"store URL: expected {expected}, found {found}; correct it and start again")
