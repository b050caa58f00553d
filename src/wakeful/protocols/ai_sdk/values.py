"""The values and artifacts of the present step's reply.

A value is a part from the beginning. So is an artifact: its part shows what it begins with, each change is told as a
transient `data-artifact-delta`, and the part is shown once more, under the same id, when the artifact is complete. What
was shown twice is no more than twice its size, however it grows.

Ids are those of the step's message, so that a step that begins again takes the place of what its void attempt showed.
"""

from __future__ import annotations

from wakeful.contracts.event import ArtifactChanged, DataEmitted
from wakeful.contracts.message import ArtifactPart, DataPart, InputPart, TextPart
from wakeful.protocols.ai_sdk import build, chunks
from wakeful.protocols.ai_sdk.stream import Stream


class Values:
    """Written to a stream; `begin` first."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._message_id = ""
        self._count = 0
        self._artifacts: dict[str, _Artifact] = {}

    def begin(self, message_id: str) -> None:
        """A step begins, or begins again."""
        self._message_id = message_id
        self._count = 0
        self._artifacts.clear()

    def show(self, event: DataEmitted | ArtifactChanged) -> None:
        """A value, or what became of an artifact."""
        match event:
            case DataEmitted(data, name):
                self._count += 1
                self._stream.add_part(build.value(self._message_id, self._count, DataPart(data, name)))
            case ArtifactChanged():
                self._change(event)

    def complete(self) -> None:
        """The reply is complete, or cut off: artifacts are shown as they are."""
        for made in self._artifacts.values():
            self._show(made)
        self._artifacts.clear()

    def _change(self, event: ArtifactChanged) -> None:
        made = self._artifacts.get(event.id)
        if made is None:
            made = self._artifacts[event.id] = _Artifact(event.id)
            made.change(event)
            made.told = True
            self._stream.add_part(build.artifact(self._message_id, made.part()))
        else:
            made.change(event)
            self._stream.put(_delta(self._message_id, event))
        if event.last and not made.ended:
            made.ended = True
            self._show(made)

    def _show(self, made: _Artifact) -> None:
        if not made.told:
            made.told = True
            self._stream.put(build.artifact(self._message_id, made.part()))


class _Artifact:
    """An artifact in the making; `told` says whether its part is as it was shown last."""

    __slots__ = ("_content", "_description", "_id", "_name", "ended", "told")

    def __init__(self, id: str) -> None:
        self._id = id
        self._name: str | None = None
        self._description: str | None = None
        self._content: list[InputPart | list[str]] = []
        self.told = self.ended = False

    def change(self, event: ArtifactChanged) -> None:
        self.told = False
        self._name = event.name or self._name
        self._description = event.description or self._description
        if not event.append:
            self._content.clear()
        last = self._content[-1] if self._content else None
        if not isinstance(event.part, TextPart):
            self._content.append(event.part)
        elif isinstance(last, list):
            last.append(event.part.text)
        else:
            self._content.append([event.part.text])

    def part(self) -> ArtifactPart:
        content = tuple(TextPart("".join(part)) if isinstance(part, list) else part for part in self._content)
        return ArtifactPart(self._id, content, self._name, self._description)


def _delta(message_id: str, event: ArtifactChanged) -> chunks.DataArtifactDelta:
    change = chunks.ArtifactDelta(
        id=event.id,
        part=build.content(event.part),
        name=event.name,
        description=event.description,
        append=event.append,
        last=event.last,
    )
    return chunks.DataArtifactDelta(id=f"{message_id}:{event.id}", data=change, transient=True)
