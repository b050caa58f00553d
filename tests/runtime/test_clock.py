"""The system's clock when somebody sets the time."""

from __future__ import annotations

from wakeful.runtime.clock import SystemClock

SECOND = 1_000_000_000


class Times:
    """The time on the wall and the time since the machine was started, in nanoseconds."""

    def __init__(self) -> None:
        self.wall = 1_000 * SECOND
        self.monotonic = 5 * SECOND

    def clock(self) -> SystemClock:
        return SystemClock(lambda: self.wall, lambda: self.monotonic)

    def pass_time(self, seconds: int) -> None:
        self.wall += seconds * SECOND
        self.monotonic += seconds * SECOND


def test_time_passes():
    times = Times()
    clock = times.clock()

    times.pass_time(3)

    assert clock.now() == 1_003_000


def test_a_clock_that_is_set_back_goes_on_from_where_it_was():
    times = Times()
    clock = times.clock()

    times.wall -= 500 * SECOND
    at_once = clock.now()
    times.pass_time(3)

    assert (at_once, clock.now()) == (1_000_000, 1_003_000)


def test_a_clock_that_is_set_forward_is_followed():
    times = Times()
    clock = times.clock()

    times.wall += 500 * SECOND

    assert clock.now() == 1_500_000
