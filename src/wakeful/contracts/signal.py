"""Word from other processes that share a store: what changed there and concerns this one."""

from __future__ import annotations

import msgspec


class Signal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one transaction of another process did; runs are named by their store keys.

    `work`: runs may be ready to be claimed. `logs` went on, `stops` were asked to stop, `superseded` too, because
    something else takes their place, `steers` have input waiting. `missed`: signals may have been lost, so everything
    has to be looked at.
    """

    work: bool = False
    logs: tuple[int, ...] = ()
    stops: tuple[int, ...] = ()
    superseded: tuple[int, ...] = ()
    steers: tuple[int, ...] = ()
    missed: bool = False
