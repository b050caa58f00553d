"""What `@tool` makes of a function, and what happens when the engine calls it."""

from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import datetime
import functools
import math
import threading
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal

import msgspec
import pytest
from pydantic import BaseModel, Field

from wakeful.contracts.errors import ConfigurationError, ToolError, ToolInputInvalid
from wakeful.contracts.event import ToolProgressed
from wakeful.contracts.tool import Tool, ToolContext
from wakeful.sdk.tool import as_tool, tool
from wakeful.sdk.values import LARGE_BYTES


class Place(BaseModel):
    city: str
    country: str = Field(default="FR", serialization_alias="countryCode")


class Coordinates(msgspec.Struct, rename="camel"):
    lat_deg: float
    seen: datetime.date
    place: Place


@dataclasses.dataclass
class Report:
    place: Place
    at: Coordinates | None


@tool
def weather(city: str, unit: Literal["c", "f"] = "c") -> str:
    """The weather in a city.

    Args:
        city: Where to look.
    """
    return f"20 {unit} in {city}"


def returning(value: object) -> Any:
    @tool
    def give() -> object:
        return value

    return give


# -- authoring


def test_a_bare_decorator_takes_everything_from_the_function():
    assert weather.spec.name == "weather"
    assert weather.spec.description == "The weather in a city."
    assert weather.spec.parameters["properties"]["city"] == {"type": "string", "description": "Where to look."}
    assert (weather.spec.effect, weather.spec.approval, weather.spec.frontend) == ("once", False, False)
    assert (weather.spec.timeout_seconds, weather.spec.result) == (None, None)


def test_options_override_what_the_function_says():
    @tool(name="look-up", description="Looks.", effect="pure", approval=True, timeout=2.5)
    def find(query: str) -> str:
        """Ignored."""
        return query

    assert find.spec.name == "look-up"
    assert find.spec.description == "Looks."
    assert (find.spec.effect, find.spec.approval, find.spec.timeout_seconds) == ("pure", True, 2.5)


@pytest.mark.parametrize("timeout", [0, -1, math.inf, math.nan])
def test_a_timeout_that_makes_no_sense_is_refused(timeout: float):
    def find() -> None: ...

    with pytest.raises(ConfigurationError, match="expected a timeout in seconds above 0, found"):
        tool(find, timeout=timeout)


def test_a_front_end_tool_is_described_by_its_parameters_and_its_return_type():
    @tool(frontend=True)
    def pick(places: list[Place], why: str) -> Literal["first", "second"]:
        """Let the user pick."""
        raise AssertionError("must not run")

    assert pick.spec.frontend
    assert pick.spec.description == "Let the user pick."
    assert list(pick.spec.parameters["properties"]) == ["places", "why"]
    assert pick.spec.result == {"type": "string", "enum": ["first", "second"]}


def test_the_answer_of_a_front_end_tool_may_be_an_object():
    @tool(frontend=True)
    async def locate() -> Place: ...

    assert locate.spec.result is not None
    assert locate.spec.result["type"] == "object"
    assert list(locate.spec.result["properties"]) == ["city", "country"]
    assert "title" not in locate.spec.result


def test_a_front_end_tool_that_does_not_say_what_it_returns_takes_any_answer():
    def silent(): ...
    def anything() -> Any: ...
    def thing() -> object: ...
    def nothing() -> None: ...

    assert [tool(function, frontend=True).spec.result for function in (silent, anything, thing, nothing)] == [None] * 4


def test_a_return_type_without_a_schema_is_refused_for_a_front_end_tool_only():
    def give() -> Opaque: ...

    assert tool(give).spec.result is None
    with pytest.raises(ConfigurationError, match="its return type has no JSON Schema"):
        tool(give, frontend=True)


@pytest.mark.parametrize("option", [{"approval": True}, {"timeout": 3}])
def test_a_front_end_tool_takes_neither_approval_nor_timeout(option: dict[str, Any]):
    def pick() -> None: ...

    with pytest.raises(ConfigurationError, match=r"tool .*pick: the client carries a front-end tool out"):
        tool(pick, frontend=True, **option)


def test_a_tool_is_still_the_function():
    assert weather("Paris", unit="f") == "20 f in Paris"
    assert weather.__name__ == "weather"
    assert (weather.__doc__ or "").startswith("The weather")
    assert weather.__wrapped__("Rome") == "20 c in Rome"


async def test_an_async_tool_is_still_the_coroutine_function():
    @tool
    async def double(x: int) -> int:
        return 2 * x

    assert await double(4) == 8


def test_a_tool_keeps_the_promise_of_the_socket():
    assert isinstance(weather, Tool)


async def test_a_bound_method_becomes_a_tool_with_its_object(context: ToolContext):
    class Shelf:
        def __init__(self) -> None:
            self.books = ["Emma"]

        def read(self, index: int) -> str:
            return self.books[index]

    read = tool(Shelf().read, effect="pure")

    assert list(read.spec.parameters["properties"]) == ["index"]
    assert await read.call(read.check({"index": 0}), context) == "Emma"


@pytest.mark.parametrize("name", ["", "a b", "naïve", "x" * 65, "dot.ted", "line\n"])
def test_a_name_the_vendors_refuse_is_refused_here(name: str):
    def find() -> None: ...

    with pytest.raises(ConfigurationError, match="must be 1 to 64 letters"):
        tool(find, name=name)


def test_a_lambda_needs_a_name():
    with pytest.raises(ConfigurationError, match="'<lambda>' must be 1 to 64 letters"):
        tool(lambda: 1)

    assert tool(lambda: 1, name="one").spec.name == "one"


def test_only_functions_become_tools():
    class Callable:
        def __call__(self, x: int) -> int:
            return x

    for value in (Callable(), functools.partial(int, "1")):
        with pytest.raises(ConfigurationError, match="a function or a bound method, not of"):
            tool(value)


def test_generators_are_refused():
    def several() -> Iterator[int]:
        yield 1

    async def later() -> AsyncIterator[int]:
        yield 1

    for function in (several, later):
        with pytest.raises(ConfigurationError, match="return a list, do not yield"):
            tool(function)


def test_a_method_decorated_in_its_class_is_refused_with_advice():
    with pytest.raises(ConfigurationError, match=r"`self` has no type.*wrap a bound method"):

        class Shelf:
            @tool
            def read(self, index: int) -> str:
                return str(index)


def test_as_tool_wraps_functions_and_leaves_tools_alone():
    def find(query: str) -> str:
        return query

    assert as_tool(weather) is weather
    assert as_tool(find).spec.name == "find"


# -- calling


async def test_a_synchronous_function_runs_in_a_thread_with_the_callers_context_variables(context: ToolContext):
    tenant = contextvars.ContextVar("tenant", default="nobody")
    tenant.set("acme")

    @tool
    def where() -> list[object]:
        return [tenant.get(), threading.current_thread() is threading.main_thread()]

    assert await where.call({}, context) == ["acme", False]


async def test_functions_that_never_return_hold_up_no_other(context: ToolContext):
    running, release = threading.Semaphore(0), threading.Event()

    @tool
    def hang() -> bool:
        running.release()
        release.wait(5)
        return threading.current_thread().daemon

    hanging = [asyncio.create_task(hang.call({}, context)) for _ in range(64)]
    async with asyncio.timeout(5):
        assert await weather.call(weather.check({"city": "Rome"}), context) == "20 c in Rome"
        await asyncio.to_thread(lambda: [running.acquire(timeout=5) for _ in hanging])
        release.set()
        assert await asyncio.gather(*hanging) == [True] * 64


async def test_a_thread_that_is_free_is_used_again(context: ToolContext):
    @tool
    def who() -> int:
        return threading.get_native_id()

    assert len({await who.call({}, context) for _ in range(5)}) == 1


async def test_a_thread_that_has_nothing_to_do_ends(context: ToolContext):
    @tool
    def idle() -> None:
        pass

    await idle.call({}, context)
    (thread,) = (one for one in threading.enumerate() if one.name == "tool idle")
    await asyncio.to_thread(thread.join, 5)

    assert not thread.is_alive()
    await idle.call({}, context)


async def test_what_a_function_returns_after_its_call_was_cancelled_is_discarded(context: ToolContext):
    loop, running, release, over = asyncio.get_running_loop(), asyncio.Event(), threading.Event(), asyncio.Event()
    problems: list[object] = []
    loop.set_exception_handler(lambda _, problem: problems.append(problem))

    @tool
    def late() -> str:
        loop.call_soon_threadsafe(running.set)
        release.wait(5)
        loop.call_soon_threadsafe(over.set)
        return "late"

    call = asyncio.create_task(late.call({}, context))
    async with asyncio.timeout(5):
        await running.wait()
        (thread,) = (one for one in threading.enumerate() if one.name == "tool late")
        call.cancel()
        await asyncio.wait([call])
        release.set()
        await over.wait()
        await asyncio.to_thread(thread.join, 5)
        await asyncio.sleep(0)

    assert call.cancelled()
    assert problems == []


async def test_an_async_function_runs_on_the_loop(context: ToolContext):
    @tool
    async def where() -> bool:
        return threading.current_thread() is threading.main_thread()

    assert await where.call({}, context) is True


async def test_a_plain_wrapper_around_an_async_function_is_awaited(context: ToolContext):
    async def inner(x: int) -> int:
        return x + 1

    @functools.wraps(inner)
    def outer(*args: Any, **kwargs: Any) -> Any:
        return inner(*args, **kwargs)

    add = tool(outer)

    assert await add.call(add.check({"x": 1}), context) == 2


async def test_the_function_receives_real_objects(context: ToolContext):
    received: list[object] = []

    @tool
    def visit(places: list[Place], day: datetime.date, id: uuid.UUID) -> None:
        received.extend([*places, day, id])

    identity = uuid.UUID(int=7)
    await visit.call(
        visit.check({"places": [{"city": "Lyon"}], "day": "2026-01-02", "id": str(identity)}),
        context,
    )

    assert received == [Place(city="Lyon"), datetime.date(2026, 1, 2), identity]


async def test_the_context_is_handed_to_whoever_asks(call: Any):
    @tool
    def slow(ctx: ToolContext, text: str) -> str:
        ctx.progress("half", progress=1, total=2)
        return f"{ctx.call_id} {text}"

    result = await slow.call(slow.check({"text": "hi"}), call.context)

    assert result == "call-1 hi"
    assert call.reports == [ToolProgressed("call-1", "a_tool", "half", 1, 2)]


async def test_a_cancelled_run_is_seen_through_the_context(call: Any):
    @tool
    def slow(ctx: ToolContext) -> None:
        ctx.raise_if_cancelled()

    call.cancelled = True

    with pytest.raises(ToolError, match="the run was cancelled"):
        await slow.call({}, call.context)


async def test_what_the_function_raises_passes_through(context: ToolContext):
    @tool
    def fail() -> None:
        raise ToolError("the shop is closed")

    with pytest.raises(ToolError, match="the shop is closed"):
        await fail.call({}, context)


class Fatal(BaseException):
    """What no library expects."""


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), asyncio.CancelledError(), Fatal()]
)
async def test_whatever_a_function_raises_in_its_thread_reaches_its_caller_only(
    error: BaseException, context: ToolContext
):
    @tool
    def fail() -> None:
        raise error

    with pytest.raises(type(error)):
        async with asyncio.timeout(5):
            await fail.call({}, context)


async def test_a_stop_iteration_in_a_thread_does_not_hang_the_run(context: ToolContext):
    @tool
    def first() -> int:
        return next(iter([]))

    with pytest.raises(RuntimeError, match="raised StopIteration"):
        async with asyncio.timeout(5):
            await first.call({}, context)


def test_invalid_arguments_name_the_problem():
    with pytest.raises(ToolInputInvalid, match="city: Field required; unit: Input should be 'c' or 'f'"):
        weather.check({"unit": "k"})


# -- results


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("é\u2028\U0001f600", "é\u2028\U0001f600"),
        ([1, 2.5, True], [1, 2.5, True]),
        ((1, 2), [1, 2]),
        ({1: "a"}, {"1": "a"}),
        (2**70, 2**70),
        (math.nan, None),
        (datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), "2026-01-02T00:00:00Z"),
        (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (Place(city="Lyon"), {"city": "Lyon", "countryCode": "FR"}),
        (
            Report(
                place=Place(city="Lyon"),
                at=Coordinates(lat_deg=1.5, seen=datetime.date(2026, 1, 2), place=Place(city="Nice")),
            ),
            {
                "place": {"city": "Lyon", "countryCode": "FR"},
                "at": {"latDeg": 1.5, "seen": "2026-01-02", "place": {"city": "Nice", "countryCode": "FR"}},
            },
        ),
    ],
)
async def test_results_become_json_values(value: object, expected: object, context: ToolContext):
    result = await returning(value).call({}, context)

    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize("text", ["x" * LARGE_BYTES * 2, "\N{EURO SIGN}" * LARGE_BYTES])
async def test_a_long_text_is_handed_over_as_it_is(text: str, context: ToolContext):
    assert await returning(text).call({}, context) is text


async def test_a_large_result_is_handed_over_as_its_json(context: ToolContext):
    rows = [{"n": 1}] * (LARGE_BYTES // 8)

    result = await returning(rows).call({}, context)

    assert isinstance(result, msgspec.Raw)
    assert msgspec.json.decode(result) == rows


class Opaque:
    pass


class Holder(msgspec.Struct):
    inner: Any


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (Opaque(), "a Opaque"),
        ({"deep": [Opaque()]}, "a Opaque cannot become JSON"),
        (Holder(inner=Opaque()), "a Opaque cannot become JSON"),
        (b"\xff", "invalid utf-8"),
        ("\ud800", "surrogates not allowed"),
    ],
)
async def test_a_result_that_is_not_json_is_a_tool_error_naming_the_type(
    value: object, named: str, context: ToolContext
):
    with pytest.raises(ToolError, match=f"the result of tool give .*{named}"):
        await returning(value).call({}, context)


async def test_a_result_that_contains_itself_is_a_tool_error(context: ToolContext):
    loop: list[object] = []
    loop.append(loop)

    with pytest.raises(ToolError, match="Circular reference"):
        await returning(loop).call({}, context)
