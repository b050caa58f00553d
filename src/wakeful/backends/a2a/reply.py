"""Folds what the other side says about a task into the chunks of one step.

A task is told in two ways: as a whole and by what changes. Whatever is told twice is shown once: the fold knows how
much of each artifact it has taken in, and starts with what earlier steps have shown. An artifact without a name, or
with one that means the reply, is the reply: its text, values and files become those of the step's message. Others stay
artifacts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b

from wakeful.backends.a2a.failures import RemoteAgentFailed, RemoteAgentRefused, words
from wakeful.backends.a2a.handle import Position
from wakeful.backends.a2a.incoming import (
    OVER,
    RESTED,
    WAITING,
    Artifact,
    ArtifactUpdate,
    Message,
    Part,
    Said,
    Status,
    Task,
)
from wakeful.backends.a2a.parts import chunk_of, content_of
from wakeful.backends.a2a.questions import asking
from wakeful.contracts.backend import BackendChunk
from wakeful.contracts.errors import ModelError
from wakeful.contracts.event import ArtifactChanged, StatusNoted, TextDelta
from wakeful.contracts.model import ReplyFinished
from wakeful.contracts.model_errors import MalformedReply

MOST_ARTIFACTS = 512
MOST_CHARACTERS = 32 * 1024 * 1024
REPLY_NAMES = frozenset({"", "response", "reply", "answer", "result", "output", "message", "text"})


class ReplyReplaced(ModelError):
    """The other side began its answer anew: what was shown of it is void."""

    code = "reply_replaced"
    retryable = True


class Reply:
    """Feed it what is said, in order. `rested` says when the step is done, `finish` how.

    `answers`: the step began with answers to a task that waited.
    """

    def __init__(self, *, task_id: str, seen: Mapping[str, Position], call_id: str, agent: str, answers: bool) -> None:
        self.task_id = task_id
        self.context_id = ""
        self.heard = 0
        """How often anything was said."""
        self.rested = False
        self._taken = dict(seen)
        self._shown: set[str] = set()
        self._texts: dict[str, str] = {}
        self._characters = 0
        self._spoke = False
        self._noted = ""
        self._status = Status()
        self._finished_by_message = False
        self._call_id = call_id
        self._agent = agent
        self._answers = answers

    @property
    def taken(self) -> Mapping[str, Position]:
        """How much of each artifact was taken in."""
        return self._taken

    @property
    def waits(self) -> bool:
        """Whether the task waits for an answer."""
        return self.rested and self._status.state in WAITING

    def add(self, said: Said) -> list[BackendChunk]:
        """What this shows. Raises a `ModelError` for what no task may say."""
        self.heard += 1
        chunks: list[BackendChunk] = []
        if said.task is not None:
            self._belongs(said.task.id, said.task.context_id)
            chunks = self._whole(said.task)
        elif said.artifact_update is not None:
            self._belongs(said.artifact_update.task_id, said.artifact_update.context_id)
            chunks = self._changed(said.artifact_update)
        elif said.status_update is not None:
            self._belongs(said.status_update.task_id, said.status_update.context_id)
            chunks = self._move(said.status_update.status)
        elif said.message is not None:
            chunks = self._message(said.message)
        self._count(chunks)
        return chunks

    def finish(self) -> list[BackendChunk]:
        """The last chunks; raises what the task failed with."""
        if self._finished_by_message:
            return [ReplyFinished("stop")]
        said = words(self._status.message.text) if self._status.message else ""
        match self._status.state:
            case "TASK_STATE_COMPLETED":
                return [*self._last_words(said), ReplyFinished("stop")]
            case "TASK_STATE_INPUT_REQUIRED" | "TASK_STATE_AUTH_REQUIRED":
                return [*asking(self._status, call_id=self._call_id), ReplyFinished("tool_calls")]
            case "TASK_STATE_REJECTED":
                raise RemoteAgentRefused(f"remote agent {self._agent} refused: {said or 'it did not say why'}")
            case "TASK_STATE_CANCELED":
                raise RemoteAgentFailed(f"the task of remote agent {self._agent} was stopped there. {said}".rstrip())
            case _:
                raise RemoteAgentFailed(f"remote agent {self._agent} failed: {said or 'it did not say why'}")

    def _belongs(self, task_id: str, context_id: str) -> None:
        if not task_id or self.task_id not in ("", task_id):
            raise MalformedReply(
                f"remote agent {self._agent} speaks of task {task_id[:100]!r}; expected {self.task_id or 'an id'!r}"
            )
        self.task_id = task_id
        self.context_id = context_id or self.context_id

    # -- the task

    def _whole(self, task: Task) -> list[BackendChunk]:
        chunks: list[BackendChunk] = []
        over = task.status.state in OVER
        for artifact in task.artifacts:
            chunks += self._rest_of(artifact, last=over)
        stale = self._answers and self.heard == 1 and task.status.state in WAITING
        return chunks if stale else chunks + self._move(task.status)

    def _move(self, status: Status) -> list[BackendChunk]:
        self._status = status
        self.rested = status.state in RESTED
        said = words(status.message.text) if status.message else ""
        if self.rested or not said or said == self._noted:
            return []
        self._noted = said
        return [StatusNoted(said)]

    def _message(self, message: Message) -> list[BackendChunk]:
        """An answer without a task, or what is said beside one."""
        if self.task_id:
            return [StatusNoted(words(message.text))] if message.text else []
        self.context_id = message.context_id
        self.rested = self._finished_by_message = True
        return [chunk for part in message.parts if (chunk := chunk_of(part)) is not None]

    def _last_words(self, said: str) -> list[BackendChunk]:
        """What a task that is done says last; without a word in its reply, that is the reply."""
        if self._spoke:
            return [StatusNoted(said)] if said else []
        text = said or "\n\n".join(text for text in self._texts.values() if text)
        return [TextDelta(text)] if text else []

    # -- artifacts

    def _rest_of(self, artifact: Artifact, *, last: bool) -> list[BackendChunk]:
        """What an artifact, told as a whole, has beyond what was taken in."""
        key = self._known(artifact)
        before = self._taken[key]
        size = _size(artifact.parts)
        if size.characters < before.characters or size.others < before.others:
            self._begin_anew(key)
            before = Position()
        return self._take(key, artifact, list(_beyond(artifact.parts, before)), append=before != Position(), last=last)

    def _changed(self, update: ArtifactUpdate) -> list[BackendChunk]:
        key = self._known(update.artifact)
        before = self._taken[key]
        if not update.append and before != Position():
            self._begin_anew(key)
            before = Position()
        append = update.append and before != Position()
        return self._take(key, update.artifact, update.artifact.parts, append=append, last=update.last_chunk)

    def _take(
        self, key: str, artifact: Artifact, parts: Sequence[Part], *, append: bool, last: bool
    ) -> list[BackendChunk]:
        before, more = self._taken[key], _size(parts)
        self._taken[key] = Position(before.characters + more.characters, before.others + more.others)
        if more == Position():
            return []
        self._shown.add(key)
        if artifact.name.lower() in REPLY_NAMES:
            return [chunk for part in parts if (chunk := chunk_of(part)) is not None]
        contents = [found for part in parts if (found := content_of(part)) is not None]
        text = "".join(part.text for part in parts if isinstance(part.text, str))
        self._texts[key] = self._texts.get(key, "") + text
        return [
            ArtifactChanged(
                artifact.artifact_id,
                content,
                artifact.name,
                artifact.description or None,
                append=append or number > 0,
                last=last and number == len(contents) - 1,
            )
            for number, content in enumerate(contents)
        ]

    def _known(self, artifact: Artifact) -> str:
        key = blake2b(artifact.artifact_id.encode(), digest_size=8).hexdigest()
        if self._taken.setdefault(key, Position()) == Position() and len(self._taken) > MOST_ARTIFACTS:
            raise RemoteAgentFailed(f"remote agent {self._agent} made more than {MOST_ARTIFACTS} artifacts")
        return key

    def _begin_anew(self, key: str) -> None:
        if key in self._shown:
            raise ReplyReplaced(f"remote agent {self._agent} began its answer anew")
        self._taken[key] = Position()

    def _count(self, chunks: Sequence[BackendChunk]) -> None:
        for chunk in chunks:
            if isinstance(chunk, TextDelta):
                self._spoke = self._spoke or bool(chunk.delta)
                self._characters += len(chunk.delta)
        if self._characters > MOST_CHARACTERS:
            raise RemoteAgentFailed(f"remote agent {self._agent} answered with more than {MOST_CHARACTERS} characters")


def _size(parts: Sequence[Part]) -> Position:
    texts = [part.text for part in parts if isinstance(part.text, str)]
    return Position(sum(map(len, texts)), len(parts) - len(texts))


def _beyond(parts: Sequence[Part], before: Position) -> Iterator[Part]:
    """The parts behind a position, the text it ends in cut."""
    characters, others = before.characters, before.others
    for part in parts:
        if not isinstance(part.text, str):
            others -= 1
            if others < 0:
                yield part
            continue
        rest = part.text[characters:]
        characters = max(characters - len(part.text), 0)
        if rest:
            yield Part(text=rest)
