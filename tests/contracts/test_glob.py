import pytest
from hypothesis import given
from hypothesis import strategies as st

from wakeful.contracts.glob import Glob, glob

LETTERS = "ab*?\\.\n[^"


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("search", "search", True),
        ("search", "Search", False),
        ("search", "search2", False),
        ("mcp__*", "mcp__a__b", True),
        ("mcp__*", "mcp__", True),
        ("mcp__*", "xmcp__a", False),
        ("*__read", "a__read", True),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("*", "", True),
        ("*", "a/b\nc", True),
        (r"a\*", "a*", True),
        (r"a\*", "ab", False),
        (r"a\\b", r"a\b", True),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        ("a.c*", "abc", False),
        ("{a,b}*", "{a,b}c", True),
    ],
)
def test_a_glob_fits_the_whole_text_and_knows_two_signs_and_an_escape(pattern: str, text: str, *, fits: bool) -> None:
    assert glob(pattern).fits(text) is fits


def test_a_glob_that_names_one_thing_says_which() -> None:
    assert glob(r"a\*b").literal == "a*b"
    assert glob("a*b").literal is None


@pytest.mark.parametrize(
    ("pattern", "found"), [("", "1 to 1000 characters"), ("a\\", "lone backslash"), ("a" * 1001, "found 1001")]
)
def test_a_text_that_is_no_glob_is_refused(pattern: str, found: str) -> None:
    with pytest.raises(ValueError, match=found):
        Glob(pattern)


@given(st.text(LETTERS, min_size=1, max_size=8), st.text(LETTERS, max_size=8))
def test_globs_fit_what_their_definition_says(pattern: str, text: str) -> None:
    try:
        compiled = Glob(pattern)
    except ValueError:
        assert (len(pattern) - len(pattern.rstrip("\\"))) % 2 == 1
        return

    assert compiled.fits(text) is _fits(pattern, text)


@given(st.text(min_size=1, max_size=30))
def test_a_text_with_all_signs_escaped_fits_itself_alone(text: str) -> None:
    escaped = "".join("\\" + letter if letter in "*?\\" else letter for letter in text)

    assert Glob(escaped).literal == text
    assert Glob(escaped + "*").fits(text + "tail")


def _fits(pattern: str, text: str) -> bool:
    """The definition, one character after the other."""
    if not pattern:
        return not text
    match pattern[0]:
        case "*":
            return any(_fits(pattern[1:], text[start:]) for start in range(len(text) + 1))
        case "?":
            return bool(text) and _fits(pattern[1:], text[1:])
        case "\\":
            return text[:1] == pattern[1] and _fits(pattern[2:], text[1:])
        case letter:
            return text[:1] == letter and _fits(pattern[1:], text[1:])
