"""Every room has its card and exports nothing; no module keeps state or hides what it is for."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "wakeful"
MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
MAKERS = {"list", "dict", "set", "bytearray", "deque", "defaultdict", "Counter", "OrderedDict", "WeakValueDictionary"}


def parse(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def rooms_without_card(source: Path) -> list[str]:
    """Packages below `source` whose `__init__.py` is missing or holds anything but a room card."""
    packages = {file.parent for file in source.rglob("*.py")} - {source}
    return [str(package) for package in sorted(packages) if not has_card_only(package / "__init__.py")]


def has_card_only(file: Path) -> bool:
    if not file.exists():
        return False
    tree = parse(file)
    return len(tree.body) == 1 and (ast.get_docstring(tree) or "").startswith("Room card: ")


def silent_modules(source: Path) -> list[str]:
    """Modules that do not say what they are for."""
    return [str(file) for file in sorted(source.rglob("*.py")) if not ast.get_docstring(parse(file))]


def module_state(source: Path) -> list[str]:
    """`global` statements, and variables (lower-case names) of modules that hold a mutable collection."""
    return [f"{file}:{line}" for file in sorted(source.rglob("*.py")) for line in state_lines(parse(file))]


def state_lines(tree: ast.Module) -> list[int]:
    used = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Global)]
    kept = [
        node.lineno
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        and is_mutable(node.value)
        and any(map(is_variable, names(node)))
    ]
    return used + kept


def names(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def is_variable(name: str) -> bool:
    return name != name.upper() and not name.startswith("__")


def is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        maker = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        return maker in MAKERS
    return isinstance(value, MUTABLE)


def test_every_room_has_a_card_and_nothing_else():
    found = rooms_without_card(SOURCE)

    assert not found, "\n".join(found)


def test_every_module_says_what_it_is_for():
    found = silent_modules(SOURCE)

    assert not found, "\n".join(found)


def test_no_module_keeps_state():
    found = module_state(SOURCE)

    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "card",
    [
        None,
        "",
        '"""Tools."""\n',
        '"""Room card: tools."""\nfrom tools.tool import tool\n',
        '"""Room card: tools."""\n__all__ = []\n',
    ],
)
def test_a_room_without_a_proper_card_is_found(tmp_path: Path, card: str | None):
    room = tmp_path / "tools"
    room.mkdir()
    (room / "tool.py").write_text('"""A tool."""\n')
    if card is not None:
        (room / "__init__.py").write_text(card)

    assert rooms_without_card(tmp_path) == [str(room)]


def test_a_room_with_its_card_is_accepted(tmp_path: Path):
    (tmp_path / "__init__.py").write_text('"""The public face."""\n__all__ = []\n')
    room = tmp_path / "tools"
    room.mkdir()
    (room / "__init__.py").write_text('"""Room card: tools.\n\nWhat is here: nothing.\n"""\n')

    assert rooms_without_card(tmp_path) == []


def test_a_module_without_docstring_is_found(tmp_path: Path):
    (tmp_path / "quiet.py").write_text("x = 1\n")

    assert silent_modules(tmp_path) == [str(tmp_path / "quiet.py")]


@pytest.mark.parametrize(
    "line",
    [
        "cache = {}",
        "_cache: dict[str, int] = {}",
        "seen = set()",
        "queue = collections.deque()",
        "first = last = []",
        "squares = [n * n for n in range(9)]",
        "def use():\n    global count\n    count = 1",
    ],
)
def test_module_state_is_found(tmp_path: Path, line: str):
    (tmp_path / "stateful.py").write_text(f"{line}\n")

    assert len(module_state(tmp_path)) == 1


@pytest.mark.parametrize(
    "line", ["LIMITS = {}", "limit = 3", "names = ('a',)", "def use():\n    seen = []", "__all__ = []"]
)
def test_constants_and_locals_are_no_state(tmp_path: Path, line: str):
    (tmp_path / "stateless.py").write_text(f"{line}\n")

    assert module_state(tmp_path) == []
