"""Merging: which hits are one moment, and where a moment begins."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinescope.library.matching import Text, units_of
from cinescope.library.moments import GAP, LONGEST, Hit, hits_of_row, merged, scored, without_repeats, word_clock
from cinescope.library.query import parse
from cinescope.types import Span

ALL = frozenset({0})


def hit(start: float, end: float, kind: str = "speech", score: float = 1.0, **more: Any) -> Hit:
    values: dict[str, Any] = {"video_id": "v", "text": f"{kind} {start}", "covered": {0: 1.0}, **more}
    return Hit(kind=kind, span=Span(start, end), source="s", language="", matched=(), score=score, **values)


def spans(hits: list[Hit], needed: frozenset[int] = ALL) -> list[tuple[float, float]]:
    return sorted((g.span.start, g.span.end) for g in merged(hits, needed))


def test_neighbours_from_any_modality_are_one_moment() -> None:
    assert spans([hit(10, 12), hit(12 + GAP, 25, "screen")]) == [(10, 25)]
    assert spans([hit(10, 12), hit(12.1 + GAP, 25, "screen")]) == [(10, 12), (12.1 + GAP, 25)]


def test_other_videos_are_other_moments() -> None:
    assert len(merged([hit(10, 12), hit(10, 12, video_id="w")], ALL)) == 2


def test_a_word_said_all_the_time_is_not_one_moment_of_an_hour() -> None:
    found = spans([hit(t, t + 2) for t in range(0, 3600, 5)])
    assert len(found) > 3600 / LONGEST / 2
    assert all(end - start <= LONGEST for start, end in found)


def test_weaker_hits_join_the_moment_near_them_and_leave_its_beginning() -> None:
    needed = frozenset({0, 1})
    full = hit(100, 104, covered={0: 1.0, 1: 1.0})
    groups = merged([hit(94, 97, covered={0: 1.0}), full, hit(108, 109, covered={1: 1.0})], needed)
    assert [(g.span, len(g.hits)) for g in groups] == [(Span(100, 104), 3)]


def test_words_apart_in_neighbouring_rows_make_a_full_moment() -> None:
    needed = frozenset({0, 1})
    moments = scored(merged([hit(10, 12, covered={0: 1.0}), hit(13, 15, covered={1: 1.0})], needed), needed)
    assert [(m.span, full) for m, full in moments] == [(Span(10, 15), True)]


def test_a_title_supports_the_moments_of_its_video_and_stands_alone_without_any() -> None:
    title = hit(0, 600, "title", standing=True)
    (alone,) = merged([title], ALL)
    assert alone.span == Span(0, 8)
    groups = merged([title, hit(2, 4), hit(300, 303)], ALL)
    assert sorted((g.span, len(g.hits)) for g in groups) == [(Span(2, 4), 2), (Span(300, 303), 2)]


def test_a_line_that_stands_for_minutes_does_not_swallow_what_is_said() -> None:
    groups = merged([hit(100, 400, "screen", standing=True), hit(300, 303)], ALL)
    assert sorted(g.span for g in groups) == [Span(100, 108), Span(300, 303)]


def test_scores_add_up_by_modality_and_stay_in_bounds() -> None:
    groups = merged([hit(10, 12, score=4.0), hit(13, 14, "screen", score=2.0), hit(100, 101, score=3.0)], ALL)
    (best, _), (other, _) = scored(groups, ALL)
    assert best.span.start == 10
    assert best.score == 1.0 > other.score >= 0.5
    assert sum(best.by_modality.values()) == pytest.approx(best.score)
    assert best.by_modality["speech"] == pytest.approx(2 * best.by_modality["screen"])
    assert [e.kind for e in best.evidence] == ["speech", "screen"]


def test_a_title_counts_less_than_speech() -> None:
    groups = merged([hit(0, 600, "title", score=3.0, standing=True), hit(5, 7, score=3.0, video_id="w")], ALL)
    assert [m.video_id for m, _ in scored(groups, ALL)] == ["w", "v"]


def test_many_weak_hits_count_no_more_than_twice_the_best() -> None:
    (group,) = merged([hit(t, t + 1, score=1.0) for t in range(50)], ALL)
    assert group.strength() == {"speech": 2.0}


def test_moments_with_some_of_the_words_come_after_those_with_all() -> None:
    needed = frozenset({0, 1})
    weak_but_full = hit(10, 12, score=0.1, covered={0: 1.0, 1: 1.0})
    strong_but_partial = hit(100, 102, score=9.0, covered={0: 1.0})
    ranked = scored(merged([weak_but_full, strong_but_partial], needed), needed)
    assert [(m.span.start, full) for m, full in ranked] == [(10, True), (100, False)]
    assert ranked[1][0].score < 0.5 <= ranked[0][0].score


def test_repeats_of_two_versions_count_once() -> None:
    twice = [hit(10, 12, text="hello"), hit(10.2, 12, text="Hello "), hit(30, 31, text="hello")]
    assert [h.span.start for h in without_repeats(twice)] == [10, 30]
    assert len(without_repeats([hit(10, 12, text="a"), hit(10, 12, "screen", text="a")])) == 2


HITS = st.lists(
    st.tuples(st.floats(0, 500), st.floats(0, 30), st.booleans(), st.sampled_from(["speech", "screen", "title"])),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(HITS)
def test_every_hit_is_in_a_moment_and_moments_do_not_repeat_hits(raw: list[tuple[float, float, bool, str]]) -> None:
    needed = frozenset({0, 1})
    hits = [
        hit(a, a + d, kind, covered={0: 1.0, 1: 1.0} if full else {0: 1.0}, standing=kind == "title")
        for a, d, full, kind in raw
    ]
    groups = merged(hits, needed)
    inside = [h for g in groups for h in g.hits]
    assert all(any(h is i for i in inside) for h in hits)
    assert all(len({id(h) for h in g.hits}) == len(g.hits) for g in groups)
    assert all(m.span.duration <= LONGEST + 30 and 0 <= m.score <= 1 for m, _ in scored(groups, needed))


# --- rows to hits


def row(
    text: str, start: float = 0.0, pace: float = 1.0, end: float | None = None, timed: bool = True
) -> dict[str, Any]:
    words = [
        {"text": w, "start": start + i * pace, "end": start + (i + 0.5) * pace} for i, w in enumerate(text.split())
    ]
    last = start + len(words) * pace if end is None else end
    return {
        "video_id": "v", "kind": "speech", "start": start, "end": last, "text": text, "source": "s", "language": "en",
        "words": words if timed else [], "_score": 1.0,
    }  # fmt: skip


def found(query: str, of: dict[str, Any]) -> list[Hit]:
    return hits_of_row(of, Text(of["text"], of["language"]).match(units_of(parse(query).wanted)))


def test_a_hit_begins_with_the_first_matching_word() -> None:
    (only,) = found("red car", row("there was a red car", start=100))
    assert only.span == Span(103, 105)


def test_a_row_without_word_times_is_the_hit() -> None:
    (only,) = found("car", row("there was a red car", start=100, timed=False))
    assert only.span == Span(100, 105)


def test_of_a_long_row_only_the_stretch_around_the_words() -> None:
    filler = "so it goes on and on " * 5
    (only,) = found("red car", row(filler + "red car " + filler))
    assert only.span == Span(30, 33.5)
    assert [only.text[a:b] for a, b in only.matched] == ["red", "car"]


def test_a_long_row_with_the_words_far_apart_is_several_hits() -> None:
    filler = "so it goes on and on " * 5
    first, second = found("car", row("car " + filler + "car " + filler))
    assert (first.span.start, second.span.start) == (0, 31)
    assert first.matched != second.matched


def test_the_hit_begins_where_all_the_words_are_together() -> None:
    (only,) = found("red car", row("red as in the song and now red car"))
    assert only.span.start == 7


def test_the_times_of_replaced_words_come_from_their_neighbours() -> None:
    corrected = row("we sail to Grease tomorrow")
    corrected["text"] = "we sail to the Greek islands tomorrow"
    (only,) = found("islands", corrected)
    assert 2.5 <= only.span.start < 4
    assert word_clock(corrected | {"words": []}) is None
    assert word_clock(corrected | {"words": None}) is None
