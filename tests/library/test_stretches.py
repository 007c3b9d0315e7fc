"""Stretches as sorted arrays answer like spans one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cinescope.library.stretches import Stretches, _counts, union
from cinescope.types import Span

TIMES = st.integers(0, 12)
SPANS = st.tuples(st.sampled_from("ab"), TIMES, st.integers(0, 4))


def stretches(spans: list[tuple[str, int, int]], says: str = "") -> Stretches:
    video = np.array(["ab".index(v) for v, _, _ in spans], np.int64)
    start = np.array([float(s) for _, s, _ in spans])
    end = start + np.array([float(d) for _, _, d in spans])
    return Stretches(["a", "b"], video, start, end, lambda n: f"{says}{n}", lambda n: "kind", lambda n: "source")


@given(st.lists(SPANS, max_size=8), SPANS)
def test_overlap_is_that_of_spans(spans: list[tuple[str, int, int]], asked: tuple[str, int, int]) -> None:
    many = stretches(spans)
    video, span = asked[0], Span(asked[1], asked[1] + asked[2])
    expected = sorted((s, s + d) for v, s, d in spans if v == video and Span(s, s + d).overlaps(span))
    assert many.overlap(video, span) == bool(expected)
    assert sorted((s.start, s.end) for _, s in many.overlapping(video, span)) == expected
    assert not many.overlap("c", span)


@given(st.lists(SPANS, max_size=6), st.lists(SPANS, max_size=6))
def test_a_union_has_all_and_still_knows_what_each_is(
    first: list[tuple[str, int, int]], second: list[tuple[str, int, int]]
) -> None:
    both = union([stretches(first, "x"), stretches(second, "y")])
    told = sorted((v, s.start, s.end, both.says(n)) for v in "ab" for n, s in both.of_video(v))
    expected = [(v, s, s + d, f"x{i}") for i, (v, s, d) in enumerate(first)]
    expected += [(v, s, s + d, f"y{i}") for i, (v, s, d) in enumerate(second)]
    assert told == sorted(expected)


def test_how_many_at_a_time() -> None:
    start, end = np.array([1.0, 2.0, 6.0, 8.0]), np.array([4.0, 3.0, 8.0, 9.0])
    assert _counts(start, end, 10.0, lambda n: n == 0, 0.2) == [(0, 1, 0), (4, 6, 0), (9, 10, 0)]
    assert _counts(start, end, 10.0, lambda n: n == 1, 0.2) == [(1, 2, 1), (3, 4, 1), (6, 9, 1)]
    assert _counts(start, end, 10.0, lambda n: n >= 1, 0.2) == [(1, 4, 2), (6, 9, 1)]
    assert _counts(start, end, 10.0, lambda n: n == 0, 1.5) == [(4, 6, 0)]
    assert _counts(np.zeros(0), np.zeros(0), 0.1, lambda n: n == 0, 0.2) == [(0, 0.1, 0)]


def test_many_at_once() -> None:
    rng = np.random.default_rng(0)
    start = rng.uniform(0, 1e6, 200_000)
    many = Stretches(["a"], np.zeros(len(start), np.int64), start, start + 2.0, str, str, str)
    assert len(many) == 200_000
    assert many.overlapping("a", Span(-5, -1)) == []
    near = many.overlapping("a", Span(500.0, 500.5))
    assert len(near) == int(((start < 500.5) & (start + 2.0 > 500.0)).sum())
