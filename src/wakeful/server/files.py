"""Which files a request may bring: of known types, few and small; inline, or linked from a host an operator allows."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from typing import NamedTuple

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.message import FilePart

MAX_FILES = 4
MAX_BYTES = 8 * 1024 * 1024
LONGEST_LINK = 2048
FAMILIES = ("image", "audio", "video")
DOCUMENTS = ("application/pdf", "text/plain", "text/markdown", "application/json")
UNKNOWN_TYPE = "*/*"
INLINE = "data:<media type>;base64,<content>"

HOST = re.compile(
    r"((\*\.)?([a-z0-9_-]+\.)*[a-z][a-z0-9-]*|(\d{1,3}\.){3}\d{1,3}|\[[0-9a-f:.]+\])(:\d{1,5})?", re.ASCII
)
"""A host files may be linked from: `files.example.com`, `*.example.com` (its subdomains), an IP address; `:port`."""

# Stricter than RFC 3986, so that a link means the same host to everybody who reads it: no userinfo, no backslash.
_LINK = re.compile(
    r"https://(?P<host>[a-z0-9_.-]+|\[[0-9a-f:.]+\])(:(?P<port>\d{1,5}))?(?P<target>[/?#][!-\[\]-~]*)?",
    re.ASCII | re.IGNORECASE,
)


class Link(NamedTuple):
    """Where an https URL points: `host` in lower case (an IPv6 address in brackets), `target` as in a request line."""

    host: str
    port: int
    target: str


class FileHosts:
    """The hosts files may be linked from, each as `HOST` says; without a port it is 443."""

    def __init__(self, patterns: Sequence[str] = ()) -> None:
        self._patterns = tuple(pattern.lower() for pattern in patterns)

    @property
    def allowed(self) -> str:
        """What a file's URL may be, in words."""
        if not self._patterns:
            return f"files must be sent inline: expected {INLINE}"
        hosts = ", ".join(self._patterns)
        return (
            f"files must be sent inline or linked from an allowed host: expected {INLINE}, or an https URL of {hosts}"
        )

    def read(self, url: str) -> Link:
        """The parts of a link to a listed host. Raises `BadRequest` for every other URL."""
        found = _LINK.fullmatch(url) if len(url) <= LONGEST_LINK else None
        if found is None:
            raise BadRequest(self.allowed)
        host, port = found["host"].lower(), int(found["port"] or 443)
        if not any(_fits(pattern, host, port) for pattern in self._patterns):
            raise BadRequest(f"{self.allowed}; found {host}:{port}")
        target = (found["target"] or "/").partition("#")[0]
        return Link(host, port, target if target.startswith("/") else f"/{target}")


NO_HOSTS = FileHosts()


class Files:
    """Admits the files of one request and counts them. Every refusal is a `BadRequest` that says what is allowed.

    A link is admitted by its host and its declared type alone; whoever stores the request has its host asked for the
    size first (`server/remote_files.py`).
    """

    def __init__(self, hosts: FileHosts = NO_HOSTS) -> None:
        self._hosts = hosts
        self._count = 0
        self._bytes = 0

    def admit_url(self, url: str, *, media_type: str | None, filename: str | None) -> FilePart:
        """A file as a base64 `data:` URL (RFC 2397), with whose type a declared one must agree, or as an https URL.

        A link's type may be left out, or be a whole family such as `image/*`, until its host has told it.
        """
        if url[:6].lower() == "https:":
            return self._admit_link(url, media_type, filename)
        head, comma, content = url.partition(",")
        if head[:5].lower() != "data:" or not comma or not head.lower().endswith(";base64"):
            raise BadRequest(self._hosts.allowed)
        found = essence(head[5:])
        if media_type and essence(media_type) != found:
            raise BadRequest(f"a file says it is {media_type!r} but its data: URL says {found!r}")
        return self._admit(found, content, url, filename)

    def admit_content(self, content: str, *, media_type: str, filename: str | None) -> FilePart:
        """A file sent as bare base64."""
        found = essence(media_type)
        return self._admit(found, content, f"data:{found};base64,{content}", filename)

    def _admit_link(self, url: str, media_type: str | None, filename: str | None) -> FilePart:
        self._hosts.read(url)
        declared = essence(media_type or "") or UNKNOWN_TYPE
        if declared in FAMILIES:
            declared = f"{declared}/*"
        if declared != UNKNOWN_TYPE:
            check_type(declared)
        self._count_one(0)
        return FilePart(declared, url, filename)

    def _admit(self, media_type: str, content: str, url: str, filename: str | None) -> FilePart:
        check_type(media_type)
        try:
            size = len(b64decode(content, validate=True))
        except (Base64Error, ValueError):
            raise BadRequest("the base64 content of a file is broken") from None
        self._count_one(size)
        return FilePart(media_type, url, filename)

    def _count_one(self, size: int) -> None:
        self._count += 1
        self._bytes += size
        if self._count > MAX_FILES:
            raise BadRequest(f"too many files; expected at most {MAX_FILES} in one request")
        check_size(self._bytes)


def check_type(media_type: str) -> None:
    """Raise `BadRequest` for a type no request may bring."""
    if family(media_type) == "document" and media_type not in DOCUMENTS:
        allowed = ", ".join([*(f"{name}/*" for name in FAMILIES), *DOCUMENTS])
        raise BadRequest(f"files of type {media_type!r} are not accepted; expected one of {allowed}")


def check_size(total: int) -> None:
    """Raise `BadRequest` when the files of one request have too many bytes together."""
    if total > MAX_BYTES:
        raise BadRequest(f"the files are too large; expected at most {MAX_BYTES} bytes in one request")


def inline_size(url: str) -> int:
    """How many bytes an admitted `data:` URL carries."""
    content = url.partition(",")[2]
    return len(content) * 3 // 4 - content[-2:].count("=")


def essence(media_type: str) -> str:
    """A media type without its parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def family(media_type: str) -> str:
    """`image`, `audio`, `video`, or `document` for everything else."""
    found = media_type.partition("/")[0]
    return found if found in FAMILIES else "document"


def _fits(pattern: str, host: str, port: int) -> bool:
    name, colon, listed = pattern.rpartition(":")
    if not colon or not listed.isdigit():
        name, listed = pattern, "443"
    if int(listed) != port:
        return False
    return host.endswith(name[1:]) if name.startswith("*.") else host == name
