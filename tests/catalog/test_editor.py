import asyncio

import pytest
from tests.catalog.conftest import ADA, KEY, House, Process

from wakeful.contracts.config import InvalidConfiguration, PreconditionFailed
from wakeful.contracts.errors import BadRequest, Conflict, NotFound
from wakeful.contracts.json import JsonObject


@pytest.fixture
def process(house: House) -> Process:
    return house.process(KEY)


async def test_what_code_defines_is_there_unchanged_before_anybody_writes(process: Process) -> None:
    record = await process.editor.get("cups", "mug")

    assert (record.version, record.builtin, record.overridden) == (0, True, ())
    assert record.spec["labels"] == {"colour": "blue"}
    assert process.catalogs.current.publication == 0


async def test_a_made_record_counts_at_once(process: Process) -> None:
    made = await process.editor.create("cups", {"id": "tea", "litres": 0.3}, ADA)

    assert made.version == 1
    assert not made.builtin
    assert [record.id for record in await process.editor.records("cups")] == ["mug", "tea"]
    assert list(process.catalogs.current.agents) == ["mug", "tea"]


async def test_a_record_is_made_once(process: Process) -> None:
    await process.editor.create("cups", {"id": "tea"}, ADA)

    with pytest.raises(Conflict, match="exists"):
        await process.editor.create("cups", {"id": "tea"}, ADA)
    with pytest.raises(Conflict, match="exists"):
        await process.editor.create("cups", {"id": "mug"}, ADA)


async def test_a_change_of_what_code_defines_is_kept_as_what_differs(process: Process) -> None:
    await process.editor.patch("cups", "mug", {"litres": 0.5, "labels": {"size": "big"}}, ADA, expected=0)

    record = await process.editor.get("cups", "mug")
    entry = await process.journal.entry(1)
    assert record.overridden == ("litres", "labels")
    assert record.spec["labels"] == {"colour": "blue", "size": "big"}
    assert entry.value == {"patch": {"litres": 0.5, "labels": {"size": "big"}}}


async def test_what_was_read_written_back_changes_nothing_and_ends_an_override(process: Process) -> None:
    original = await process.editor.get("cups", "mug")
    await process.editor.patch("cups", "mug", {"litres": 0.5}, ADA, expected=None)

    record = await process.editor.put("cups", "mug", original.spec, ADA, expected=1)

    assert (record.version, record.overridden) == (0, ())


async def test_removing_an_override_resets_the_record(process: Process) -> None:
    await process.editor.patch("cups", "mug", {"litres": 0.5}, ADA, expected=None)

    await process.editor.delete("cups", "mug", ADA, expected=1)

    assert (await process.editor.get("cups", "mug")).spec["litres"] == 0.2
    with pytest.raises(Conflict, match="defined in code"):
        await process.editor.delete("cups", "mug", ADA, expected=None)


async def test_a_removed_record_is_gone_and_can_be_restored(process: Process) -> None:
    await process.editor.create("cups", {"id": "tea", "litres": 0.3}, ADA)
    await process.editor.patch("cups", "tea", {"litres": 0.4}, ADA, expected=1)
    await process.editor.delete("cups", "tea", ADA, expected=2)
    with pytest.raises(NotFound):
        await process.editor.get("cups", "tea")

    restored = await process.editor.restore("cups", "tea", 1, ADA, expected=0)

    assert restored.spec["litres"] == 0.3
    assert restored.version == 4


async def test_a_version_of_another_record_cannot_be_restored(process: Process) -> None:
    await process.editor.create("cups", {"id": "tea"}, ADA)

    with pytest.raises(NotFound):
        await process.editor.restore("cups", "mug", 1, ADA, expected=None)
    with pytest.raises(NotFound):
        await process.editor.restore("cups", "tea", 2, ADA, expected=None)


@pytest.mark.parametrize(
    ("spec", "path", "message"),
    [
        ({"id": "tea", "litres": -1}, "litres", "greater than 0"),
        ({"id": "tea", "handle": 1}, "handle", "Extra inputs"),
        ({"id": "tea", "table": "glass"}, "table", "no table 'glass'"),
        ({"litres": 1}, "id", "expected a text"),
        ({"id": 7}, "id", "expected a text"),
    ],
)
async def test_a_wrong_record_is_refused_and_nothing_is_written(
    process: Process, spec: JsonObject, path: str, message: str
) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        await process.editor.create("cups", spec, ADA)

    assert [(problem.path, message in problem.message) for problem in refused.value.problems] == [(path, True)]
    assert await process.journal.newest() is None
    assert list(process.catalogs.current.agents) == ["mug"]


async def test_all_problems_are_named_at_once(process: Process) -> None:
    with pytest.raises(InvalidConfiguration) as refused:
        await process.editor.create("cups", {"id": "tea", "litres": "much", "labels": 1, "lid": True}, ADA)

    assert {problem.path for problem in refused.value.problems} == {"litres", "labels", "lid"}
    assert "much" not in refused.value.message


async def test_what_others_need_is_not_taken_away(process: Process) -> None:
    assert await process.editor.validate("cups", "mug", {"id": "mug", "table": "glass"})
    assert not await process.editor.validate("cups", "mug", {"id": "mug", "table": "wooden"})
    assert await process.journal.newest() is None


async def test_a_closed_namespace_takes_changes_and_nothing_new(process: Process) -> None:
    await process.editor.patch("tables", "wooden", {"legs": 3}, ADA, expected=None)

    with pytest.raises(InvalidConfiguration, match="expected one of: wooden"):
        await process.editor.create("tables", {"id": "glass"}, ADA)


async def test_a_record_keeps_the_id_of_its_path(process: Process) -> None:
    with pytest.raises(InvalidConfiguration, match="expected the id 'mug'"):
        await process.editor.put("cups", "mug", {"id": "jug"}, ADA, expected=None)


async def test_unknown_names_are_not_found(process: Process) -> None:
    for refused in (
        process.editor.records("forks"),
        process.editor.get("cups", "x"),
        process.editor.patch("cups", "x", {}, ADA, expected=None),
        process.editor.delete("cups", "x", ADA, expected=None),
    ):
        with pytest.raises(NotFound):
            await refused


async def test_a_change_of_an_older_version_is_refused(process: Process) -> None:
    await process.editor.create("cups", {"id": "tea"}, ADA)

    for expected in (0, 2):
        with pytest.raises(PreconditionFailed, match="version 1"):
            await process.editor.patch("cups", "tea", {"litres": 1}, ADA, expected=expected)

    assert (await process.editor.get("cups", "tea")).version == 1


async def test_of_two_who_change_the_same_version_one_is_refused_and_nothing_is_lost(house: House) -> None:
    one, two = house.process(KEY), house.process(KEY)
    await one.editor.create("cups", {"id": "tea"}, ADA)

    done = await asyncio.gather(
        one.editor.patch("cups", "tea", {"litres": 1}, ADA, expected=1),
        two.editor.patch("cups", "tea", {"labels": {"a": "b"}}, ADA, expected=1),
        return_exceptions=True,
    )

    assert sorted(type(result).__name__ for result in done) == ["PreconditionFailed", "Record"]
    assert (await one.editor.get("cups", "tea")).version == 2


async def test_changes_of_different_records_at_the_same_moment_are_all_kept(house: House) -> None:
    processes = [house.process(KEY) for _ in range(4)]

    await asyncio.gather(*(process.editor.create("cups", {"id": f"c{i}"}, ADA) for i, process in enumerate(processes)))

    assert [record.id for record in await processes[0].editor.records("cups")] == ["mug", "c0", "c1", "c2", "c3"]
    for process in processes:
        await process.catalogs.refresh()
        assert list(process.catalogs.current.agents) == ["mug", "c0", "c1", "c2", "c3"]


async def test_a_secret_is_sealed_in_the_store_and_shown_to_nobody(process: Process) -> None:
    record = await process.editor.create("cups", {"id": "tea", "lock": "hush-hush"}, ADA)

    assert record.spec["lock"] == {"set": True}
    entry = await process.journal.entry(1)
    assert entry.value
    assert "hush-hush" not in repr(entry)
    assert "hush-hush" not in repr(process.catalogs.current)
    assert "Secret()" in process.catalogs.current.agents["tea"].instructions


async def test_a_shown_secret_written_back_keeps_it(process: Process) -> None:
    record = await process.editor.create("cups", {"id": "tea", "lock": "hush-hush"}, ADA)

    await process.editor.put("cups", "tea", {**record.spec, "litres": 1}, ADA, expected=1)
    await process.editor.patch("cups", "tea", {"litres": 2}, ADA, expected=2)
    await process.editor.patch("cups", "tea", {"lock": {"set": True}}, ADA, expected=3)

    assert (await process.editor.get("cups", "tea")).spec["lock"] == {"set": True}
    await process.editor.patch("cups", "tea", {"lock": None}, ADA, expected=4)
    assert (await process.editor.get("cups", "tea")).spec["lock"] is None


async def test_a_secret_that_is_not_there_cannot_be_kept(process: Process) -> None:
    with pytest.raises(BadRequest, match=r"\.lock: .* there is none"):
        await process.editor.create("cups", {"id": "tea", "lock": {"set": True}}, ADA)


async def test_a_sealed_secret_is_not_taken_from_outside(process: Process) -> None:
    await process.editor.create("cups", {"id": "tea", "lock": "hush-hush"}, ADA)
    sealed = (await process.journal.entry(1)).value
    assert sealed

    with pytest.raises(BadRequest, match="cannot be sent"):
        await process.editor.create("cups", {"id": "spy", "lock": sealed["spec"]["lock"]}, ADA)  # type: ignore[index,call-overload]  # an object


async def test_without_a_key_a_secret_is_refused_and_all_else_works(house: House) -> None:
    process = house.process()

    with pytest.raises(InvalidConfiguration, match="WAKEFUL_SECRET_KEY"):
        await process.editor.create("cups", {"id": "tea", "lock": "hush-hush"}, ADA)
    await process.editor.create("cups", {"id": "tea"}, ADA)

    assert (await process.editor.get("cups", "tea")).version == 1


async def test_what_was_done_without_changing_anything_is_noted(process: Process) -> None:
    await process.editor.create("cups", {"id": "tea"}, ADA)

    await process.editor.note("cups", "tea", "restart", ADA)

    newest = await process.journal.newest()
    assert newest
    assert (newest.number, newest.action, newest.publication, newest.versions) == (2, "restart", 1, None)
    assert list(process.catalogs.current.agents) == ["mug", "tea"]
    assert (await process.editor.get("cups", "tea")).version == 1


async def test_the_journal_says_who_did_what_the_newest_first(process: Process) -> None:
    await process.editor.create("cups", {"id": "tea"}, ADA)
    await process.editor.patch("cups", "tea", {"litres": 1}, ADA, expected=None)
    await process.editor.delete("cups", "tea", ADA, expected=None)

    entries = await process.journal.before(3, limit=5)
    newest = await process.journal.newest()

    assert [(entry.number, entry.action, entry.before) for entry in entries] == [(2, "update", 1), (1, "create", 0)]
    assert newest
    assert (newest.action, newest.before, newest.value, newest.who) == ("delete", 2, None, ADA)
