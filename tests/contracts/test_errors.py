"""The drawn error trees are the real ones."""

from __future__ import annotations

import inspect
import re
from types import ModuleType

import pytest

from wakeful.contracts import errors, model_errors
from wakeful.contracts.errors import WakefulError


def drawn(module: ModuleType) -> list[tuple[str, str]]:
    """(class, parent) of each line of the tree in the module's docstring, top down."""
    path: list[str] = []
    found: list[tuple[str, str]] = []
    for line in (module.__doc__ or "").splitlines():
        match = re.match(r"^((?:│   |    )*)(├── |└── )?([A-Z]\w+)(\s|$)", line)
        if match and (match[2] or match[3] in ("WakefulError", "ModelError")):
            depth = len(match[1]) // 4 + bool(match[2])
            path[depth:] = [match[3]]
            found.append((match[3], path[depth - 1] if depth else ""))
    return found


def defined(module: ModuleType) -> dict[str, type[WakefulError]]:
    classes = inspect.getmembers(module, inspect.isclass)
    return {name: cls for name, cls in classes if issubclass(cls, WakefulError) and cls.__module__ == module.__name__}


@pytest.mark.parametrize("module", [errors, model_errors])
def test_the_docstring_draws_every_class_under_its_parent(module: ModuleType):
    classes = defined(module)
    tree = {name: parent for name, parent in drawn(module) if name in classes}

    assert tree.keys() == classes.keys()
    for name, cls in classes.items():
        base = cls.__base__
        assert tree[name] == ("" if base is Exception or base is None else base.__name__)


def test_every_error_says_what_it_means_and_has_a_code_of_its_own():
    classes = [*defined(errors).values(), *defined(model_errors).values()]

    assert all(cls.__doc__ for cls in classes)
    assert len({cls.code for cls in classes}) == len(classes)


def test_the_drawing_marks_exactly_the_retryable_model_errors():
    lines = (model_errors.__doc__ or "").splitlines()
    marked = {match[1] for line in lines if "(retryable)" in line and (match := re.search(r"([A-Z]\w+)", line))}

    assert marked == {name for name, cls in defined(model_errors).items() if getattr(cls, "retryable", False)}
