"""Reads what an output text cites (OpenAI API reference, "Responses", annotations of an output text)."""

from __future__ import annotations

import msgspec

from wakeful.providers.sources import Citations, Span, readable

ABSENT = msgspec.Raw(b"null")


class _Annotation(msgspec.Struct):
    """A page, or a file by its name; positions count in the text of the content part."""

    type: str
    url: str | None = None
    title: str | None = None
    filename: str | None = None
    start_index: int | None = None
    end_index: int | None = None

    def span(self, begins: int) -> Span | None:
        if self.start_index is None or self.end_index is None:
            return None
        return Span(begins + self.start_index, begins + self.end_index)


class _Part(msgspec.Struct):
    annotations: list[msgspec.Raw] | None = None


_annotations = msgspec.json.Decoder(_Annotation)
_parts = msgspec.json.Decoder(_Part)


def of_part(part: msgspec.Raw) -> list[msgspec.Raw]:
    """The annotations of a content part."""
    found = readable(_parts, part)
    return (found.annotations if found else None) or []


def cite(sources: Citations, annotation: msgspec.Raw, *, begins: int) -> None:
    """Tell `sources` about one annotation of a content part whose text begins at `begins`."""
    found = readable(_annotations, annotation)
    if found is None:
        return
    match found.type:
        case "url_citation":
            sources.cite_page(found.url, title=found.title, span=found.span(begins))
        case "file_citation" | "container_file_citation":
            sources.cite_document(found.filename, filename=found.filename, span=found.span(begins))
        case _:
            pass
