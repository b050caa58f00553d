"""Which model of a pool a conversation is at home with."""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Sequence
from itertools import count
from typing import Protocol

from wakeful.contracts.managed import PoolMember

REMEMBERED = 4096


class Homes(Protocol):
    """Orders the members of a pool for one conversation, the one to be asked first in front."""

    def order(self, conversation: str, members: Sequence[PoolMember]) -> list[PoolMember]:
        """All members; those before it in the list are to be asked first."""
        ...


class Weighted:
    """Rendezvous hashing: the same order on every process, and a member that goes moves only its own."""

    def order(self, conversation: str, members: Sequence[PoolMember]) -> list[PoolMember]:
        """By a score that is larger the more a member weighs."""
        return sorted(members, key=lambda member: -_score(conversation, member))


class First:
    """As they are written down."""

    def order(self, conversation: str, members: Sequence[PoolMember]) -> list[PoolMember]:
        """The list itself."""
        return list(members)


class RoundRobin:
    """Each new conversation begins with the next one; the newest 4096 are remembered."""

    def __init__(self) -> None:
        self._turns = count()
        self._known: OrderedDict[str, int] = OrderedDict()

    def order(self, conversation: str, members: Sequence[PoolMember]) -> list[PoolMember]:
        """From the conversation's turn on."""
        turn = self._known.get(conversation)
        if turn is None:
            turn = self._known[conversation] = next(self._turns)
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(conversation)
        start = turn % len(members)
        return [*members[start:], *members[:start]]


def homes_of(home: str) -> Homes:
    """By the name in a `ModelPoolSpec`."""
    return RoundRobin() if home == "round_robin" else First() if home == "first" else Weighted()


def _score(conversation: str, member: PoolMember) -> float:
    digest = hashlib.blake2b(f"{conversation}\0{member.model}".encode(errors="replace"), digest_size=8).digest()
    share = (int.from_bytes(digest) + 0.5) / 2**64
    return member.weight / -math.log(share)
