"""What a client learns from a stream, whatever protocol it speaks: one small reader for each.

Facts are tuples whose first member says what they are about. Words that follow each other are one fact; arguments and
results are values. A call that nobody will answer any more has the result CALLED_OFF, and one that a user refused has
DENIED, because each protocol has words of its own for these.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import jsonpatch

Fact = tuple[Any, ...]
CALLED_OFF, DENIED = "called off", "denied"
APPROVAL, QUESTION = "approval", "question"
ASKING = {"ask_user", "ask_authorisation"}
"""What an agent without a model asks with."""


def value_of(written: object) -> str:
    """Equal for equal values, be they JSON or written as JSON."""
    try:
        found = json.loads(written) if isinstance(written, str) else written
    except ValueError:
        found = written
    if isinstance(found, str) and found.startswith(("The run ended before", "This call was interrupted")):
        return CALLED_OFF
    if isinstance(found, str) and found.startswith("The user denied this call"):
        return DENIED
    return json.dumps(found, sort_keys=True, ensure_ascii=False)


class Told:
    """Facts in the making.

    What protocols are free to say differently is evened out here: a state is told again without news, a state nobody
    set is empty, an answered run that ends without another reply has an empty step or none, delegated runs end before
    or after the result of their call, artifacts are told by their changes or whole, and what an agent without a model
    asks is a question or a call that the client is to answer.
    """

    def __init__(self) -> None:
        self._facts: list[Fact] = []
        self._delegated: list[Fact] = []
        self._artifacts: dict[tuple[int, str], list[Any]] = {}
        self._names: dict[str, str] = {}
        self._step = 0
        self._state: Any = {}
        self._calls: dict[str, Fact | None] = {}
        self._resumed = False
        self.written: dict[str, str] = {}

    @property
    def facts(self) -> list[Fact]:
        made = [("artifact", *key, value_of(parts)) for key, parts in self._artifacts.items()]
        return [*self._facts, *sorted(self._delegated), *sorted(made)]

    def say(self, *fact: Any) -> None:
        self._facts.append(fact)
        self._step += fact == ("step begins",)

    def add(self, kind: str, words: str) -> None:
        """More text, or more reasoning."""
        if self._facts and self._facts[-1][0] == kind:
            words = self._facts.pop()[1] + words
        self.say(kind, words)

    # -- calls

    def propose(self, call: str, name: str) -> None:
        if call not in self._calls:
            self._calls[call], self._names[call] = None, name
            self.say("call", call, name)

    def ready(self, call: str, arguments: object) -> None:
        """A call's arguments are whole. Later ones are those a human wrote, which not every protocol can show."""
        if self._calls[call] is None:
            found = self._calls[call] = ("arguments", call, value_of(arguments))
            self.say(*found)

    def done(self, call: str, output: object) -> None:
        """A call is over; of one that was called off, a beginning of its arguments may have been shown."""
        found, result = self._calls.pop(call, None), value_of(output)
        if found is not None and result == CALLED_OFF and found[2].startswith('"'):
            self._facts.remove(found)
        self.say("result", call, result)

    def again(self) -> None:
        """The step begins again, without the calls it had."""
        for call in list(self._calls):
            self.done(call, "This call was interrupted")
        for key in [key for key in self._artifacts if key[0] == self._step]:
            del self._artifacts[key]
        self.say("step again")

    def reopen(self) -> None:
        """The step begins again as another one, because the protocol cannot go back."""
        assert self._facts[-2:] == [("step ends",), ("step begins",)]
        del self._facts[-2:]
        self._step -= 1
        self.again()

    # -- the run

    def rest(self, asked: Iterable[Fact]) -> None:
        """The run waits: for answers to (interrupt, call, kind), and for the calls that the client is to answer."""
        self._resumed = True
        self.say("rests", *sorted(fact for fact in asked if self._names.get(fact[1]) not in ASKING))

    def end(self, reason: str) -> None:
        if self._resumed and self._facts[-2:] == [("step begins",), ("step ends",)]:
            del self._facts[-2:]
        self.say("run ends", reason)

    # -- beside it

    def hold(self, state: Any) -> None:
        """The shared state as it is now."""
        if state != self._state:
            self._state = state
            self.say("state", value_of(state))

    def change(self, patch: list[Any]) -> None:
        self.hold(jsonpatch.apply_patch(self._state, patch))

    def make(self, id: str, parts: list[Any], *, append: bool = False) -> None:
        """An artifact as it is now, or more of it."""
        key = self._step, id
        made = self._artifacts[key] = self._artifacts.get(key, []) if append else []
        for part in parts:
            if part["type"] == "text" and made and made[-1]["type"] == "text":
                made[-1] = {"type": "text", "text": made[-1]["text"] + part["text"]}
            else:
                made.append(part)

    def delegate(self, run: str, status: str) -> None:
        self._delegated.append(("delegated", run, len(self._delegated_to(run)), status))

    def _delegated_to(self, run: str) -> list[Fact]:
        return [fact for fact in self._delegated if fact[1] == run]
