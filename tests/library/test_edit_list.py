"""Lists for editing programs, read back by the readers of OpenTimelineIO; timecode against its published rules."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import opentimelineio as otio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cinescope.library import edit_list
from cinescope.library.timecode import Counting, begin_of, rate_of
from cinescope.types import BadQueryError, LibraryError, Note, Segment, Source, Span, Stream, Timeline, Track, Video

NTSC = Fraction(30000, 1001)
SOURCE = Source("shots", "1")


def video(rate: float | None = 25.0, start: float = 0.0, sound: bool = True, **info: str) -> Video:
    streams = [] if rate is None else [Stream(0, "video", "h264", frame_rate=rate, start=start, duration=60.0)]
    streams += [Stream(1, "audio", "aac", start=0.0, duration=60.0)] if sound else []
    return Video("ab" * 16, 60.0, tuple(streams), title="A title", info=dict(info))


def timeline(of: Video, cuts: list[float], words: tuple[tuple[float, str], ...] = ()) -> Timeline:
    shots = tuple(Segment(Span(a, b), "shot", SOURCE) for a, b in pairwise(cuts))
    said = tuple(Segment(Span(t, t + 1), "speech", SOURCE, text=text) for t, text in words)
    note = Note("n", of.id, "note", "a note", Span(1.0, 2.0))
    return Timeline(of, (Track("shot", shots, SOURCE), Track("speech", said, SOURCE)), (note,))


# --- timecode


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (0, "00:00:00;00"), (1799, "00:00:59;29"), (1800, "00:01:00;02"), (17981, "00:09:59;29"),
        (17982, "00:10:00;00"), (107892, "01:00:00;00"), (2589408, "00:00:00;00"),
    ],
)  # fmt: skip
def test_drop_frame_is_that_of_smpte_st_12(frame: int, text: str) -> None:
    assert Counting(NTSC, drop=True).write(frame) == text


counts = st.sampled_from(
    [Counting(NTSC, True), Counting(2 * NTSC, True), Counting(NTSC), Counting(Fraction(25)), Counting(Fraction(120)),
     Counting(Fraction(24000, 1001)), Counting(Fraction(10))]
)  # fmt: skip


@given(counts, st.integers(0, 2_000_000))
def test_timecode_is_read_back(counting: Counting, frame: int) -> None:
    assert counting.read(counting.write(frame)) == frame % counting._day()


@given(st.booleans(), st.integers(0, 2_500_000))
def test_timecode_is_what_opentimelineio_says(drop: bool, frame: int) -> None:
    theirs = otio.opentime.RationalTime(frame, float(NTSC)).to_timecode(float(NTSC), drop)
    assert Counting(NTSC, drop).write(frame) == theirs


def test_what_is_no_timecode_says_so() -> None:
    for text in ("1:2", "00:61:00:00", "00:00:00:30", "00:01:00;00"):
        with pytest.raises(BadQueryError):
            Counting(NTSC, drop=True).read(text)


@pytest.mark.parametrize(
    ("told", "exact"),
    [
        (29.97002997, NTSC), (29.9699, NTSC), (23.976, Fraction(24000, 1001)), (25.0, Fraction(25)), (30, Fraction(30)),
        (59.9401, 2 * NTSC), (10.0, Fraction(10)), (24.0, Fraction(24)),
    ],
)  # fmt: skip
def test_rates_are_exact_fractions(told: float, exact: Fraction) -> None:
    assert rate_of(video(told)) == (exact, "")


def test_uneven_pictures_are_counted_at_a_rate_that_is_told() -> None:
    rate, remark = rate_of(video(26.4))
    assert rate == 25
    assert "26.40 a second on average; counted at 25.000" in remark
    assert rate_of(video(None))[1].startswith("it has no moving pictures")


def test_the_containers_timecode_is_the_first_frames() -> None:
    assert begin_of(video(25.0, timecode="10:00:00:12"), Fraction(25)) == (Counting(Fraction(25)), 900_012)
    assert begin_of(video(29.97, timecode="01:00:00;00"), NTSC) == (Counting(NTSC, True), 107_892)
    assert begin_of(video(29.97, timecode="01:00:00:00"), NTSC) == (Counting(NTSC), 108_000)
    assert begin_of(video(29.97), NTSC) == (Counting(NTSC, True), 0)
    assert begin_of(video(25.0, timecode="nonsense"), Fraction(25)) == (Counting(Fraction(25)), 0)


# --- lists


def exact(rate: float, start: float = 0.0) -> list[float]:
    """Cuts at frames 0, 45, 46 and 300 of a clock that may begin late."""
    return [start + float(n / Fraction(rate).limit_denominator(1001)) for n in (0, 45, 46, 300)]


@pytest.mark.parametrize(("rate", "start", "code"), [(25.0, 0.0, ""), (29.97002997, 1.075, "01:00:00;00"), (24, 0, "")])
def test_otio_comes_back_frame_by_frame(rate: float, start: float, code: str) -> None:
    of = video(rate, start, timecode=code)
    line = timeline(of, exact(rate, start), ((start + 0.5, "First words"), (start + 5.0, "later — 灯塔")))
    written = edit_list.write("otio", "A title", edit_list.shots(line, "a film.mp4", "/v/a film.mp4"))
    assert written.remarks == ()
    back: Any = otio.adapters.read_from_string(written.text, "otio_json")
    pictures, sound = back.video_tracks()[0], back.audio_tracks()[0]
    first = begin_of(of, rate_of(of)[0])[1]
    ranges = [(c.source_range.start_time.value - first, c.source_range.duration.value) for c in pictures]
    assert ranges == [(0, 45), (45, 1), (46, 254)]
    assert [c.source_range for c in sound] == [c.source_range for c in pictures]
    assert pictures[0].media_reference.target_url == "file:///v/a%20film.mp4"
    assert pictures[0].media_reference.available_range.contains(pictures[2].source_range)
    assert [m.name for m in pictures[2].markers] == ["later — 灯塔"]
    at = pictures[2].markers[0].marked_range.start_time.value - first
    assert at == round(5.0 * rate)
    assert not any(c.markers for c in sound)
    # One after the other without a gap, whatever the rate.
    assert pictures.range_of_child_at_index(2).start_time.value == 46


@pytest.mark.parametrize(
    ("sound", "seen", "letters"), [(1, True, "B"), (2, True, "AA/V"), (6, False, "AA"), (0, 1, "V")]
)
def test_channels_are_named_as_cmx_does(sound: int, seen: bool, letters: str) -> None:
    streams = [Stream(0, "video", "h264")] if seen else []
    streams += [Stream(1, "audio", "aac", channels=sound)] if sound else []
    clip = edit_list.Clip(Video("ab" * 16, 9.0, tuple(streams)), "x", "/x", Span(0, 1), "shot 1")
    assert edit_list._channels(clip) == letters


@pytest.mark.parametrize(
    ("rate", "code", "times"),
    [
        (25.0, "", ["00:00:00:00", "00:00:01:20", "00:00:01:21", "00:00:12:00"]),
        (29.97002997, "00:59:58;10", ["00:59:58;10", "00:59:59;25", "00:59:59;26", "01:00:08;10"]),
    ],
)
def test_edl_comes_back_through_the_cmx_reader(rate: float, code: str, times: list[str]) -> None:
    of = video(rate, timecode=code)
    line = timeline(of, exact(rate), ((0.5, "First words"),))
    text = edit_list.write("edl", "A title", edit_list.shots(line, "a film.mp4", "/v/a film.mp4")).text
    back: Any = otio.adapters.read_from_string(text, "cmx_3600", rate=float(rate_of(of)[0]))
    clips = list(back.video_tracks()[0])
    drop = ";" in times[0]

    def written(time: Any) -> str:
        return str(time.to_timecode(time.rate, drop))

    assert back.name == "A title"
    assert [c.name for c in clips] == ["a film.mp4"] * 3
    found = [written(c.source_range.start_time) for c in clips] + [written(clips[-1].source_range.end_time_exclusive())]
    assert found == times
    assert [m.name for m in clips[0].markers] == ["First words", "a note"]
    assert [str(m.color) for m in clips[0].markers] == ["GREEN", "YELLOW"]


def test_an_edl_is_written_by_the_rules() -> None:
    line = timeline(video(29.97002997), exact(29.97))
    other = timeline(video(25.0, sound=False), [0.0, 2.0])
    clips = [
        *edit_list.shots(line, "Ein Film (neu) 1.mp4", "/a/Ein Film (neu) 1.mp4")[:1],
        *edit_list.shots(line, "Ein Film (neu) 2.mp4", "/a/Ein Film (neu) 2.mp4")[2:],
        *edit_list.shots(other, "灯塔.mov", "/a/灯塔.mov"),
    ]
    written = edit_list.write("edl", "two\nlines", clips)
    lines = written.text.split("\r\n")
    assert lines[:3] == ["TITLE: two lines", "FCM: DROP FRAME", ""]
    events = [line.split() for line in lines if line[:3].isdigit()]
    assert [e[1] for e in events] == ["EINFILMN", "EINFILM2", "ABABABAB"]
    assert [e[2] for e in events] == ["B", "B", "V"]
    records = [tuple(e[6:8]) for e in events]
    assert records[0] == ("01:00:00;00", "01:00:01;15")
    assert [end for _, end in records[:-1]] == [start for start, _ in records[1:]]
    assert events[2][4:6] == ["00:00:00;00", "00:00:02;00"]
    assert written.remarks == (
        "an EDL has one rate, here 29.970; these have others and are counted at it: 灯塔.mov",
    )  # fmt: skip


def test_a_list_of_too_many_and_a_video_without_shots() -> None:
    many = timeline(video(), [n / 25 for n in range(0, 1100)])
    with pytest.raises(LibraryError, match="999"):
        edit_list.write("edl", "x", edit_list.shots(many, "x.mp4", "/x.mp4"))
    sound = Timeline(video(None), (Track("speech", (Segment(Span(3, 4), "speech", SOURCE, text="hm"),), SOURCE),))
    whole = edit_list.shots(sound, "x.wav", "/x.wav")
    assert [(c.span, c.label) for c in whole] == [(Span(0, 60), "whole")]
    written = edit_list.write("edl", "x", whole)
    assert edit_list._channels(whole[0]) == "A"
    assert "001  X        A     C        00:00:00:00 00:01:00:00" in written.text
    assert "no moving pictures" in written.remarks[0]
    back: Any = otio.adapters.read_from_string(edit_list.write("otio", "x", whole).text, "otio_json")
    assert not back.video_tracks()
    assert [m.name for m in back.audio_tracks()[0][0].markers] == ["hm"]
    with pytest.raises(LibraryError, match="no known length"):
        edit_list.shots(Timeline(Video("ab" * 16, None, ()), ()), "x", "")


def test_the_shots_of_a_real_clip_fall_on_its_frames(data: Path) -> None:
    from cinescope import media

    path = data / "media" / "torchcodec__nasa_13013.mp4"
    of = media.probe(path)
    with media.VideoReader(path) as reader:
        times = [p.time for p in reader.pictures()]
    rate, remark = rate_of(of)
    line = Timeline(of, (Track("shot", tuple(Segment(Span(t, t + 0.04), "shot", SOURCE) for t in times), SOURCE),))
    clips = edit_list.shots(line, path.name, str(path))
    assert remark == ""
    assert [round((c.span.start - times[0]) * rate) for c in clips] == list(range(len(times)))
    back: Any = otio.adapters.read_from_string(edit_list.write("otio", "x", clips).text, "otio_json")
    assert [c.source_range.start_time.value for c in back.video_tracks()[0]] == list(range(len(times)))
