"""The picture of a whole video: as wide as asked, all that is known in its place, and never a crash for odd videos."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

import cinescope
from cinescope.api import wall, wall_text, wall_words
from cinescope.api.wall_rows import FAULT, NOTE, SCREEN, SPEECH, Canvas
from cinescope.library.catalog import VideoSummary
from cinescope.types import BadQueryError, Note, Segment, Source, Span, Stream, Timeline, Track, Video

SOURCE = Source("x", "1")


def seg(start: float, end: float, kind: str, text: str = "", **data: object) -> Segment:
    return Segment(Span(start, end), kind, SOURCE, text=text, data=data)


def timeline(length: float, *segments: Segment, notes: tuple[Note, ...] = ()) -> Timeline:
    kinds = sorted({s.kind for s in segments})
    tracks = tuple(Track(k, tuple(s for s in segments if s.kind == k), SOURCE) for k in kinds)
    streams = (Stream(0, "video", "h264", width=320, height=180, frame_rate=25.0),)
    return Timeline(Video("ab" * 16, length or None, streams), tracks, notes)


def summary(title: str = "A film", length: float | None = 10.0) -> VideoSummary:
    return VideoSummary("ab" * 16, title, "film.mp4", "/nowhere/film.mp4", "gone", length, "", "")


def pictures(count: int) -> list[wall.Shown]:
    return [wall.Shown(k / count, np.full((180, 320, 3), (0, 200, 0), np.uint8)) for k in range(count)]


def columns_of(array: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.flatnonzero((array == colour).all(axis=2).any(axis=0))


@pytest.mark.parametrize("width", [800, 1600])
def test_what_happens_stands_under_its_time(width: int) -> None:
    line = timeline(
        10.0,
        seg(0, 10, "shot"),
        seg(5, 7.5, "quality", "black", fault=True),
        seg(0, 2, "quality", "still", fault=False),
        seg(2.5, 5, "speech", "a few words"),
        seg(5, 10, "screen", "A TITLE"),
        notes=(Note("n", "v", "note", "look", Span(5, 6)),),
    )
    array, missing = wall.draw(summary(), line, pictures(8), [], width)
    assert array.shape[1] == width
    assert missing == set()
    s = width / 1600
    left, right = (40 + 108) * s, width - 40 * s
    for colour, start in ((FAULT, 0.5), (SPEECH, 0.25), (SCREEN, 0.5)):
        found = columns_of(array[: -round(90 * s)], colour)  # without the lines below the rows
        first = found[found > left - 2][0]
        assert first == pytest.approx(left + start * (right - left), abs=2), colour
    assert columns_of(array[: -round(90 * s)], FAULT).max() <= left + 0.75 * (right - left)
    assert len(columns_of(array, NOTE))
    assert (array == (0, 200, 0)).all(axis=2).any()


def test_a_row_is_there_only_for_what_is_known() -> None:
    little = wall.draw(summary(), timeline(10.0, seg(0, 10, "shot")), [], [], 800)[0]
    colours = [{"name": "red", "hex": "#ee1111", "share": 1.0}]
    more = wall.draw(summary(), timeline(10.0, seg(0, 10, "shot"), seg(0, 5, "picture", colours=colours)), [], [], 800)
    assert more[0].shape[0] > little.shape[0]
    red = columns_of(more[0], (0xEE, 0x11, 0x11))
    assert red.max() - red.min() == pytest.approx((800 - 20 - 74) / 2, abs=3)


@pytest.mark.parametrize(
    ("length", "segments"),
    [
        (0.0, []),
        (1.0, [seg(0, 1, "shot"), seg(0, 1, "loudness", momentary=[-20.0])]),
        (0.04, [seg(0, 0.04, "shot"), seg(0.0, 0.04, "camera", "zoom in")]),
        (5.0, [seg(0, 60, "speech", "longer than the video " * 30)]),
        (10800.0, [seg(t, t + 5, "speech", "some words " * 9) for t in range(0, 10800, 6)]),
        (10800.0, [seg(t, t + 9, "shot") for t in range(0, 10800, 9)]),
        (9.0, [seg(0, 9, "loudness", momentary=[None] * 9, loudness=None), seg(1, 1, "face")]),
    ],
    ids=["nothing", "a second", "a picture", "too long", "3 h of words", "3 h of shots", "silent"],
)
def test_odd_videos_are_drawn(length: float, segments: list[Segment]) -> None:
    for title in ("", "港口", "x" * 400, "a\nb\x1b[1m\udcff"):
        array, _ = wall.draw(summary(title, length or None), timeline(length, *segments), [], [], 800)
        assert 60 < array.shape[0] < 1300


def canvas() -> Canvas:
    sheet = Image.new("RGB", (1600, 100))
    pen = ImageDraw.Draw(sheet)
    return Canvas(sheet, pen, wall_text.Letters(pen), Span(0, 1000), 100, 1500, 1.0)


def test_words_never_touch_and_a_long_video_is_told_to_its_end() -> None:
    c = canvas()
    texts = [(c.x(t), f"at {t} something rather long was said here") for t in range(0, 1000, 4)]
    placed = wall_words.place(c, texts, 6)
    assert 20 < len(placed) < len(texts)
    assert placed[-1].x > 1300
    for lane in range(6):
        of_lane = [p for p in placed if p.lane == lane]
        ends = [p.x + 8 + c.letters.length(p.text, wall_words.SIZE) for p in of_lane]
        assert all(end <= following.x for end, following in zip(ends, of_lane[1:], strict=False))
        assert all(end <= 1500 for end in ends)


def test_text_is_cut_to_its_room_behind_a_word() -> None:
    letters = canvas().letters
    cut = letters.fit("one two three four five", 13, 90)
    assert cut.endswith("…")
    assert cut.removesuffix("…") in ("one two three", "one two")
    assert letters.length(cut, 13) <= 90
    assert letters.fit("short", 13, 90) == "short"
    lines = letters.wrap("one two three four five six seven eight", 13, 90, 3)
    assert len(lines) == 3
    assert " ".join(lines).startswith("one two three four")
    assert all(letters.length(line, 13) <= 95 for line in lines)


def test_letters_without_a_font_are_named_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wall_text, "_OTHERS", ())
    wall_text._number.cache_clear()
    try:
        letters = canvas().letters
        letters.write(0, 0, "a 灯塔 b", 20, (255, 255, 255))
        assert letters.missing == {"灯", "塔"}
    finally:
        wall_text._number.cache_clear()


def test_the_picture_of_a_library(library: Path, tmp_path: Path, cinescope_cli: Callable[..., object]) -> None:
    lib = cinescope.open(library)
    lib.note("garden@0:02", "look here")
    made = lib.wall("garden", tmp_path / "garden.png", 1000)
    with Image.open(made.path) as image:
        assert image.size == (1000, made.height)
        # The clip's second half is brown, its first green: both are in the film strip.
        shown = np.asarray(image).astype(int)
        for colour in ((30, 90, 50), (150, 60, 40)):
            assert (np.abs(shown - colour).max(axis=2) < 8).sum() > 2000
    assert made.remarks == ()
    status, out, _ = cinescope_cli("show", "silent", "--png", tmp_path / "s.jpg", "--library", library)  # type: ignore[misc]
    assert status == 0
    assert "s.jpg: 1600 x" in out
    for wrong in (("--png", "a.gif"), ("--png", "a.png", "--width", "3"), ("--png", "a.png", "--from", "0:01")):
        assert cinescope_cli("show", "silent", *wrong, "--library", library)[0] == 2  # type: ignore[index]
    with pytest.raises(BadQueryError, match="wide"):
        lib.wall("garden", tmp_path / "x.png", 90_000)
    assert not (tmp_path / "x.png").exists()


def test_a_file_that_is_away_is_drawn_from_what_is_kept(clips: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "videos"
    shutil.copytree(clips, folder)
    lib = cinescope.open(tmp_path / "lib")
    lib.index(folder / "kitchen.mp4", only=["shots", "thumbnails"])
    (folder / "kitchen.mp4").unlink()
    made = lib.wall("kitchen", tmp_path / "k.png", 800)
    assert made.remarks == ("the file is away, so only stored key frames are shown",)
