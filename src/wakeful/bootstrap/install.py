"""Names the installation a database makes, so that others that use the same message bus stay unheard."""

from __future__ import annotations

import hashlib
import ipaddress
import platform
from urllib.parse import parse_qs, urlsplit

from wakeful.contracts.errors import ConfigurationError


def install_name(store_url: str) -> str:
    """A short name for the database behind `postgresql://...`: the same wherever its host, port and database are.

    A host that each machine calls its own, such as `localhost`, counts together with the machine's name. Raises
    `ConfigurationError` for a URL that cannot be read.
    """
    try:
        split = urlsplit(store_url)
        query = parse_qs(split.query)
        host = (query.get("host") or [split.netloc.rpartition("@")[2]])[-1].lower()
        database = (query.get("dbname") or [split.path.strip("/")])[-1] or split.username or ""
        hosts = sorted(_with_port(one, (query.get("port") or ["5432"])[-1]) for one in host.split(","))
    except ValueError:
        raise ConfigurationError("expected a store URL such as postgresql://host/wakeful, found another form") from None
    machine = platform.node() if any(_is_own(one) for one in hosts) else ""
    return hashlib.sha256("\n".join([*hosts, database, machine]).encode()).hexdigest()[:16]


def _with_port(host: str, port: str) -> str:
    return host if host.rpartition("]")[2].rpartition(":")[1] else f"{host}:{port}"


def _is_own(host_and_port: str) -> bool:
    """Whether it means another machine when another machine says it."""
    host = host_and_port.rpartition(":")[0].strip("[]")
    if host in {"", "localhost"} or host.startswith(("/", "%2f", "@")):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
