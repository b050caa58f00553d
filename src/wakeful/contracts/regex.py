"""Regular expressions from strangers: Rust's syntax, matched in time linear in the text."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import SchemaError, SchemaValidator, core_schema


def text_matcher(pattern: str) -> SchemaValidator:
    """What tells by `isinstance_python(text)` whether `pattern` is found in a text, in time linear in its length.

    The syntax is that of Rust's regex crate: no look-around, no back-references. Raises `ValueError` for another.
    """
    try:
        return SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError as error:
        problem = str(error).rpartition("error:")[2].strip()
        raise ValueError(
            f"expected a regular expression of Rust's regex syntax, found {pattern!r}: {problem}"
        ) from None


def _checked_pattern(pattern: str) -> str:
    text_matcher(pattern)
    return pattern


TextPattern = Annotated[str, StringConstraints(min_length=1, max_length=1000), AfterValidator(_checked_pattern)]
