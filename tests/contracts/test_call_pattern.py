import json
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wakeful.contracts.call_pattern import call_pattern, primary_argument
from wakeful.contracts.json import JsonObject

DOCUMENT = Path(__file__).parents[2] / "docs" / "patterns.md"
BASH: JsonObject = {"properties": {"timeout": {}, "command": {}}, "required": ["command"]}
ROW = re.compile(
    r"^\| `(?P<pattern>[^`]+)` \| `(?P<call>\w+)\((?P<arguments>.*)\)` \| (?P<fits>yes|no) \|", re.MULTILINE
)


def _rows() -> list[tuple[str, str, str, str]]:
    return [row.groups() for row in ROW.finditer(DOCUMENT.read_text(encoding="utf-8"))]  # type: ignore[misc]  # four groups


@pytest.mark.parametrize(("pattern", "tool", "arguments", "fits"), _rows())
def test_the_truth_table_of_the_documentation_is_true(pattern: str, tool: str, arguments: str, fits: str) -> None:
    sent = json.loads(arguments or "{}")

    assert call_pattern(pattern.replace("\\|", "|")).fits(tool, sent, BASH) is (fits == "yes")


def test_the_truth_table_has_all_operators() -> None:
    shown = " ".join(pattern for pattern, *_ in _rows())

    assert len(_rows()) >= 30
    assert all(f" {operator} " in shown for operator in ("=", "!=", "~", "!~", "=~", "!=~"))


def test_a_call_cannot_slip_out_of_a_pattern_by_bringing_one_argument_more() -> None:
    forbidden = call_pattern("bash(rm *)")

    assert forbidden.fits("bash", {"command": "rm -r /"}, BASH)
    assert forbidden.fits("bash", {"note": "harmless", "command": "rm -r /", "timeout": 1}, BASH)


def test_the_primary_argument_is_the_first_required_one_else_the_first_declared() -> None:
    assert primary_argument(BASH) == "command"
    assert primary_argument({"properties": {"query": {}, "limit": {}}}) == "query"
    assert primary_argument({"required": [7, "city"]}) == "city"
    assert primary_argument({}) is None


def test_a_pattern_over_the_primary_argument_fits_no_call_that_lacks_it() -> None:
    assert not call_pattern("bash(*x*)").fits("bash", {"timeout": "x"}, BASH)
    assert not call_pattern("bash(*x*)").fits("bash", {"": "x"}, {})


def test_a_pattern_says_which_one_tool_it_is_about_and_whether_all_its_calls() -> None:
    assert call_pattern("bash").name == "bash"
    assert call_pattern("bash(*)").any_arguments
    assert call_pattern("ba*").name is None
    assert call_pattern("/bash/").name is None
    assert not call_pattern("bash(git *)").any_arguments
    assert not call_pattern('bash(a = "1")').any_arguments


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected tool"),
        ("two words", "expected tool"),
        ("bash(", "expected tool"),
        ("bash)", "expected tool"),
        ("bash()", "1 to 1000 characters"),
        ("a\\", "expected tool"),
        ("/(/", "unclosed group"),
        ("/(?=a)/", "look-around"),
        ('x(a = "1" b = "2")', "expected a condition"),
        ('x(a = "1",)', "expected a condition"),
        (r'x(a = "\q")', "expected a JSON string"),
        ('x(a =~ "(")', "unclosed group"),
        ("x" * 2001, "expected tool"),
    ],
)
def test_a_text_that_is_no_pattern_is_refused_with_what_was_expected(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        call_pattern(text)


LETTERS = st.text('ab.[]*?/\\()"=!~,01 {}|+^$\n', max_size=40)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b"]) | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(LETTERS, st.text("ab/_", max_size=5), st.dictionaries(st.sampled_from(["a", "b"]), JSON, max_size=2))
@example('a(b[*].* !=~ "a{999}{999}{999}")', "a", {"b": [{"a": "aaa"}]})
@example("/(a*)*b/", "a" * 40, {})
def test_any_text_is_refused_or_says_yes_or_no(text: str, tool: str, arguments: JsonObject) -> None:
    try:
        pattern = call_pattern(text)
    except ValueError:
        return

    assert pattern.fits(tool, arguments, {"required": ["a"]}) in (True, False)


@given(st.sampled_from(["=", "~", "=~"]), st.text("ab*.", min_size=1, max_size=4), JSON)
def test_a_negation_is_the_opposite_for_one_value_and_nothing_without_one(
    operator: str, value: str, sent: object
) -> None:
    try:
        plain = call_pattern(f'x(a {operator} "{value}")')
    except ValueError:
        return
    opposite = call_pattern(f'x(a !{operator} "{value}")')

    assert plain.fits("x", {"a": sent}, {}) is not opposite.fits("x", {"a": sent}, {})  # type: ignore[dict-item]  # JSON
    assert not plain.fits("x", {"b": sent}, {})  # type: ignore[dict-item]  # JSON
    assert not opposite.fits("x", {"b": sent}, {})  # type: ignore[dict-item]  # JSON
