"""Reads what a text block cites (Anthropic API reference, "Citations" and "Web search tool")."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from wakeful.providers.sources import Citations, Span, is_page, readable

# How a place in a document is told says what kind of document it is.
_DOCUMENTS: Mapping[str, str] = {
    "page_location": "application/pdf",
    "char_location": "text/plain",
    "content_block_location": "text/plain",
}


class _Citation(msgspec.Struct):
    type: str
    cited_text: str | None = None
    url: str | None = None
    title: str | None = None
    source: str | None = None
    document_title: str | None = None
    document_index: int = 0


_citations = msgspec.json.Decoder(_Citation)
_lists = msgspec.json.Decoder(list[msgspec.Raw] | None)


def listed(citations: msgspec.Raw) -> list[msgspec.Raw]:
    """The entries of a block's `citations`."""
    return readable(_lists, citations) or []


def cite(sources: Citations, citation: msgspec.Raw, span: Span) -> None:
    """Tell `sources` about one citation; `span` is the text of its block."""
    found = readable(_citations, citation)
    if found is None:
        return
    match found.type:
        case "web_search_result_location":
            sources.cite_page(found.url, title=found.title, passage=found.cited_text, span=span)
        case "search_result_location" if found.source and is_page(found.source):
            sources.cite_page(found.source, title=found.title, passage=found.cited_text, span=span)
        case "search_result_location":
            title = found.title or found.source
            sources.cite_document(title, media_type="text/plain", passage=found.cited_text, span=span)
        case kind if kind in _DOCUMENTS:
            title = found.document_title or f"Document {found.document_index + 1}"
            sources.cite_document(title, media_type=_DOCUMENTS[kind], passage=found.cited_text, span=span)
        case _:
            pass
