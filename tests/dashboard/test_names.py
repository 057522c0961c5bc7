"""No name from a log may act: not as Markdown, not as HTML, not by reordering the text around it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.names import LIMIT, display_name, labels

HOSTILE = [
    "![beacon](http://evil.example/x.png)",
    "<img src=http://evil.example/x.png onerror=alert(1)>",
    "<script>alert(1)</script>",
    "[click me](http://evil.example)",
    "[x]: http://evil.example",
    "<http://evil.example>",
    "http://evil.example/login",
    "www.evil.example",
    "someone@evil.example",
    "javascript:alert(1)",
    "**bold** _it_ ~~gone~~ `code`",
    "# heading",
    "- item\n- item",
    "1. one",
    "> quote",
    "| a | b |\n|---|---|\n| 1 | 2 |",
    "$\\frac{1}{2}$",
    ":red[danger] :red-background[danger]",
    ":material/warning: :smile: :streamlit:",
    "&lt;b&gt; &#60;b&#62;",
    "<b>bold</b><br><a href='javascript:alert(1)'>x</a>",
    "%{x} %{fullData.name} %{customdata[0]}",
    "abc\u202egnp.exe",
    "a\u2066b\u2069c\u200e\u200f\u061c",
    "zero\u200bwidth\u2060joiner\ufeff",
    "line\nbreak\rand\ttab\x00nul\x1b[31mansi",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b\u033d\u034f\u0334\u0319\u0324a\u0300\u0301\u0302\u0303lgo",
    "=cmd|' /C calc'!A0",
    "\\*not escaped\\*",
    "#000001",
    "x" * 5000,
    "",
    "   ",
    "\u202e",
]
BIDI_AND_CONTROL = set(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\x00\x1b\n\r\t\u200b\ufeff"
)
PUNCTUATION_THAT_ACTS = set("`*_[]()#<>&$~|!{}:@")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_keeps_no_control_signs_and_stays_short(name: str) -> None:
    shown = display_name(name)

    assert shown
    assert len(shown) <= LIMIT
    assert not set(shown) & BIDI_AND_CONTROL


@pytest.mark.parametrize("name", HOSTILE)
def test_every_sign_that_acts_in_markdown_is_escaped(name: str) -> None:
    shown = display_name(name, "md")

    for number, sign in enumerate(shown):
        if sign in PUNCTUATION_THAT_ACTS:
            assert shown[number - 1] == "\\"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_in_a_chart_is_text_and_no_template(name: str) -> None:
    assert not set(display_name(name, "plot").replace("&#", "")) & set("<>$%{}#\"'&")


@pytest.mark.parametrize("trigger", ["http://evil.example", "www.evil.example", "a@evil.example", ":smile:"])
def test_bare_links_and_emoji_do_not_come_back_once_markdown_has_taken_the_backslashes(trigger: str) -> None:
    assert trigger not in display_name(trigger, "md").replace("\\", "")


@given(st.text())
def test_any_text_can_be_shown_anywhere(name: str) -> None:
    for place in ("text", "md", "plot"):
        shown = display_name(name, place)
        assert shown.strip()
        assert shown.encode()


def test_plain_names_are_left_alone() -> None:
    assert display_name("support_chat v2 – naïve") == "support_chat v2 – naïve"


def test_unknown_is_a_dash() -> None:
    assert display_name(None) == "—"


def test_names_that_look_alike_stay_apart() -> None:
    shown = labels(["chat", "chat\u200b", "c" * 90, "c" * 91, "search"])

    assert len(set(shown.values())) == 5
    assert shown["search"] == "search"
    assert shown["chat"].startswith("chat #")


@given(st.lists(st.text(), unique=True))
def test_labels_are_never_shared(names: list[str]) -> None:
    shown = labels(names)

    assert set(shown) == set(names)
