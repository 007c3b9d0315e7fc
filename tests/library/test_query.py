"""The query language: what people type, in every shape."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinescope.library.query import LONGEST_QUERY, MOST_WORDS, Filter, Query, Term, day_range, days, parse, when
from cinescope.types import BadQueryError


def test_words_phrases_and_negations() -> None:
    assert parse('red car "on the beach" -night -"blue sky"').terms == (
        Term("red"),
        Term("car"),
        Term("on the beach", quoted=True),
        Term("night", negated=True),
        Term("blue sky", quoted=True, negated=True),
    )


@pytest.mark.parametrize("text", ["“red car”", "„red car“", "«red car»", "「red car」", '"red  car"', "＂red car＂"])
def test_typographic_quotes(text: str) -> None:
    assert parse(text).terms == (Term("red car", quoted=True),)


@pytest.mark.parametrize("text", ['"red car', 'red car"', "red “car"])
def test_a_quote_that_never_closes_is_taken_as_it_is(text: str) -> None:
    assert parse(text).terms == (Term("red"), Term("car"))


@pytest.mark.parametrize("dash", ["-", "–", "−"])
def test_dashes_that_autocorrection_makes_negate_too(dash: str) -> None:
    assert parse(f"red {dash}car").unwanted == (Term("car", negated=True),)


def test_a_dash_inside_or_alone_is_no_negation() -> None:
    assert parse("state-of-the-art - new").terms == (Term("state-of-the-art"), Term("new"))


def test_filters() -> None:
    query = parse('beach tag:"for mum" -in:screen Before:10:00 after:2024-05 video:a.mp4 http://x.y/z 10:30')
    assert query.filters == (
        Filter("tag", "for mum"),
        Filter("in", "screen", negated=True),
        Filter("before", "10:00"),
        Filter("after", "2024-05"),
        Filter("video", "a.mp4"),
    )
    assert query.terms == (Term("beach"), Term("http://x.y/z"), Term("10:30"))


def test_filters_from_elsewhere_come_after_those_in_the_text_once() -> None:
    assert parse("tag:a", [Filter("tag", "a"), Filter("tag", "b")]).values("tag") == ["a", "b"]


def test_a_filter_in_quotes_is_words() -> None:
    assert parse('"in:speech"').terms == (Term("in:speech", quoted=True),)


@pytest.mark.parametrize("text", ["don't", "C++", "a@b.c", "naïve", "3.14", "去北京", "-x y", "ภาษาไทย", "हिन्दी"])
def test_every_kind_of_word_is_a_word(text: str) -> None:
    assert len(parse(text).wanted) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("   \n", "empty"),
        ("!!! ?", "no letters or digits"),
        ("-", "no letters or digits"),
        ('""', "no letters or digits"),
        ("🎉", "no letters or digits"),
        ("-red", "only says what not to find"),
        ('-"red car" -blue', "only says what not to find"),
        ("tag:", "needs a value"),
        ('red tag:""', "needs a value"),
        ("before:yesterday x", "neither a date nor a time"),
        ("after:2024-13-01 x", "neither a date nor a time"),
        ("date:soon x", "not a date"),
        ("date:2024-02-30 x", "not a date"),
        ("date:2024-03..2024-01 x", "ends before it begins"),
        ("-before:10 x", "cannot be turned round"),
        ("x" * (LONGEST_QUERY + 1), "characters long"),
        ("x" * 10_000, "characters long"),
        ("a " * (MOST_WORDS + 1), "one"),
    ],
)
def test_a_query_that_means_nothing_gets_one_sentence(text: str, says: str) -> None:
    if says == "one":
        text = " ".join(f"w{i}" for i in range(MOST_WORDS + 1))
        says = "1,001 words"
    with pytest.raises(BadQueryError, match=says) as caught:
        parse(text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_filters_alone_and_negations_with_filters_are_queries() -> None:
    assert parse("tag:beach").terms == ()
    assert parse("tag:beach -night").unwanted == (Term("night", negated=True),)


def test_dates() -> None:
    assert day_range("2024") == ("2024-01-01", "2025-01-01")
    assert day_range("2024-12") == ("2024-12-01", "2025-01-01")
    assert day_range("2024-02-29") == ("2024-02-29", "2024-03-01")
    assert day_range("2023-02-29") is None
    assert days("2024-01..2024-03") == ("2024-01-01", "2024-04-01")
    assert days("..2024") == ("0000-01-01", "2025-01-01")
    assert when("2024-05") == "2024-05-01"
    assert when("10:00") == 600.0
    assert when("90s") == 90.0
    assert when("2024") == "2024-01-01"


PIECES = st.sampled_from(
    ['"', "“", "”", "-", "–", "tag:", "in:speech", "before:", "10:00", "2024", "a", "b c", " ", "\u3000", "去", "北京",
     "「", "」", "'", 'x"y', ":", "!!", "..", "date:", "after:", "-tag:", "\n", "\ud800", "\x00", "don't", "--"]
)  # fmt: skip
ANYTHING = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=14).map("".join))


@settings(max_examples=600, deadline=None)
@given(ANYTHING)
def test_any_text_is_a_query_or_a_bad_query(text: str) -> None:
    try:
        query = parse(text)
    except BadQueryError:
        return
    assert query.wanted or query.filters


@settings(max_examples=600, deadline=None)
@given(ANYTHING)
def test_a_query_as_understood_is_understood_the_same(text: str) -> None:
    try:
        query = parse(text)
    except BadQueryError:
        return
    again = parse(str(query))
    assert again == query
    assert str(again) == str(query)


def test_an_empty_query_object_says_nothing() -> None:
    assert str(Query()) == ""
