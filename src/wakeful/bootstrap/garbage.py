"""When the garbage collector runs in a process that serves: not while the server is built, and seldom after that."""

from __future__ import annotations

import gc

YOUNG = 10_000
"""How many more objects there are before the newest are searched. A run at work is some hundreds of objects, so that
the default of 700 searches runs that go on, again and again, and every hundredth time everything."""


def hold() -> None:
    """Search nothing until `let_go`: what is made while a server is built stays."""
    gc.disable()


def let_go() -> None:
    """Search from now on, but never again what there is by now."""
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
    gc.enable()
