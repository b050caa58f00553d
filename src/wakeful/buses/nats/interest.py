"""Remembers which runs nobody hears, so that nothing is sent for them."""

from __future__ import annotations

from itertools import takewhile

from wakeful.contracts.clock import Clock

ASK_AGAIN_MS = 1_000
"""How long a run counts as unheard. Who begins to follow it reads its log until then."""


class Interest:
    """Runs for which a server answered that nobody is subscribed; each is tried again after a second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._unheard: dict[int, int] = {}

    def wanted(self, run_key: int) -> bool:
        """Whether somebody may hear it."""
        return self._unheard.get(run_key, 0) <= self._clock.now()

    def nobody(self, run_key: int) -> None:
        """Nobody did. Those that may be tried again are forgotten, so that only a second's worth is kept."""
        now = self._clock.now()
        for past in list(takewhile(lambda key: self._unheard[key] <= now, self._unheard)):
            del self._unheard[past]
        self._unheard.pop(run_key, None)
        self._unheard[run_key] = now + ASK_AGAIN_MS
