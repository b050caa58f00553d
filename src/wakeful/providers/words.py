"""Plays a vendor's pace without a vendor: text word by word, and words counted as tokens."""

from __future__ import annotations

import re

from wakeful.contracts.event import ReasoningDelta, TextDelta, ToolCallDelta
from wakeful.contracts.message import TextPart, ToolCallPart, ToolResultPart
from wakeful.contracts.model import ModelChunk, ModelRequest
from wakeful.contracts.usage import Usage

_WORD = re.compile(r"\s*\S+|\s+\Z")


def split_words(text: str) -> list[str]:
    """The words of `text`, each with the space before it; joined they are `text` again."""
    return _WORD.findall(text)


def count_input(request: ModelRequest) -> int:
    """The words of everything the model is shown."""
    texts = [request.instructions]
    for message in request.messages:
        for part in message.parts:
            match part:
                case TextPart():
                    texts.append(part.text)
                case ToolCallPart():
                    texts.append(part.arguments)
                case ToolResultPart():
                    texts.append(str(part.output))
                case _:
                    pass
    return sum(len(text.split()) for text in texts)


class WordMeter:
    """Counts a reply's words as they are streamed."""

    def __init__(self, request: ModelRequest) -> None:
        self._input = count_input(request)
        self._output = 0
        self._reasoning = 0

    def count(self, chunk: ModelChunk) -> None:
        """Take one chunk into account."""
        match chunk:
            case TextDelta() | ToolCallDelta():
                self._output += len(chunk.delta.split())
            case ReasoningDelta():
                self._reasoning += len(chunk.delta.split())
            case _:
                pass

    @property
    def usage(self) -> Usage:
        """The usage so far."""
        return Usage(
            input_tokens=self._input, output_tokens=self._output + self._reasoning, reasoning_tokens=self._reasoning
        )
