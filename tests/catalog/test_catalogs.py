import asyncio
import logging

import pytest
from tests.catalog.conftest import ADA, KEY, House

from wakeful.contracts.config import InvalidConfiguration

OTHER_KEY = "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY="


async def test_another_process_takes_over_what_was_published(house: House) -> None:
    one, two = house.process(KEY), house.process(KEY)
    await one.editor.create("cups", {"id": "tea", "lock": "x"}, ADA)
    assert list(two.catalogs.current.agents) == ["mug"]

    await two.catalogs.refresh()

    assert list(two.catalogs.current.agents) == ["mug", "tea"]
    assert two.catalogs.current.publication == 1


async def test_what_a_run_began_with_can_be_built_anywhere_later(house: House) -> None:
    one = house.process(KEY)
    await one.editor.create("cups", {"id": "tea", "litres": 0.3}, ADA)
    await one.editor.patch("cups", "tea", {"litres": 0.4}, ADA, expected=1)
    await one.editor.delete("cups", "tea", ADA, expected=2)
    later = house.process(KEY)
    await later.catalogs.refresh()

    assert "litres=0.3" in (await later.catalogs.at(1)).agents["tea"].instructions
    assert "litres=0.4" in (await later.catalogs.at(2)).agents["tea"].instructions
    assert list((await later.catalogs.at(3)).agents) == ["mug"]
    assert list((await later.catalogs.at(0)).agents) == ["mug"]
    assert later.catalogs.current.publication == 3


async def test_a_forgotten_publication_gives_way_to_the_current_one(house: House) -> None:
    one = house.process(KEY)
    await one.editor.create("cups", {"id": "tea"}, ADA)
    await one.editor.create("cups", {"id": "gin"}, ADA)
    other = house.process(KEY)
    await other.catalogs.refresh()

    assert (await other.catalogs.at(77)).publication == 2


async def test_a_process_that_cannot_read_a_secret_keeps_what_it_has_and_says_so_once(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    one, blind = house.process(KEY), house.process(OTHER_KEY)
    await one.editor.create("cups", {"id": "tea", "lock": "hush-hush"}, ADA)

    with pytest.raises(InvalidConfiguration, match="WAKEFUL_SECRET_KEY"):
        await blind.catalogs.refresh()

    assert list(blind.catalogs.current.agents) == ["mug"]
    assert "hush-hush" not in caplog.text


async def test_a_new_key_in_front_reads_what_the_old_one_sealed(house: House) -> None:
    one = house.process(KEY)
    await one.editor.create("cups", {"id": "tea", "lock": "hush-hush"}, ADA)

    turned = house.process(OTHER_KEY, KEY)
    await turned.catalogs.refresh()
    await turned.editor.patch("cups", "tea", {"litres": 1}, ADA, expected=1)
    new = house.process(OTHER_KEY)
    await new.catalogs.refresh()

    assert new.catalogs.current.publication == 2


async def test_following_takes_over_within_one_look(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    one, two, blind = house.process(KEY), house.process(KEY), house.process()
    async with asyncio.TaskGroup() as tasks:
        followers = [tasks.create_task(process.catalogs.follow()) for process in (two, blind)]
        await one.editor.create("cups", {"id": "tea", "lock": "x"}, ADA)
        async with asyncio.timeout(10):
            while two.catalogs.current.publication < 1 or "cannot be taken over" not in caplog.text:
                house.clock.advance(500)
                await asyncio.sleep(0)
        for follower in followers:
            follower.cancel()

    assert list(two.catalogs.current.agents) == ["mug", "tea"]
    assert list(blind.catalogs.current.agents) == ["mug"]
