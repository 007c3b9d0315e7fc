"""Subtitles: texts as people write them, files beside a video, and the tracks inside containers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cinescope.media.cues import parse_cues, plain_text, sniff, voices, write_cues
from cinescope.media.encode import VideoWriter
from cinescope.media.languages import language_tag, three_letters
from cinescope.media.subtitles import decode_text, read_side_file, read_subtitles, side_files
from cinescope.types import Cue, MediaError, Span, SubtitleTrack

SRT = "1\n00:00:01,000 --> 00:00:02,500\nHello\nworld\n\n2\n00:00:03,000 --> 00:00:04,000\nBye\n"


def parsed(text: str, form: str = "srt") -> tuple[list[Cue], list[str]]:
    warnings: list[str] = []
    return parse_cues(text, form, warnings.append), warnings  # type: ignore[arg-type]


def make_video(path: Path, subtitles: tuple[SubtitleTrack, ...] = ()) -> Path:
    with VideoWriter(path, (32, 32), subtitles=subtitles) as out:
        for k in range(5):
            out.picture(np.full((32, 32, 3), 40 * k, np.uint8), k / 5)
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return make_video(tmp_path / "talk.mp4")


def test_srt_as_it_should_be() -> None:
    assert parsed(SRT) == ([Cue(Span(1, 2.5), "Hello\nworld"), Cue(Span(3, 4), "Bye")], [])


def test_srt_as_people_write_it() -> None:
    text = (
        "\ufeff1\r\n00:00:01.5 --> 0:0:3,25 X1:100\r\n{\\an8}<font color=\"red\">I <3 you</font> &amp; a < b\r\n"
        "\r\nafter an empty line\r\n\r\n2\r\n01:02:03,004 -> 01:02:04,000\r\nyear\r\n1984\r\n"
    )  # fmt: skip
    cues, warnings = parsed(text)
    assert cues == [
        Cue(Span(1.5, 3.25), "I <3 you & a < b\nafter an empty line"),
        Cue(Span(3723.004, 3724.0), "year\n1984"),
    ]
    assert warnings == []


def test_vtt_voices_notes_identifiers_and_karaoke() -> None:
    text = (
        "WEBVTT - title\n\nSTYLE\n::cue { color: red }\n\nNOTE\nnot shown --> at all\n\nintro\n"
        "00:01.000 --> 00:02.000 align:start\n<v.loud Esme Smith>Hi <i>all</i> <v Bob>Hello&nbsp;you\n\n"
        "00:02.000 --> 00:03.000\n<00:00:02.100><c.x>one</c> <00:00:02.500>two <ruby>漢<rt>kan</rt></ruby>\n1999\n\n"
        "next one\n00:03.000 --> 00:04.000\nlast\n"
    )
    cues, warnings = parsed(text, "vtt")
    assert cues == [
        Cue(Span(1, 2), "Hi all", "Esme Smith"),
        Cue(Span(1, 2), "Hello you", "Bob"),
        Cue(Span(2, 3), "one two 漢\n1999"),
        Cue(Span(3, 4), "last"),
    ]
    assert warnings == []


def test_captions_that_roll_up_are_told_once() -> None:
    text = (
        "WEBVTT\nKind: captions\n\n00:00:00.000 --> 00:00:02.000\n \nhello<00:00:01.000><c> world</c>\n\n"
        "00:00:02.000 --> 00:00:02.010\nhello world\n \n\n"
        "00:00:02.010 --> 00:00:04.000\nhello world\nhere<00:00:03.000><c> we</c><00:00:03.500><c> are</c>\n"
    )
    cues, _ = parsed(text, "vtt")
    assert cues == [Cue(Span(0, 2), "hello world"), Cue(Span(2.01, 4), "here we are")]
    song = "WEBVTT\n\n00:01.000 --> 00:02.000\nla la\n\n00:02.000 --> 00:03.000\nla la\n"
    assert len(parsed(song, "vtt")[0]) == 2  # sung twice


def test_ass_actors_drawings_comments_and_bad_lines() -> None:
    text = (
        "[Script Info]\nTitle: x\n\n[V4+ Styles]\nStyle: Default,Arial,not a number\n\n[Events]\nFormat: whatever\n"
        "Dialogue: 0,0:00:01.00,0:00:02.50,Default,Bob,0,0,0,,{\\i1}Hi{\\i0}\\Nthere, you\n"
        "Comment: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,unseen\nDialogue: 0,then,now,Default,,0,0,0,,bad\n"
        "Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\p1}m 0 0 l 3 3{\\p0}\n"
    )
    assert sniff(text, ".srt") == "ass"
    cues, warnings = parsed(text, "ass")
    assert cues == [Cue(Span(1, 2.5), "Hi\nthere, you", "Bob")]
    assert len(warnings) == 1
    assert "1 of 3" in warnings[0]


def test_wrong_times_are_mended_and_said() -> None:
    text = (
        "1\n00:00:05,000 --> 00:00:03,000\none two three\n\n2\n00:00:05,500 --> 00:00:06,000\nnext\n\n"
        "3\n-00:00:02,000 --> 00:00:01,000\nearly\n\n4\n-00:00:02,000 --> -00:00:01,000\ngone\n\n"
        "5\n00:00:09,000 --> 00:00:10,000\n   \n"
    )
    cues, warnings = parsed(text)
    # Three words take 1.1 s to read, but the next cue comes after half a second.
    assert cues == [Cue(Span(0, 1), "early"), Cue(Span(5, 5.5), "one two three"), Cue(Span(5.5, 6), "next")]
    assert len(warnings) == 2
    assert all("\n" not in w for w in warnings)


def test_overlapping_cues_stay_apart() -> None:
    cues, _ = parsed("00:01.000 --> 00:05.000\na\n\n00:02.000 --> 00:03.000\nb\n")
    assert cues == [Cue(Span(1, 5), "a"), Cue(Span(2, 3), "b")]


@settings(deadline=None)
@given(st.text() | st.text(alphabet="0123456789:,.-> \n<>&;{}\\vtWEBVTDialogue[Events]x"))
@example("00:00:00,000 --> 99999:59:59,999999999\n" * 3)
@example("WEBVTT\n\n00:00.000 --> 00:01.000\n<v >\n<v A>\n&#99999999;&#x110000;&#xD800;")
@example("[Events]\nDialogue: 0,0:00:00.00,9:99:99.99,,,,,,,\\N{\\p1")
def test_no_text_breaks_the_parsers(text: str) -> None:
    for form in ("srt", "vtt", "ass", "ssa"):
        cues, warnings = parsed(text, form)
        assert all(c.text and c.span.start >= 0 and c.span.duration > 0 for c in cues)
        assert cues == sorted(cues, key=lambda c: (c.span.start, c.span.end))
        assert all("\n" not in w for w in warnings)


milliseconds = st.integers(0, 359_999_000)
texts = st.text(st.characters(codec="utf-8")).map(lambda t: plain_text(t, "plain")).filter(bool)
names = st.text(st.characters(codec="utf-8")).map(lambda t: " ".join(plain_text(t, "plain").split()))


@settings(deadline=None)
@given(st.lists(st.tuples(milliseconds, st.integers(1, 90_000), texts, names), max_size=6))
@example(
    [
        (0, 1, "1984", ""),
        (0, 2, "a --> b\n<i>x</i> &amp; {\\an8} <3", "<b> & co"),
        (5, 5, "00:01.000 --> 00:02.000", ""),
    ]
)
def test_what_is_written_is_read_again(rows: list[tuple[int, int, str, str]]) -> None:
    cues = [Cue(Span(a / 1000, (a + d) / 1000), text, who) for a, d, text, who in sorted(rows)]
    for form in ("srt", "vtt"):
        written = write_cues(cues, form)  # type: ignore[arg-type]
        assert sniff(written, f".{form}") == form or not cues
        got, warnings = parsed(written, form)
        assert warnings == []
        assert [(round(c.span.start * 1000), round(c.span.end * 1000), c.text) for c in got] == [
            (a, a + d, text) for a, d, text, _ in sorted(rows, key=lambda r: (r[0], r[0] + r[1]))
        ] or len({(a, a + d) for a, d, _, _ in rows}) < len(rows)
        if form == "vtt":
            assert sorted(c.speaker for c in got) == sorted(c.speaker for c in cues)


def test_encodings() -> None:
    text = SRT.replace("Hello", "Größe – naïve café").replace("world", "señor")
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"):
        decoded = decode_text(text.encode(encoding))
        assert decoded is not None
        assert decoded.text.lstrip("\ufeff") == text, encoding
        assert bool(decoded.doubt) == (encoding == "cp1252")
    chinese = SRT.replace("Hello", "今天的天气很好，我们去公园散步吧").replace("world", "没有问题")
    for data, language in ((chinese.encode("gb18030"), ""), (chinese.encode("gb18030"), "zh-Hans")):
        decoded = decode_text(data, language)
        assert decoded is not None
        assert decoded.text == chinese
        assert "gb18030" in decoded.doubt
    assert decode_text(bytes(range(256)) * 40) is None
    broken = ("é" * 200).encode() + b"\xff" + ("ü" * 200).encode()
    decoded = decode_text(broken)
    assert decoded is not None
    assert decoded.encoding == "utf-8"
    assert "1 character" in decoded.doubt


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_break_the_decoder(data: bytes) -> None:
    decoded = decode_text(data)
    assert decoded is None or isinstance(decoded.text, str)


def test_language_codes() -> None:
    pairs = {"eng": "en", "EN_us": "en-US", "chi": "zh", "zh-hans": "zh-Hans", "chs": "zh-Hans", "und": "", "ger": "de",
             "part2": "", "": "", "en-orig": "en", "fil": "fil", "cut": ""}  # fmt: skip
    assert {code: language_tag(code) for code in pairs} == pairs
    assert [three_letters(tag) for tag in ("en-US", "de", "zh-Hans", "fil", "", "qq")] == [
        "eng", "deu", "zho", "fil", "und", "und",
    ]  # fmt: skip
    assert [three_letters(tag, bibliographic=True) for tag in ("en", "de", "zh")] == ["eng", "ger", "chi"]


def test_files_beside(video: Path) -> None:
    for name, text in {
        "talk.srt": SRT, "talk.en.vtt": "WEBVTT\n\n00:01.000 --> 00:02.000\nhi\n", "talk.zh-Hans.SRT": SRT,
        "talk.en.forced.srt": SRT, "talk.part2.srt": SRT, "talker.srt": SRT, "other.srt": SRT, "talk.txt": SRT,
    }.items():  # fmt: skip
        (video.parent / name).write_text(text)
    (video.parent / "talk.info.json").write_text("{}")
    (video.parent / "Subs").mkdir()
    (video.parent / "Subs" / "talk.de.srt").write_text(SRT)
    (video.parent / "talk.fr.srt").symlink_to("talk.fr.srt")  # a loop
    (video.parent / "talk.nl.srt").mkdir()
    names = [str(p.relative_to(video.parent)) for p in side_files(video)]
    assert names == [
        "Subs/talk.de.srt", "talk.en.forced.srt", "talk.en.vtt", "talk.info.json", "talk.srt", "talk.zh-Hans.SRT",
    ]  # fmt: skip
    tracks = read_subtitles(video)
    assert [(t.origin, t.language, t.title, len(t.cues)) for t in tracks] == [
        ("beside:talk.de.srt", "de", "", 2), ("beside:talk.en.forced.srt", "en", "forced", 2),
        ("beside:talk.en.vtt", "en", "", 1), ("beside:talk.srt", "", "", 2),
        ("beside:talk.zh-Hans.SRT", "zh-Hans", "", 2),
    ]  # fmt: skip


def test_a_longer_name_has_the_first_claim(video: Path) -> None:
    make_video(video.parent / "talk.en.mp4")
    (video.parent / "talk.en.srt").write_text(SRT)
    assert side_files(video) == []
    assert [p.name for p in side_files(video.parent / "talk.en.mp4")] == ["talk.en.srt"]


def test_bad_files_beside_are_said_and_the_others_go_on(video: Path) -> None:
    (video.parent / "talk.srt").write_bytes(b"")
    (video.parent / "talk.de.srt").write_bytes(b"no subtitles at all")
    (video.parent / "talk.fr.srt").write_bytes(bytes(range(256)) * 40)
    (video.parent / "talk.en.srt").write_text(SRT)
    warnings: list[str] = []
    assert [t.language for t in read_subtitles(video, warnings.append)] == ["en"]
    assert len(warnings) == 3
    for sentence, name in zip(warnings, ("talk.de.srt", "talk.fr.srt", "talk.srt"), strict=True):
        assert name in sentence
        assert "\n" not in sentence
    with pytest.raises(MediaError, match="no subtitles"):
        read_side_file(video.parent / "talk.de.srt")
    with pytest.raises(MediaError, match="cannot read"):
        read_side_file(video.parent / "nothing.srt")


def test_names_that_are_no_unicode(tmp_path: Path) -> None:
    stem = os.fsdecode(b"t\xff\nlk")
    video = make_video(tmp_path / f"{stem}.mp4")
    (tmp_path / f"{stem}.srt").write_text(SRT)
    (track,) = read_subtitles(video)
    track.origin.encode()  # printable: it is stored


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv", ".webm"])
def test_embedded_tracks(tmp_path: Path, suffix: str) -> None:
    first = SubtitleTrack((Cue(Span(0.2, 0.5), "one & <two>\nline"), Cue(Span(0.6, 0.9), "三", "Bob")), "en")
    second = SubtitleTrack((Cue(Span(0.1, 0.9), "zwei"),), "de")
    path = make_video(tmp_path / f"talk{suffix}", (first, second))
    (path.parent / "talk.srt").write_text(SRT)
    warnings: list[str] = []
    tracks = read_subtitles(path, warnings.append)
    assert [t.origin for t in tracks] == ["embedded:1", "embedded:2", "beside:talk.srt"]
    assert [t.language for t in tracks] == ["en", "de", ""]
    assert [c.text for c in tracks[0].cues] == ["one & <two>\nline", "三"]
    spans = [(round(c.span.start, 3), round(c.span.end, 3)) for c in tracks[0].cues]
    assert spans == [(0.2, 0.5), (0.6, 0.9)]
    assert [c.speaker for c in tracks[0].cues] == (["", "Bob"] if suffix == ".webm" else ["", ""])
    assert warnings == []


def test_transport_streams_count_from_their_first_picture(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    source, path = make_video(tmp_path / "source.mp4"), tmp_path / "talk.ts"
    with av.open(str(source)) as one, av.open(str(path), "w", format="mpegts") as two:
        stream = two.add_stream_from_template(one.streams.video[0], opaque=True)
        for packet in one.demux(video=0):
            if packet.size:
                packet.stream = stream
                two.mux(packet)
    (tmp_path / "talk.srt").write_text(SRT)
    with av.open(str(path)) as container:
        start = container.start_time / av.time_base
    assert start > 0.1
    (track,) = read_subtitles(path)
    assert track.cues[0].span.start == pytest.approx(1 + start)


def test_real_clips(shared_clip: Callable[[str], Path]) -> None:
    nasa = read_subtitles(shared_clip("torchcodec__nasa_13013.mp4"))
    assert [t.origin for t in nasa] == ["embedded:2", "embedded:5"]
    assert [round(c.span.start, 3) for c in nasa[0].cues] == [0.21, 4.26, 8.35, 12.47]
    assert nasa[0].cues[0].text == "NAR: This is the optical and science segment of the Webb"
    for name in ("auto-editor__mov_text.mp4", "auto-editor__webvtt.mkv"):
        (track,) = read_subtitles(shared_clip(name))
        assert [c.text for c in track.cues] == ["oop", "boop"]


def test_what_is_no_video_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "talk.mp4"
    path.write_text("not a video")
    with pytest.raises(MediaError):
        read_subtitles(path)


def test_voices_alone() -> None:
    assert voices("<v A &amp; B>x</v>") == [("A & B", "x")]
    assert voices("no tag") == [("", "no tag")]
    assert voices("<v Nobody></v>") == []
