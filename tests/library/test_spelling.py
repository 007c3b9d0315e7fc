"""Near spellings: only words that occur, only of words that do not."""

from __future__ import annotations

from pathlib import Path

import pytest
import shelf

from cinescope.library.matching import units_of
from cinescope.library.query import parse
from cinescope.library.row_sets import Rows
from cinescope.library.scope import Scope
from cinescope.library.spelling import spellings
from cinescope.library.store import Store

EVERYTHING = Scope()
LINES = [
    "The unicorn of München",
    "a cat sat",
    "Hello world",
    "hello again",
    "去北京",
    "receive the accommodation 2024",
]


@pytest.fixture(scope="module", params=["indexed", "fresh", "half"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """All rows in the index, none (the first run is going on), or only those that were there when it was made."""
    store = shelf.new(tmp_path_factory.mktemp("spelling"))
    lines = [(i * 10.0, i * 10.0 + 5, t) for i, t in enumerate(LINES)]
    early = lines[:3] if request.param == "half" else lines
    shelf.add(store, "v1", early)
    if request.param != "fresh":
        shelf.with_indexes(store)
    shelf.add(store, "v1", lines[len(early) :])
    return store


def near(store: Store, query: str, scope: Scope = EVERYTHING) -> tuple[str, ...]:
    return spellings(store, units_of(parse(query).wanted), Rows(store, "segments", scope))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("unicrn", "unicorn"),
        ("unicron", "unicorn"),  # two neighbours swapped
        ("Munchn", "München"),
        ("helo", "hello"),
        ("wolrd", "world"),
        ("acommodation", "accommodation"),
        ("recieve", "receive"),
        ('"helo world"', "hello"),
    ],
)
def test_a_slip_of_the_keyboard_is_understood(store: Store, typed: str, meant: str) -> None:
    assert meant.lower() in [s.lower() for s in near(store, typed)]


@pytest.mark.parametrize("typed", ["giraffe", "去北方", "xy", "2025", "zzzzzzzz"])
def test_what_is_near_nothing_gets_nothing(store: Store, typed: str) -> None:
    assert near(store, typed) == ()


def test_a_word_that_occurs_needs_no_other(store: Store) -> None:
    assert near(store, "cat") == ()


def test_only_rows_of_the_filter_are_suggested(store: Store) -> None:
    assert near(store, "unicrn", Scope(frozenset({"v2"}))) == ()
    assert near(store, "unicrn", Scope(frozenset({"v1"}))) == ("unicorn",)


def test_the_form_that_is_written_most_is_shown(tmp_path: Path) -> None:
    store = shelf.new(tmp_path)
    shelf.add(store, "v1", [(0, 1, "Obama spoke"), (2, 3, "OBAMA"), (4, 5, "Obama")])
    assert near(shelf.with_indexes(store), "obema") == ("Obama",)


def test_an_empty_library(tmp_path: Path) -> None:
    assert near(shelf.new(tmp_path), "word") == ()
