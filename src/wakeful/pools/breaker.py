"""A circuit breaker: after too many failures in a row a model is left alone, then tried by one call."""

from __future__ import annotations

from wakeful.contracts.clock import Clock


class Breaker:
    """One model's. `broken` says for good what keeps it from working, such as a wrong key."""

    def __init__(self, clock: Clock, *, failures: int, pause_ms: int) -> None:
        self._clock = clock
        self._allowed = failures
        self._pause_ms = pause_ms
        self._failures = 0
        self._open_until = 0
        self._probing = False
        self.broken: str | None = None

    @property
    def ready_at(self) -> int:
        """From when on (ms) it may be asked; 0 is now."""
        return self._open_until if self._failures >= self._allowed else 0

    @property
    def healthy(self) -> bool:
        """Whether it may be asked without trying it out."""
        return self.broken is None and self._failures < self._allowed

    def admits(self) -> bool:
        """Whether it may be asked: it is healthy, or its pause is over and nobody else tries it."""
        if self.broken is not None:
            return False
        return self.healthy or (not self._probing and self._clock.now() >= self._open_until)

    def begin(self) -> None:
        """A call begins; end it with one of the others."""
        self._probing = not self.healthy

    def succeed(self) -> None:
        """It answered."""
        self._failures, self._probing = 0, False

    def fail(self) -> None:
        """It failed in a way that counts."""
        self._failures += 1
        self._probing = False
        if self._failures >= self._allowed:
            self._open_until = self._clock.now() + self._pause_ms

    def leave(self) -> None:
        """The call ended without telling whether it works."""
        self._probing = False
