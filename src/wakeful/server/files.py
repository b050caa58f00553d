"""Which files a request may bring: inline, of known types, few and small."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.message import FilePart

MAX_FILES = 4
MAX_BYTES = 8 * 1024 * 1024
FAMILIES = ("image", "audio", "video")
DOCUMENTS = ("application/pdf", "text/plain", "text/markdown", "application/json")


class Files:
    """Admits the files of one request and counts them. Every refusal is a `BadRequest` that says what is allowed."""

    def __init__(self) -> None:
        self._count = 0
        self._bytes = 0

    def admit_url(self, url: str, *, media_type: str | None, filename: str | None) -> FilePart:
        """A file sent as a base64 `data:` URL (RFC 2397); a declared `media_type` must agree with it."""
        head, comma, content = url.partition(",")
        if head[:5].lower() != "data:" or not comma or not head.lower().endswith(";base64"):
            raise BadRequest("files must be sent inline: expected data:<media type>;base64,<content>")
        found = essence(head[5:])
        if media_type and essence(media_type) != found:
            raise BadRequest(f"a file says it is {media_type!r} but its data: URL says {found!r}")
        return self._admit(found, content, url, filename)

    def admit_content(self, content: str, *, media_type: str, filename: str | None) -> FilePart:
        """A file sent as bare base64."""
        found = essence(media_type)
        return self._admit(found, content, f"data:{found};base64,{content}", filename)

    def _admit(self, media_type: str, content: str, url: str, filename: str | None) -> FilePart:
        if family(media_type) == "document" and media_type not in DOCUMENTS:
            allowed = ", ".join([*(f"{name}/*" for name in FAMILIES), *DOCUMENTS])
            raise BadRequest(f"files of type {media_type!r} are not accepted; expected one of {allowed}")
        try:
            size = len(b64decode(content, validate=True))
        except (Base64Error, ValueError):
            raise BadRequest("the base64 content of a file is broken") from None
        self._count += 1
        self._bytes += size
        if self._count > MAX_FILES:
            raise BadRequest(f"too many files; expected at most {MAX_FILES} in one request")
        if self._bytes > MAX_BYTES:
            raise BadRequest(f"the files are too large; expected at most {MAX_BYTES} bytes in one request")
        return FilePart(media_type, url, filename)


def essence(media_type: str) -> str:
    """A media type without its parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()


def family(media_type: str) -> str:
    """`image`, `audio`, `video`, or `document` for everything else."""
    found = media_type.partition("/")[0]
    return found if found in FAMILIES else "document"
