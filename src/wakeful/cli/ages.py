"""Ages on the command line: `30d`, `12h`, `90m`, `45s`."""

from __future__ import annotations

import re

import click

SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_AGE = re.compile(r"(\d{1,9})([smhd])")


def read_age(_: click.Context, __: click.Parameter, value: str) -> int:
    """An option's value in milliseconds; raises `click.BadParameter` unless it is a whole number and a unit."""
    match = _AGE.fullmatch(value.strip().lower())
    if match is None:
        raise click.BadParameter(f"expected a whole number and s, m, h or d, such as 30d or 12h; found {value!r}")
    return int(match[1]) * SECONDS[match[2]] * 1000
