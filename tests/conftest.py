"""Shared by all tests: the real data, a handful of rendered clips, a small indexed library, and a home of their own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

# The same examples every time, so that a change is judged by what it changed. New ones are looked for with
# `pytest --hypothesis-profile explore`, and what they find stays as an example.
settings.register_profile("same", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile("same")

SIZE = (320, 180)
RATE = 16_000


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real data; skips where it is absent."""
    folder = Path(os.environ.get("CINESCOPE_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip("needs the real data: set CINESCOPE_TEST_DATA to its folder")
    return folder.resolve()


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the libraries, models and settings of whoever runs it."""
    home = tmp_path_factory.mktemp("home")
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(home / name.lower()))
    for name in ("CINESCOPE_LIBRARY", "CINESCOPE_MODELS", "CINESCOPE_DEBUG", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")


def write_clip(
    path: Path,
    shots: list[tuple[str, tuple[int, int, int]]],
    seconds_each: float = 2.0,
    title: str = "",
    recorded: str = "",
    rate: int = 10,
) -> Path:
    """A clip of plain shots, each with a line of text in its middle, and a quiet tone."""
    from PIL import Image, ImageDraw, ImageFont

    from cinescope.media.encode import VideoWriter
    from cinescope.types import Waveform

    font = ImageFont.load_default(30)
    metadata = {"creation_time": f"{recorded}T12:00:00Z"} if recorded else None
    with VideoWriter(path, SIZE, rate, sound=(RATE, 1), title=title, metadata=metadata) as out:
        frame = 0
        for text, colour in shots:
            image = Image.new("RGB", SIZE, colour)
            if text:
                ImageDraw.Draw(image).text((SIZE[0] / 2, SIZE[1] / 2), text, fill="white", font=font, anchor="mm")
            picture = np.asarray(image)
            for _ in range(round(seconds_each * rate)):
                out.picture(picture, frame / rate)
                frame += 1
        samples = round(frame / rate * RATE)
        tone = 0.1 * np.sin(2 * np.pi * 220 * np.arange(samples) / RATE)
        out.sound(Waveform(tone[None].astype(np.float32), RATE, 0.0))
    return path


def write_srt(path: Path, cues: list[tuple[float, float, str]]) -> Path:
    from cinescope.media.cues import write_cues
    from cinescope.types import Cue, Span

    text = write_cues([Cue(Span(a, b), t) for a, b, t in cues], "vtt" if path.suffix == ".vtt" else "srt")
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three short videos: two with subtitles beside them, one in a folder of its own without words."""
    folder = tmp_path_factory.mktemp("clips")
    write_clip(
        folder / "garden.mp4", [("Garden Party", (30, 90, 50)), ("", (150, 60, 40))], 3, "In the garden", "2024-05-18"
    )
    write_srt(
        folder / "garden.en.srt",
        [(0.5, 2.5, "Welcome to the garden."), (3.2, 5.5, "The red car is parked outside.")],
    )
    write_clip(folder / "kitchen.mp4", [("Soup Recipe", (40, 50, 120))], 4, recorded="2023-11-02")
    write_srt(folder / "kitchen.vtt", [(0.4, 3.4, "Add salt to the boiling water.")])
    (folder / "old").mkdir()
    write_clip(folder / "old" / "silent.mp4", [("", (90, 90, 90))], 2)
    return folder


@pytest.fixture(scope="session")
def indexed(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of the clips. Shared: to be read only."""
    import cinescope

    place = tmp_path_factory.mktemp("shared-library") / "lib"
    report = cinescope.open(place).index(clips)
    assert not report.problems, report.problems
    return place


@pytest.fixture
def library(indexed: Path, tmp_path: Path) -> Path:
    """A copy of that library, to be written to."""
    place = tmp_path / "lib"
    shutil.copytree(indexed, place)
    return place


@pytest.fixture
def cinescope_cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command line in this process: `status, out, err = cinescope_cli("list", "--json")`."""
    from cinescope.cli.app import run

    def call(*args: object) -> tuple[int, str, str]:
        capsys.readouterr()
        status = run([os.fspath(a) if isinstance(a, os.PathLike) else str(a) for a in args])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of drawn films for questions by example, and a library of their prints in `films / "lib"`.

    `first.mp4` and `second.mp4` have nothing in common, `copy.mp4` is a smaller copy of the first, `part.mp4` is the
    second from 4 s to 9 s with other sound, `plain.mp4` is one colour and an even tone.
    """
    from tests.like_films import film

    import cinescope

    folder = tmp_path_factory.mktemp("films")
    film(folder / "first.mp4", 1, 8.0)
    film(folder / "second.mp4", 2, 10.0)
    film(folder / "copy.mp4", 1, 8.0, size=(120, 80), crf=32)
    film(folder / "part.mp4", 2, 5.0, start=4.0, sound_seed=5)
    write_clip(folder / "plain.mp4", [("", (60, 60, 60))], 3)
    report = cinescope.open(folder / "lib").index(*sorted(folder.glob("*.mp4")), only=["picture_print", "sound_print"])
    assert not report.problems, report.problems
    return folder
