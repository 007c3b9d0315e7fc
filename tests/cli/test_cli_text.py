"""Text for terminals: nothing unsafe gets through, nothing is wider than it may be."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinescope.cli import text
from cinescope.cli.common import human_size, human_time, plain

anything = st.text(st.characters(codec=None), max_size=60)  # lone surrogates, control characters and all


@given(anything)
def test_printable_text_is_one_safe_line_that_can_be_encoded(value: str) -> None:
    shown = text.printable(value)
    shown.encode("utf-8")
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in shown)
    assert len(shown.splitlines()) <= 1


def test_names_that_are_no_unicode_show_their_bytes() -> None:
    assert text.printable(os.fsdecode(b"a\xff\nb")) == r"a\xff\nb"
    assert text.printable("\x1b[31mred\u202e") == r"\x1b[31mred\u202e"


@given(anything, st.integers(1, 30))
def test_cut_text_fits(value: str, columns: int) -> None:
    assert text.width(text.cut(text.printable(value), columns)) <= columns


@pytest.mark.parametrize(
    ("value", "columns"), [("abc", 3), ("灯塔", 4), ("e\u0301", 1), ("\x1b[1mab\x1b[0m", 2), ("👍", 2)]
)
def test_width_is_what_a_terminal_needs(value: str, columns: int) -> None:
    assert text.width(value) == columns


@given(
    st.text(max_size=200),
    st.lists(st.tuples(st.integers(0, 220), st.integers(0, 220)), max_size=4),
    st.integers(20, 80),
)
def test_marked_text_is_safe_and_fits(value: str, spans: list[tuple[int, int]], columns: int) -> None:
    shown = text.marked(text.one_line(value), spans, columns)
    assert "\n" not in shown
    stars = 2 * len(spans)
    assert text.width(shown) <= columns + stars + shown.count("\\") * 6


def test_the_match_is_shown_even_far_into_a_long_text() -> None:
    long = "word " * 100 + "needle" + " word" * 100
    start = long.index("needle")
    shown = text.marked(long, [(start, start + 6)], 60)
    assert "*needle*" in shown
    assert shown.startswith("…")
    assert shown.endswith("…")


def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    assert text.bold("x") == "x"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert text.bold("x") == "\x1b[1mx\x1b[0m"
    assert text.marked("a red car", [(2, 5)], 40) == "a \x1b[1;33mred\x1b[0m car"


def test_tables_give_way_in_one_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    shown = text.table([["id", "x" * 80, "end"]], ["a", "b", "c"], grow=1)
    assert all(text.width(line) <= 40 for line in shown.splitlines())
    assert "end" in shown


def test_sums_are_said_as_people_say_them() -> None:
    assert human_time(1) == "1 second"
    assert human_time(119) == "119 seconds"
    assert human_time(170) == "3 minutes"
    assert human_time(4 * 3600) == "4.0 hours"
    assert human_size(999) == "999 bytes"
    assert human_size(1_500_000) == "1.5 MB"
    assert human_size(3e12) == "3,000.0 GB"


def test_pictures_are_left_out_of_json() -> None:
    assert plain({"jpeg": b"x", "n": (1, 2.00000001)}) == {"n": [1, 2.0]}
