"""Questions by example: the same is found however it was changed, what is alike comes after, and nothing is nothing."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from tests.like_films import RATE, film, picture, sound, wav

import cinescope
from cinescope.library import query_prints
from cinescope.types import BadQueryError, LibraryError, MediaError


def ask(films: Path, example: Path | str, query: str = "", **filters: str) -> list[tuple[str, object]]:
    """(file name, match) of every moment."""
    lib = cinescope.open(films / "lib")
    names = {v.id: v.name for v in lib.videos()}
    found = lib.like(example, query, **filters)
    return [(names[m.video_id], s) for m, s in zip(found.result.moments, found.same, strict=True)]


def same(films: Path, example: Path | str, query: str = "", **filters: str) -> dict[str, object]:
    return {name: match for name, match in ask(films, example, query, **filters) if match is not None}


CHANGES = {
    "smaller and coarser": {"size": (120, 80), "crf": 36},
    "mirrored": {"mirrored": True},
    "cropped": {"cut": 0.15},
    "faster": {"speed": 1.08, "silent": True},
    "other sound": {"sound_seed": 9},
    "later": {"start": 3.37, "seconds": 4.0},
    "all": {"mirrored": True, "cut": 0.12, "speed": 1.05, "size": (160, 106), "sound_seed": 8},
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_where_it_comes_from(films: Path, tmp_path: Path, change: str) -> None:
    how = CHANGES[change]
    example = film(tmp_path / "example.mp4", 1, **{"seconds": 5.0, **how})  # type: ignore[arg-type]
    found = same(films, example)
    # Of a copy of a copy, both changed, it may be that only the original is known.
    assert "first.mp4" in set(found) <= {"first.mp4", "copy.mp4"}
    match = found["first.mp4"]
    middle = match.here.middle
    true = how.get("start", 0.0) + how.get("speed", 1.0) * middle
    there = match.there.start + match.speed * (middle - match.here.start)
    assert there == pytest.approx(true, abs=0.6)
    assert match.mirrored == bool(how.get("mirrored"))
    assert match.cropped == ("here" if "cut" in how else "")
    assert "picture" in match.kinds
    assert ("sound" in match.kinds) == ("sound_seed" not in how and not how.get("silent"))
    assert match.other_sound == ("sound_seed" in how)
    assert match.here.duration > 0.6 * how.get("seconds", 5.0)


def test_a_picture_is_found_at_its_second_also_cut_and_mirrored(films: Path, tmp_path: Path) -> None:
    whole = picture(2, 5.0)
    file = tmp_path / "still.png"
    for shown in (whole, whole[:, ::-1], whole[16:112, 24:168]):
        cv2.imwrite(str(file), cv2.cvtColor(np.ascontiguousarray(shown), cv2.COLOR_RGB2BGR))
        found = same(films, file)
        assert set(found) == {"second.mp4", "part.mp4"}
        assert found["second.mp4"].there.start == pytest.approx(5.0, abs=0.75)
        assert found["part.mp4"].there.start == pytest.approx(1.0, abs=0.75)


@pytest.mark.parametrize("rate", [RATE, 8000])
def test_a_sound_in_noise_is_found_at_its_place(films: Path, tmp_path: Path, rate: int) -> None:
    samples = sound(1, 8.0)[2 * RATE : 7 * RATE]
    samples = samples + np.random.default_rng(0).normal(0, 0.01, len(samples)).astype(np.float32)
    found = same(films, wav(tmp_path / "heard.wav", samples[:: RATE // rate], rate))
    assert set(found) == {"first.mp4", "copy.mp4"}
    assert found["first.mp4"].kinds == ("sound",)
    assert found["first.mp4"].offset == pytest.approx(2.0, abs=0.1)


def test_what_is_not_there_gives_no_same_moment(films: Path, tmp_path: Path) -> None:
    example = film(tmp_path / "other.mp4", 77, 6.0)
    lib = cinescope.open(films / "lib")
    found = lib.like(example)
    assert not any(found.same)
    assert found.result.absent
    assert "not here" in found.result.note or "nothing like it" in found.result.note


def test_a_video_of_the_library_finds_its_copy_and_not_itself(films: Path) -> None:
    assert set(same(films, films / "first.mp4")) == {"copy.mp4"}
    assert "left out" in cinescope.open(films / "lib").like(films / "first.mp4").result.note


def test_a_moment_of_the_library_is_an_example(films: Path) -> None:
    found = same(films, "second.mp4@5-8")
    assert set(found) == {"part.mp4"}
    assert found["part.mp4"].there.start == pytest.approx(1.0, abs=0.75)


def test_filters_narrow_it(films: Path) -> None:
    assert set(same(films, "first.mp4", "video:second")) == set()
    assert set(same(films, "second.mp4", "in:sound")) == set()
    assert set(same(films, "second.mp4", kinds="picture")) == {"part.mp4"}
    assert set(same(films, "second.mp4@4-9", before="0:00.5")) == {"part.mp4"}
    assert set(same(films, "second.mp4@4-9", after="4:00")) == set()


def test_evidence_says_what_was_compared(films: Path, tmp_path: Path) -> None:
    example = film(tmp_path / "example.mp4", 1, 4.0, mirrored=True, cut=0.15)
    moment = cinescope.open(films / "lib").like(example).result.moments[0]
    assert {e.kind for e in moment.evidence} == {"picture", "sound"}
    assert moment.evidence[0].text.startswith("same: 0.0-")
    assert "of example.mp4, mirrored, cropped" in moment.evidence[0].text
    assert moment.score > 0.9
    assert sum(moment.by_modality.values()) == pytest.approx(moment.score)


# --- what cannot be asked


def test_words_beside_an_example_mean_nothing(films: Path) -> None:
    with pytest.raises(BadQueryError, match="together"):
        ask(films, films / "first.mp4", "sea")
    with pytest.raises(BadQueryError, match="in:speech"):
        ask(films, films / "first.mp4", "in:speech")
    with pytest.raises(BadQueryError, match="no filter"):
        ask(films, films / "first.mp4", nonsense="x")


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda p: cv2.imwrite(str(p), np.zeros((90, 160, 3), np.uint8)), "too plain"),
        (lambda p: p.write_bytes(b""), "empty"),
        (lambda p: p.write_text("no picture"), "no picture of it can be decoded"),
        (lambda p: p.write_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 100), "damaged|not a media file|no picture"),
    ],
)
def test_what_is_no_picture_is_one_sentence(films: Path, tmp_path: Path, write: object, said: str) -> None:
    file = tmp_path / "asked.png"
    write(file)  # type: ignore[operator]
    with pytest.raises((BadQueryError, MediaError), match=said):
        ask(films, file)


def test_a_picture_of_a_hundred_megapixels_is_refused_before_it_is_decoded(films: Path, tmp_path: Path) -> None:
    from PIL import Image

    file = tmp_path / "huge.png"
    Image.new("1", (12_500, 8_200)).save(file)
    with pytest.raises(MediaError, match=r"pixels|too large"):
        ask(films, file)


@pytest.mark.parametrize(
    ("samples", "said"),
    [(sound(1, 1.0)[:160], "too short"), (np.zeros(4 * RATE), "no sound that could be compared")],
)
def test_a_sound_of_10_ms_and_a_silent_one_are_refused(
    films: Path, tmp_path: Path, samples: np.ndarray, said: str
) -> None:
    with pytest.raises(BadQueryError, match=said):
        ask(films, wav(tmp_path / "heard.wav", samples))


def test_a_plain_film_without_sound_is_refused(films: Path) -> None:
    with pytest.raises(BadQueryError, match="could be compared"):
        ask(films, films / "plain.mp4")
    with pytest.raises(BadQueryError, match="nothing can be compared"):
        ask(films, "plain.mp4@0-2")


def test_a_file_that_is_not_there_is_said(films: Path) -> None:
    with pytest.raises(MediaError, match=r"no file 'nowhere\.jpg'"):
        ask(films, "nowhere.jpg")


def test_a_library_without_prints_says_to_index_again(films: Path, tmp_path: Path) -> None:
    lib = cinescope.open(tmp_path / "bare")
    lib.index(films / "second.mp4", only=["loudness"])
    with pytest.raises(LibraryError, match="index"):
        lib.like(films / "first.mp4")
    with pytest.raises(LibraryError, match="index"):
        lib.duplicates()
    lib.index(films / "plain.mp4", only=["picture_print", "sound_print"])
    result = lib.like(films / "copy.mp4").result
    assert not result.moments
    assert "nothing like it here" in result.note
    assert any("without prints" in what for what in result.not_looked_at)


def test_the_prints_of_an_example_are_those_of_the_library(films: Path) -> None:
    """The same file asked about and indexed gives the same codes where both looked at the same moment."""
    from cinescope.library import prints

    lib = cinescope.open(films / "lib")
    asked = query_prints.of_file(films / "first.mp4").pictures
    stored = prints.read_pictures(lib.store, [lib.video("first.mp4").id])
    shared = [(i, int(np.argmin(np.abs(asked.times - t)))) for i, t in enumerate(stored.times)]
    shared = [(i, j) for i, j in shared if abs(asked.times[j] - stored.times[i]) < 1e-3]
    assert len(shared) >= 10
    assert all((stored.codes[i] == asked.codes[j]).all() for i, j in shared)
