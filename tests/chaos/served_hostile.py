"""What `wakeful serve` is given to serve hostile tools."""

from __future__ import annotations

from tests.chaos.hostile import hostile_runtime

runtime = hostile_runtime()
