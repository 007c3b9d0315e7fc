"""Timelines in the formats of others: read back by other people's readers."""

from __future__ import annotations

import csv
import io
import json
import re
from itertools import pairwise

import pysubs2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cinescope.library.chapters import SHORTEST, chapters
from cinescope.library.export import export, speech_cues
from cinescope.types import (
    BadQueryError,
    Chapter,
    LibraryError,
    Note,
    Segment,
    Source,
    Span,
    Timeline,
    Track,
    Video,
    Word,
)

SPEECH, SCREEN, SHOTS = Source("transcript", "1", {"model": "x"}), Source("screen_text", "1"), Source("shots", "1")
LONG = (
    "Welcome to the show, everybody. Today we will talk about (among other things) the red car that was seen in "
    "Berlin last week, and what it means for all of us. Let's begin!"
)


def said(start: float, end: float, text: str, **more: object) -> Segment:
    return Segment(Span(start, end), "speech", SPEECH, text=text, **more)  # type: ignore[arg-type]


def recognised(start: float, text: str, pace: float = 0.4) -> Segment:
    words = tuple(Word(w, Span(start + i * pace, start + (i + 0.9) * pace)) for i, w in enumerate(text.split()))
    return said(start, start + len(words) * pace, text, words=words, language="en")


def timeline(*tracks: Track, notes: tuple[Note, ...] = (), duration: float | None = 200.0, **video: object) -> Timeline:
    return Timeline(Video("ab" * 16, duration, (), **video), tracks, notes)  # type: ignore[arg-type]


def speech(*segments: Segment) -> Track:
    return Track("speech", segments, SPEECH)


def read(text: str, form: str) -> list[tuple[float, float, str]]:
    return [(e.start / 1000, e.end / 1000, e.plaintext) for e in pysubs2.SSAFile.from_string(text, format_=form)]


LINES = [(0.0, 1.5, "First"), (2.0, 4.25, "Second line\nin two"), (3600.0, 3601.001, "An hour — 北京, naïve")]


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_subtitles_read_back(form: str) -> None:
    assert read(export(timeline(speech(*(said(*line) for line in LINES))), form), form) == LINES


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_what_looks_like_markup_stays_text(form: str) -> None:
    from cinescope.media.cues import parse_cues

    text = "a <b> & c <i>d</i> {e} &amp; <3"
    cues = parse_cues(export(timeline(speech(said(0, 1, text))), form), form, print)  # type: ignore[arg-type]
    assert [c.text for c in cues] == [text]


TIMES = st.lists(st.tuples(st.integers(0, 10**7), st.integers(1, 10**5)), min_size=1, max_size=8)


@settings(max_examples=100, deadline=None)
@given(TIMES)
def test_times_read_back_to_the_millisecond(times: list[tuple[int, int]]) -> None:
    lines = [(a / 1000, (a + d) / 1000, f"line {i}") for i, (a, d) in enumerate(sorted(times))]
    for form in ("srt", "vtt"):
        assert read(export(timeline(speech(*(said(*line) for line in lines))), form), form) == lines


def test_long_recognised_segments_are_cut_between_words() -> None:
    cues = speech_cues(timeline(speech(recognised(1.0, LONG))))
    assert " ".join(c.text for c in cues) == LONG
    assert len(cues) >= 2
    assert all(len(c.text) <= 84 and c.span.duration <= 7.0 for c in cues)
    assert all(a.span.end <= b.span.start for a, b in pairwise(cues))
    words = LONG.split()
    for cue in cues:
        assert cue.span.start == pytest.approx(1.0 + 0.4 * words.index(cue.text.split()[0]))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=12), max_size=60))
def test_no_letter_is_lost_in_cutting(words: list[str]) -> None:
    text = " ".join(words)
    cues = speech_cues(timeline(speech(recognised(1.0, text))))
    assert "".join("".join(c.text for c in cues).split()) == "".join(text.split())
    assert all(c.span.start <= c.span.end for c in cues)


def test_chinese_is_cut_too() -> None:
    text = "我们去北京看长城。" * 12
    words = tuple(Word(c, Span(i * 0.2, i * 0.2 + 0.2)) for i, c in enumerate(text))
    cues = speech_cues(timeline(speech(said(0, len(text) * 0.2, text, words=words, language="zh"))))
    assert "".join(c.text for c in cues) == text
    assert all(len(c.text) <= 42 and c.text.endswith("。") for c in cues)


def test_subtitles_that_somebody_made_stay_as_they_are() -> None:
    whole = recognised(1.0, LONG)
    given_ = said(1.0, whole.span.end, LONG, words=whole.words, data={"origin": "beside:talk.srt"})
    assert [c.text for c in speech_cues(timeline(speech(given_)))] == [LONG]


def test_of_two_languages_at_once_the_main_one() -> None:
    english = [said(t, t + 2, f"line {t}", language="en") for t in (0, 10, 20)]
    german = [said(t, t + 2.2, f"Zeile {t}", language="de") for t in (0, 10, 20)]
    both = speech(*english, *german)
    assert [c.text for c in speech_cues(timeline(both, language="en"))] == ["line 0", "line 10", "line 20"]
    assert speech_cues(timeline(both, language="de-AT"))[0].text == "Zeile 0"
    after = [said(t, t + 2, f"Zeile {t}", language="de") for t in (30, 40)]
    assert len(speech_cues(timeline(speech(*english, *after)))) == 5


def test_names_of_speakers() -> None:
    name = Note("n", "v", "name", "Ann & Bob", about="s1")
    vtt = export(timeline(speech(said(0, 1, "hi", who="s1")), notes=(name,)), "vtt")
    assert "<v Ann &amp; Bob>hi" in vtt


def test_nothing_to_write_is_said() -> None:
    with pytest.raises(LibraryError, match="'Sea' has no speech"):
        export(timeline(title="Sea"), "srt")
    with pytest.raises(BadQueryError, match="choose one of srt, vtt, json, csv, chapters"):
        export(timeline(), "docx")
    with pytest.raises(LibraryError, match="no duration"):
        export(timeline(duration=None), "chapters")


def test_json_has_everything_and_is_json() -> None:
    segment = said(0, 1, "hi \ud800", words=(Word("hi", Span(0, 1), 0.5),), score=0.25, language="en")
    shot = Segment(Span(0, 9), "shot", SHOTS, box=(0, 0, 1, 0.5), data={"key": 1.0, "odd": float("nan")})
    notes = (Note("n1", "v", "note", "look", Span(1, 2)),)
    found = json.loads(export(timeline(speech(segment), Track("shot", (shot,), SHOTS), notes=notes), "json"))
    assert found["video"]["duration"] == 200.0
    assert found["tracks"][0]["source"] == {
        "analyser": "transcript", "version": "1", "settings": {"model": "x"}, "key": SPEECH.key
    }  # fmt: skip
    assert found["tracks"][0]["segments"] == [
        {"start": 0, "end": 1, "text": "hi ?", "language": "en", "score": 0.25,
         "words": [{"text": "hi", "start": 0, "end": 1, "score": 0.5}]}
    ]  # fmt: skip
    assert found["tracks"][1]["segments"] == [
        {"start": 0, "end": 9, "box": [0, 0, 1, 0.5], "data": {"key": 1.0, "odd": None}}
    ]
    assert found["notes"][0]["span"] == {"start": 1, "end": 2}


def test_csv_reads_back() -> None:
    text = 'a "quoted", text\nin two lines'
    notes = (Note("n", "v", "tag", "sea"), Note("m", "v", "note", "here", Span(0.5, 2)))
    found = list(csv.DictReader(io.StringIO(export(timeline(speech(said(1.25, 3, text)), notes=notes), "csv"))))
    assert [(r["start"], r["end"], r["kind"], r["text"]) for r in found] == [
        ("", "", "tag", "sea"),
        ("0.5", "2", "note", "here"),
        ("1.25", "3", "speech", text),
    ]


# --- chapters


def shots(*times: tuple[float, float, str]) -> Track:
    return Track("shot", tuple(Segment(Span(a, b), "shot", SHOTS, data={"cut": c}) for a, b, c in times), SHOTS)


def test_the_files_own_chapters_first() -> None:
    own = (Chapter(Span(0.4, 60), "Intro"), Chapter(Span(60, 65), "Too short"), Chapter(Span(65, 200), "The <end>"))
    assert chapters(timeline(chapters=own)) == [(0, "Intro"), (60, "Too short")]
    own = (Chapter(Span(30, 60), "Late"), Chapter(Span(60, 200), "The <end>"))
    assert export(timeline(chapters=own), "chapters") == "0:00 Part 1\n0:30 Late\n1:00 The end\n"


def test_chapters_begin_where_speech_pauses_and_shots_begin() -> None:
    talk = speech(
        said(0, 20, "Hello and welcome"), said(20.5, 58, "more of it"), said(63, 118, "Second part begins"),
        said(126, 199, "The third and last"),
    )  # fmt: skip
    cut = shots((0, 62.8, "start"), (62.8, 90, "cut"), (90, 125.5, "cut"), (125.5, 200, "fade"))
    title = Track("screen", (Segment(Span(126, 130), "screen", SCREEN, text="THE END", box=(0, 0, 1, 0.2)),), SCREEN)
    found = chapters(timeline(talk, cut, title))
    assert (62, "Second part begins") in found
    assert (125, "THE END") in found
    assert found[0] == (0, "Hello and welcome")


def test_a_lecture_in_one_shot_is_cut_at_its_pauses() -> None:
    talk = speech(*(said(t, t + (36 if t % 80 else 39.5), f"part {t}") for t in range(0, 400, 40)))
    found = chapters(timeline(talk, shots((0, 400, "start")), duration=400.0))
    assert len(found) >= 3
    assert {start for start, _ in found} <= {0, 80, 160, 240, 320}  # the pauses of four seconds


@settings(max_examples=200, deadline=None)
@given(
    st.floats(0, 5000),
    st.lists(st.floats(0, 5000), max_size=60),
    st.lists(st.floats(0, 5000), max_size=20),
    st.booleans(),
)
def test_the_rules_of_youtube(duration: float, cuts: list[float], said_at: list[float], own: bool) -> None:
    times = sorted({0.0, *(c for c in cuts if c < duration)})
    track = shots(*((a, b, "cut") for a, b in pairwise([*times, max(duration, times[-1])])))
    talk = speech(*(said(t, t + 3, "words") for t in sorted(said_at) if t < duration))
    given_ = tuple(Chapter(Span(t, t), "x" * 200) for t in times) if own else ()
    found = chapters(timeline(track, talk, duration=duration, chapters=given_))
    if duration <= 0:
        return
    starts = [start for start, _ in found]
    assert starts[0] == 0
    assert all(b - a >= SHORTEST for a, b in pairwise(starts))
    assert len(found) == 1 or duration - starts[-1] >= SHORTEST
    assert all(t and "\n" not in t and not re.search("[<>]", t) and len(t) <= 100 for _, t in found)
