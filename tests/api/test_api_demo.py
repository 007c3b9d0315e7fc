"""The demo: drawn scenes that move, sounds in range, films that index, and pages that hold no foreign markup."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from cinescope.api import demo, demo_films, demo_places, demo_sounds, page
from cinescope.api.demo_scenes import HEIGHT, WIDTH
from cinescope.types import Evidence, Moment, SearchResult, Span

SCENES = {
    "dusk": demo_places.lighthouse(False, "North"),
    "night": demo_places.lighthouse(True),
    "morning": demo_places.drive("morning", ["COAST"]),
    "evening": demo_places.drive("evening", []),
    "harbour": demo_places.harbour("Old"),
    "card": demo_places.card("Title", "below"),
    "map": demo_places.weather_map("Now", [(100, 200, "sun", "1°"), (200, 200, "rain", "2°")], "STORM", night=True),
    "slide": demo_places.slide("Why", ["a", "b"], "tide"),
    "curve": demo_places.slide("Why", ["a"], "curve", dark=True),
}


@pytest.mark.parametrize("name", SCENES)
def test_a_scene_moves_and_is_the_same_each_time(name: str) -> None:
    scene = SCENES[name]
    first, again, later = scene(1.0), scene(1.0), scene(2.5)
    assert first.shape == (HEIGHT, WIDTH, 3)
    assert first.dtype == np.uint8
    np.testing.assert_array_equal(first, again)
    assert np.abs(first.astype(int) - later.astype(int)).mean() > 0.05
    assert first.std() > 10


def test_music_is_in_range_and_ends_softly() -> None:
    tune = demo_sounds.music(4.0, [[0, 4, 7]], 0.5, seed=1)
    assert tune.shape == (2, 4 * demo_sounds.RATE)
    assert 0.3 < np.abs(tune).max() <= 0.5
    assert np.abs(tune[:, -50:]).max() < 0.02
    np.testing.assert_array_equal(tune, demo_sounds.music(4.0, [[0, 4, 7]], 0.5, seed=1))


def test_music_steps_back_for_speech() -> None:
    rate = demo_sounds.RATE
    tune = np.full((2, 4 * rate), 0.4, np.float32)
    voice = np.zeros(4 * rate, np.float32)
    voice[rate : 2 * rate] = 0.5 * np.sin(np.arange(rate) / 9)
    mixed = demo_sounds.mix(tune, voice, 4.0)
    alone, spoken = mixed[0, 3 * rate : 3 * rate + 9000], mixed[0, round(1.4 * rate) : round(1.6 * rate)]
    assert alone.mean() == pytest.approx(0.4, abs=0.01)
    assert spoken.mean() < 0.15
    assert demo_sounds.mix(None, None, 1.0).shape == (2, rate)


def test_without_a_synthesiser_there_are_times_to_read_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    sentences, sound = demo_sounds.narrate(["One two three four five.", "灯塔就在旁边"], demo_sounds.NARRATOR)
    assert sound is None
    assert sentences[0].end - sentences[0].start == pytest.approx(2.6)
    assert sentences[1].start > sentences[0].end
    assert 1.5 < sentences[1].end - sentences[1].start < 3


def small_film() -> demo_films.Film:
    shots = (
        demo_films.Shot(demo_places.card("Anchor", "", ((20, 20, 60), (90, 40, 90))), 1.5),
        demo_films.Shot(demo_places.harbour("Harbour"), 1.5, ("A small boat.",), "dissolve"),
        demo_films.Shot(demo_places.lighthouse(True), 1.0, begins="fade"),
    )
    return demo_films.Film("small", "Small", date(2020, 1, 2), shots, ((0, 4, 7),), subtitles="srt")


def test_shots_last_as_long_as_what_is_said_and_fades_pass_through_black(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    film = replace(small_film(), voice=demo_sounds.NARRATOR)
    planned = demo_films.plan(film)
    said = planned.sentences[0]
    assert planned.starts[1] < said.start < said.end < planned.starts[2]
    frames = list(demo_films.pictures(planned))
    assert len(frames) == round(planned.seconds * demo_films.FPS)
    fade = round(planned.starts[2] * demo_films.FPS)
    assert frames[fade].max() == 0
    assert frames[fade - 24].mean() > 30


def test_the_whole_demo_on_one_small_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cinescope_cli: object
) -> None:
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(demo_films, "films", lambda: [replace(small_film(), voice=demo_sounds.NARRATOR)])
    monkeypatch.setattr(demo, "QUERIES", {"boat": "said", "harbour": "written", "xylophone": "nothing"})
    folder = tmp_path / "demo"
    told: list[str] = []
    rendered = demo.render_demo(folder, tell=told.append)
    assert told == ["drawing small.mp4"]
    assert len(rendered.left_out) == 2
    rendered.library.index(folder / "videos", only=["shots", "thumbnails", "transcript"])
    found = demo.search_demo(rendered)
    assert found["boat"].moments
    text = demo.write_page(rendered, found).read_text(encoding="utf-8")
    assert 'href="videos/small.mp4#t=' in text
    assert "A small <mark>boat</mark>." in text
    assert "data:image/jpeg;base64," in text
    assert "Left out here: the narrators" in text
    assert "the whole video as one picture" in text
    assert all((folder / link).is_file() for link in re.findall(r'href="(walls/[^"]+)"', text))
    assert "http://" not in text
    assert "https://" not in text
    told.clear()
    demo.render_demo(folder, tell=told.append)
    assert told == []


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    from cinescope.types import LibraryError

    (tmp_path / "letter.txt").touch()
    with pytest.raises(LibraryError, match="holds other things"):
        demo.render_demo(tmp_path)


def test_pages_escape_what_comes_from_files() -> None:
    from cinescope.library.catalog import VideoSummary

    nasty = '<script>alert("x")</script>'
    video = VideoSummary("ab" * 16, nasty, nasty, "/v/a b#?.mp4", "here", 9.0, "", "")
    evidence = Evidence("speech", Span(1, 2), nasty, "x", ((0, 8), (4, 6)))
    card = page.hit(Moment(video.id, Span(1, 2), 1.0, {}, (evidence,)), video, None, page.file_link)
    assert "<script>" not in card
    assert "<mark>&lt;script&gt;</mark>" in card
    assert 'href="file:///v/a%20b%23%3F.mp4#t=1.00"' in card
    empty = page.Section(nasty, nasty, SearchResult((), note=nasty, spellings=(nasty,)))
    assert "<script>" not in page.search_section(empty, {}, None, page.file_link)  # type: ignore[arg-type]
    assert "\ud800" not in page.escape("a\ud800")


def test_a_page_shows_the_senses() -> None:
    from cinescope.api import page_senses
    from cinescope.types import Segment, Source, Timeline, Track, Video

    source = Source("x", "1")

    def track(kind: str, *segments: tuple[float, float, str, dict[str, object]]) -> Track:
        return Track(kind, tuple(Segment(Span(a, b), kind, source, text=t, data=d) for a, b, t, d in segments), source)

    tracks = (
        track("picture", (0, 5, "", {"colours": [{"name": "red", "hex": "#ff0000", "share": 0.5}]})),
        track("camera", (0, 2, "still", {}), (2, 4, "pan left", {})),
        track("sound", (0, 5, "music", {}), (5, 9, "silence", {})),
        track("loudness", (0, 9, "", {"momentary": [-30.0, -6.0, None, -54.0]})),
        track("quality", (0, 1, "black", {"fault": True}), (2, 9, "still", {"fault": False})),
    )
    made: list[tuple[str, str]] = []

    def block(segment: Segment, classes: str, title: str, inner: str) -> str:
        made.append((title, inner))
        return ""

    text = page_senses.strips(Timeline(Video("ab" * 16, 10.0, ()), tracks), 10.0, block)
    assert made == [("pan left", "←"), ("music", "music"), ("black at 0:00", "")]
    assert "left:0.00%;width:50.05%;background:linear-gradient(#ff0000 0% 100%)" in text
    assert text.count("<polygon") == 2
    assert "10.00,0.0 20.00,0.0" in text
    assert page_senses.strips(Timeline(Video("ab" * 16, 10.0, ()), ()), 10.0, block) == ""
