"""Growth that is faster than its size is found, and so is memory that does not come to rest."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench.series import Point, Series, series_table
from bench.soak import Sample, judge, slope

SIZES = (10, 100, 1000)


def series(power: float, *, flat: bool = False) -> Series:
    """A cost that grows with such a power of its size."""
    return Series("something", "threads", "ms", [Point(size, 3 * size**power) for size in SIZES], flat)


@pytest.mark.parametrize(("power", "steep"), [(0, False), (1, False), (1.1, False), (1.5, True), (2, True)])
def test_a_cost_that_grows_faster_than_its_size_is_found(power: float, steep: bool) -> None:
    found = series(power)

    assert found.steep() is steep
    assert found.powers() == pytest.approx([power, power])
    assert ("FASTER THAN LINEAR" in series_table([found])) is steep


@pytest.mark.parametrize(("power", "steep"), [(0, False), (0.1, False), (0.5, True), (1, True)])
def test_what_should_not_grow_at_all_is_held_to_that(power: float, steep: bool) -> None:
    found = series(power, flat=True)

    assert found.steep() is steep
    assert ("GROWS" in series_table([found])) is steep


def test_each_unit_is_told_relative_to_the_smallest_size() -> None:
    assert series(2).relative() == pytest.approx([1, 10, 100])


def test_sizes_at_which_nothing_could_be_measured_are_passed_over() -> None:
    found = Series("a", "b", "ms", [Point(1, 0.0), Point(10, 5.0), Point(100, 50.0)])

    assert found.powers() == [None, pytest.approx(1)]
    assert found.relative() == [0, 1, 1]
    assert not found.steep()


# -- soak

REST = Sample(0, 0, 80_000_000, 40, 12, 0, 0, 0, 0)


def samples(rise: int) -> list[Sample]:
    """Memory that first jumps, then rises by so many bytes each sample."""
    return [
        replace(REST, seconds=5.0 * n, runs=100 * n, memory=80_000_000 + min(n, 20) * 1_000_000 + max(0, n - 20) * rise)
        for n in range(100)
    ]


def test_memory_that_stays_after_warming_up_is_flat() -> None:
    verdict = judge(samples(0), REST, REST)

    assert verdict.flat
    assert verdict.slope == pytest.approx(0)


def test_memory_that_rises_after_warming_up_is_not_flat() -> None:
    verdict = judge(samples(200_000), REST, REST)

    assert not verdict.flat
    assert verdict.slope == pytest.approx(200_000 / 5 * 3600)
    assert verdict.per_run == pytest.approx(2000)


@pytest.mark.parametrize("name", ["files", "threads", "streams", "active"])
def test_what_is_left_over_at_rest_is_not_flat(name: str) -> None:
    after = replace(REST, **{name: getattr(REST, name) + 3})

    verdict = judge(samples(0), REST, after)

    assert verdict.left_over == {name: 3}
    assert not verdict.flat


def test_the_slope_is_that_of_the_closest_line() -> None:
    assert slope([(0, 1), (1, 3), (2, 5)]) == pytest.approx(2)
    assert slope([(1, 1)]) == slope([]) == slope([(1, 1), (1, 5)]) == 0
