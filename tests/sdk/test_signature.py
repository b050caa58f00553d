"""What the model is told about a function, and how its arguments are checked."""

from __future__ import annotations

import dataclasses
import datetime
import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from wakeful.contracts.errors import ConfigurationError, ToolInputInvalid
from wakeful.contracts.tool import ToolContext
from wakeful.sdk.signature import Signature

if TYPE_CHECKING:
    from fractions import Fraction


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Place(BaseModel):
    city: str
    country: str = "FR"


@dataclasses.dataclass
class Window:
    start: datetime.date
    days: int = 1


class Filters(TypedDict, total=False):
    owner: str


class Node(BaseModel):
    name: str
    children: list[Node] = []


def properties(function: Any) -> dict[str, Any]:
    return Signature(function).parameters["properties"]


# -- the schema


def test_types_become_a_closed_json_schema_without_titles():
    def search(query: str, limit: int = 10, exact: bool = False) -> None: ...

    schema = Signature(search).parameters

    assert schema == {
        "type": "object",
        "properties": {
            "query": {"type": "string"},
            "limit": {"type": "integer", "default": 10},
            "exact": {"type": "boolean", "default": False},
        },
        "required": ["query"],
        "additionalProperties": False,
    }


def test_a_function_without_parameters_takes_an_empty_object():
    def ping() -> None: ...

    signature = Signature(ping)

    assert signature.parameters == {"type": "object", "properties": {}, "additionalProperties": False}
    assert signature.check({}) == {}


def test_literals_and_enums_list_their_values():
    def paint(unit: Literal["c", "f"], colour: Colour) -> None: ...

    schema = Signature(paint).parameters

    assert schema["properties"]["unit"] == {"type": "string", "enum": ["c", "f"]}
    assert schema["$defs"]["Colour"]["enum"] == ["red", "blue"]


def test_an_optional_parameter_allows_null_and_is_required_only_without_a_default():
    def find(owner: str | None, tag: str | None = None) -> None: ...

    schema = Signature(find).parameters

    assert schema["properties"]["owner"] == {"anyOf": [{"type": "string"}, {"type": "null"}]}
    assert schema["required"] == ["owner"]


def test_nested_models_dataclasses_and_typed_dicts_are_kept_in_defs():
    def plan(stops: list[Place], when: Window, filters: Filters) -> None: ...

    schema = Signature(plan).parameters

    assert set(schema["$defs"]) == {"Place", "Window", "Filters"}
    assert schema["properties"]["stops"] == {"type": "array", "items": {"$ref": "#/$defs/Place"}}


def test_recursive_models_are_described():
    def grow(tree: Node) -> None: ...

    assert Signature(grow).parameters["$defs"]["Node"]["properties"]["children"]["items"] == {"$ref": "#/$defs/Node"}


def test_constraints_of_an_annotated_field_reach_the_model():
    def wait(seconds: Annotated[int, Field(ge=1, le=60)] = 5) -> None: ...

    assert properties(wait)["seconds"] == {"type": "integer", "minimum": 1, "maximum": 60, "default": 5}


@pytest.mark.parametrize("name", ["json", "schema", "copy", "model_config", "_private", "title", "class_", "cls"])
def test_any_parameter_name_is_allowed(name: str):
    namespace: dict[str, Any] = {}
    exec(f"def named({name}: str): ...", namespace)
    signature = Signature(namespace["named"])

    assert signature.parameters["properties"] == {name: {"type": "string"}}
    assert signature.check({name: "x"}) == {name: "x"}


def test_a_default_that_json_cannot_show_is_left_out_of_the_schema():
    marker = object()

    def run(mode: Annotated[Any, Field(description="How.")] = marker) -> None: ...

    signature = Signature(run)

    assert signature.parameters["properties"]["mode"] == {"description": "How."}
    assert signature.check({})["mode"] is marker


# -- descriptions


def google(city: str, days: int = 1) -> None:
    """Look up the weather.

    Uses the national service.

    Args:
        city: Where to look.
        days: How many days,
            counted from today.

    Returns:
        Nothing of interest.
    """


def numpy(city: str, days: int = 1) -> None:
    """Look up the weather.

    Uses the national service.

    Parameters
    ----------
    city : str
        Where to look.
    days : int
        How many days,
        counted from today.
    """


def rest(city: str, days: int = 1) -> None:
    """Look up the weather.

    Uses the national service.

    :param city: Where to look.
    :param days: How many days,
        counted from today.
    """


@pytest.mark.parametrize("function", [google, numpy, rest])
def test_docstrings_of_three_styles_describe_the_tool_and_its_parameters(function: Any):
    signature = Signature(function)

    assert signature.description == "Look up the weather.\n\nUses the national service."
    assert signature.parameters["properties"]["city"]["description"] == "Where to look."
    assert signature.parameters["properties"]["days"]["description"] == "How many days,\ncounted from today."


def test_a_numpy_line_may_describe_two_parameters():
    def move(x: int, y: int) -> None:
        """Move.

        Parameters
        ----------
        x, y : int
            The distance.
        """

    assert [p["description"] for p in properties(move).values()] == ["The distance.", "The distance."]


def test_a_field_description_wins_over_the_docstring():
    def look(city: Annotated[str, Field(description="From the field.")]) -> None:
        """Look.

        Args:
            city: From the docstring.
        """

    assert properties(look)["city"]["description"] == "From the field."


def test_a_function_without_docstring_has_an_empty_description():
    def quiet(x: int) -> None: ...

    assert Signature(quiet).description == ""
    assert "description" not in properties(quiet)["x"]


def test_prose_that_only_looks_like_a_section_stays_the_description():
    def odd() -> None:
        """Odd.

        :param
        """

    assert Signature(odd).description.startswith("Odd.")


# -- the context


def test_a_leading_context_is_no_parameter_even_as_a_string_annotation():
    def save(ctx: ToolContext, text: str) -> None: ...

    def quoted(ctx: "ToolContext", text: str) -> None: ...  # noqa: UP037 - the quotes are the point

    for function in (save, quoted):
        signature = Signature(function)
        assert signature.context == "ctx"
        assert list(signature.parameters["properties"]) == ["text"]
        assert signature.check({"text": "a"}) == {"text": "a"}


def test_a_model_cannot_supply_the_context():
    def save(ctx: ToolContext, text: str) -> None: ...

    with pytest.raises(ToolInputInvalid, match="ctx: Extra inputs are not permitted"):
        Signature(save).check({"text": "a", "ctx": {}})


# -- what cannot be described


def late_context(text: str, ctx: ToolContext) -> None: ...


def many(*words: str) -> None: ...


def anything(**options: str) -> None: ...


def by_position(text: str, /) -> None: ...


def untyped(text) -> None: ...


def field_default(text: str = Field(max_length=3)) -> None: ...


def hidden(number: Fraction) -> None: ...


class Opaque:
    pass


def arbitrary(thing: Opaque) -> None: ...


def callback(then: Callable[[], None]) -> None: ...


@pytest.mark.parametrize(
    ("function", "advice"),
    [
        (late_context, "move it to the front"),
        (many, r"`\*words: .*` cannot be described to a model; name every parameter"),
        (anything, r"`\*\*options: .*` cannot be described to a model; name every parameter"),
        (by_position, "`text` is positional-only; remove the `/`"),
        (untyped, "`text` has no type; annotate it"),
        (field_default, r"write Annotated\[type, Field\(...\)\]"),
        (hidden, "'Fraction' is not defined.*at module level, not under TYPE_CHECKING"),
        (arbitrary, "have no JSON Schema.*Opaque"),
        (callback, "have no JSON Schema"),
    ],
)
def test_what_a_model_cannot_be_told_is_refused_with_advice(function: Any, advice: str):
    with pytest.raises(ConfigurationError, match=f"(?s)tool {function.__name__}: .*{advice}"):
        Signature(function)


# -- checking


def test_checked_arguments_are_python_values_with_defaults_filled_in():
    def plan(stops: list[Place], when: Window, filters: Filters, colour: Colour = Colour.RED) -> None: ...

    checked = Signature(plan).check(
        {"stops": [{"city": "Lyon"}], "when": {"start": "2026-03-01"}, "filters": {"owner": "ann"}}
    )

    assert checked == {
        "stops": [Place(city="Lyon", country="FR")],
        "when": Window(start=datetime.date(2026, 3, 1), days=1),
        "filters": {"owner": "ann"},
        "colour": Colour.RED,
    }


def test_mutable_defaults_are_not_shared_between_calls():
    def gather(found: list[str] = []) -> None: ...  # noqa: B006 - what a hurried author writes

    signature = Signature(gather)
    signature.check({})["found"].append("left over")

    assert signature.check({}) == {"found": []}


def test_every_problem_is_named_at_once():
    def plan(stops: list[Place], days: int) -> None: ...

    with pytest.raises(ToolInputInvalid) as raised:
        Signature(plan).check({"stops": [{"town": "Lyon"}], "surprise": 1})

    assert raised.value.message == (
        "stops.0.city: Field required; days: Field required; surprise: Extra inputs are not permitted"
    )
    assert raised.value.details == [
        {"field": "stops.0.city", "problem": "Field required"},
        {"field": "days", "problem": "Field required"},
        {"field": "surprise", "problem": "Extra inputs are not permitted"},
    ]


def test_arguments_that_are_no_object_are_refused_readably():
    def plan(days: int) -> None: ...

    arguments: Any = [1, 2]

    with pytest.raises(ToolInputInvalid, match="arguments: Input should be a JSON object"):
        Signature(plan).check(arguments)
