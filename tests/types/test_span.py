"""Time arithmetic holds for all times, and what people write is read back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinescope.types import BadQueryError, CinescopeError, Span, format_time, parse_time

times = st.floats(-1e6, 1e6, allow_nan=False)
spans = st.tuples(times, times).map(lambda p: Span(min(p), max(p)))


@given(spans, spans)
def test_overlap_and_intersection_agree_both_ways(a: Span, b: Span) -> None:
    assert a.overlaps(b) == b.overlaps(a)
    assert a.intersection(b) == b.intersection(a)
    shared = a.intersection(b)
    assert (shared is not None) == a.overlaps(b)
    if shared is not None:
        assert max(a.start, b.start) == shared.start
        assert min(a.end, b.end) == shared.end
        assert a.gap(b) == 0
    assert 0 <= a.iou(b) <= 1


@given(spans, spans)
def test_union_holds_both(a: Span, b: Span) -> None:
    whole = a.union(b)
    assert whole.start <= min(a.start, b.start)
    assert whole.end >= max(a.end, b.end)
    assert a.iou(a) == 1


@given(spans)
def test_half_open(a: Span) -> None:
    assert a.contains(a.start)
    assert a.contains(a.end) == (a.duration == 0)
    if a.duration > 0:
        assert not a.overlaps(Span(a.end, a.end + 1))
        assert a.gap(Span(a.end + 2, a.end + 3)) == pytest.approx(2)


@pytest.mark.parametrize(("start", "end"), [(1, 0), (math.nan, 1), (0, math.inf)])
def test_impossible_spans(start: float, end: float) -> None:
    with pytest.raises(ValueError, match="span"):
        Span(start, end)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90.5", 90.5), ("1:30", 90), ("1:02:03.25", 3723.25), ("1m30s", 90), ("2h", 7200), ("75:10", 4510)],
)
def test_times_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "abc", "1:", "-5", "1:99:00", "1h2", "inf", "1::2"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(BadQueryError, match="is not a time"):
        parse_time(text)


@given(st.integers(0, 10**9))
def test_milliseconds_survive_the_trip(ms: int) -> None:
    assert round(parse_time(format_time(ms / 1000, 3)) * 1000) == ms


@given(st.text(max_size=20))
def test_any_text_is_a_time_or_a_clear_error(text: str) -> None:
    try:
        seconds = parse_time(text)
    except BadQueryError as error:
        seconds = 0.0 if "write seconds" in str(error) else -1.0
    assert seconds >= 0


def test_an_error_says_what_and_what_to_do() -> None:
    assert str(CinescopeError("it broke", "mend it")) == "it broke: mend it"
    assert str(CinescopeError("it broke")) == "it broke"
