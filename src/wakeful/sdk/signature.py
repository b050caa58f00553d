"""Reads a function's signature and docstring into the JSON Schema of its arguments, and checks arguments by it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import docstring_parser
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticUndefinedAnnotation, PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind
from pydantic_core import ErrorDetails

from wakeful.contracts.errors import ConfigurationError, ToolInputInvalid
from wakeful.contracts.json import JsonObject
from wakeful.contracts.tool import ToolContext

Function = Callable[..., object]


class Signature:
    """What a function says about itself.

    `description`: its docstring without the sections about parameters and results. `parameters`: a JSON Schema
    object that refuses unknown fields. `context`: the name of its `ToolContext` parameter, if it has one.
    """

    def __init__(self, function: Function) -> None:
        """Raises `ConfigurationError` when the function cannot be described to a model."""
        hints = _type_hints(function)
        self._name = name_of(function)
        self._returns = hints.get("return")
        parameters = list(inspect.signature(function).parameters.values())
        described = docstring_parser.parse(inspect.getdoc(function) or "")
        self.description = (described.description or "").strip()
        self.context = _context(parameters, hints)
        self._names = {f"p{i}": p.name for i, p in enumerate(parameters) if p.name != self.context}
        fields = {
            f"p{i}": _field(function, p, hints, _description_of(p.name, described))
            for i, p in enumerate(parameters)
            if p.name != self.context
        }
        self._model, self.parameters = _model(function, fields)

    def result(self) -> JsonObject | None:
        """The JSON Schema of what the function returns; None when it does not say, or says `Any`, `object` or `None`.

        Raises `ConfigurationError` for a type without a schema.
        """
        if self._returns in (Any, object, None, type(None)):
            return None
        try:
            schema = TypeAdapter(self._returns).json_schema(schema_generator=_Schema)
        except (PydanticUserError, PydanticUndefinedAnnotation) as error:
            raise ConfigurationError(f"tool {self._name}: its return type has no JSON Schema: {error}") from error
        schema.pop("title", None)
        return schema

    def check(self, arguments: JsonObject) -> JsonObject:
        """Python values for every parameter, defaults included; raises `ToolInputInvalid` naming every problem."""
        try:
            model = self._model.model_validate(arguments)
        except ValidationError as error:
            problems = [(_where(e["loc"]), _problem(e)) for e in error.errors(include_url=False, include_input=False)]
            raise ToolInputInvalid(
                "; ".join(f"{field}: {problem}" for field, problem in problems),
                details=[{"field": field, "problem": problem} for field, problem in problems],
            ) from None
        return {name: getattr(model, field) for field, name in self._names.items()}


def name_of(function: Function) -> str:
    """The function as its author knows it, for error messages."""
    return getattr(function, "__qualname__", repr(function))


def _type_hints(function: Function) -> Mapping[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        raise ConfigurationError(
            f"tool {name_of(function)}: {error}; types in a tool's signature must be importable from its module "
            "when it is decorated: define or import them at module level, not under TYPE_CHECKING"
        ) from error


def _context(parameters: list[inspect.Parameter], hints: Mapping[str, Any]) -> str | None:
    if parameters and hints.get(parameters[0].name) is ToolContext:
        return parameters[0].name
    return None


def _field(function: Function, parameter: inspect.Parameter, hints: Mapping[str, Any], described: str | None) -> Any:
    """A `(type, FieldInfo)` pair. Fields carry the parameter's name as an alias, so that any name is allowed."""
    name = parameter.name
    _refuse_unless_describable(function, parameter, hints)
    own = FieldInfo.from_annotation(hints[name])
    default = ... if parameter.default is parameter.empty else parameter.default
    return hints[name], Field(default, alias=name, description=own.description or described)


def _refuse_unless_describable(function: Function, parameter: inspect.Parameter, hints: Mapping[str, Any]) -> None:
    problem = None
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        problem = f"`{parameter}` cannot be described to a model; name every parameter"
    elif parameter.kind is parameter.POSITIONAL_ONLY:
        problem = f"parameter `{parameter.name}` is positional-only; remove the `/`, arguments are passed by name"
    elif parameter.name not in hints:
        problem = f"parameter `{parameter.name}` has no type; annotate it (wrap a bound method, not a method)"
    elif hints[parameter.name] is ToolContext:
        problem = f"parameter `{parameter.name}` is a ToolContext but not the first; move it to the front"
    elif isinstance(parameter.default, FieldInfo):
        problem = f"parameter `{parameter.name}` has Field(...) as its default; write Annotated[type, Field(...)]"
    if problem:
        raise ConfigurationError(f"tool {name_of(function)}: {problem}")


def _model(function: Function, fields: dict[str, Any]) -> tuple[type[BaseModel], JsonObject]:
    try:
        model = create_model("Arguments", __config__=ConfigDict(extra="forbid"), **fields)
        schema = model.model_json_schema(schema_generator=_Schema)
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        raise ConfigurationError(
            f"tool {name_of(function)}: its parameters have no JSON Schema: {error}; "
            "use JSON types, Literal, Enum, dataclasses, TypedDict or pydantic models"
        ) from error
    schema.pop("title")
    return model, schema


class _Schema(GenerateJsonSchema):
    """Without titles, which repeat the names and cost tokens, and silent about defaults JSON cannot show."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def render_warning_message(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        return None


def _description_of(name: str, docstring: docstring_parser.Docstring) -> str | None:
    for parameter in docstring.params:
        # numpydoc describes several parameters at once as "x, y : int"
        if name in (part.strip() for part in parameter.arg_name.split(",")):
            return parameter.description
    return None


def _where(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "arguments"


def _problem(error: ErrorDetails) -> str:
    return "Input should be a JSON object" if error["type"] == "model_type" else error["msg"]
