"""`cinescope frames` and `cinescope audio` as a person types them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinescope.api import extract
from cinescope.cli.app import run
from cinescope.media import VideoWriter, read_picture, read_sound
from cinescope.types import Waveform

TIMES = [0.5 + 0.1 * k + (0.35 if k >= 10 else 0.0) for k in range(20)]  # starts late, and a picture that stands long
RATE = 16_000


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 pictures of one grey each, with colour at the left, and sound; a hard cut at the tenth."""
    path = tmp_path_factory.mktemp("film") / "my film.mp4"
    noise = np.random.default_rng(1).integers(0, 60, (120, 160, 3))
    with VideoWriter(path, (160, 120), 10, (RATE, 1), options={"g": "5", "crf": "10"}) as out:
        for k, t in enumerate(TIMES):
            picture = np.full((120, 160, 3), 10 * k, np.uint8)
            if k >= 10:
                picture = (noise + 190 - picture // 2).astype(np.uint8)
            picture[:, :20] = (255, 255, 0)
            out.picture(picture, t, 0.1)
        seconds = np.arange(RATE * 2) / RATE
        out.sound(Waveform((0.4 * np.sin(3000 * seconds))[None].astype(np.float32), RATE, 0.5))
    return path


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    monkeypatch.chdir(tmp_path)

    def call(*args: object) -> tuple[int, str, str]:
        status = run([str(a) for a in args])
        said = capsys.readouterr()
        return status, said.out, said.err

    return call


def taken(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "frames.json").read_text())["frames"]


def test_every(cli: Callable[..., Any], film: Path, tmp_path: Path) -> None:
    status, out, _ = cli("frames", film, "--every", 0.5)
    assert status == 0
    folder = tmp_path / "my film_frames"
    listed = taken(folder)
    # Shown at 0.5, 1.0 ...; at 1.5 the one of 1.4 still stands, until 1.85.
    assert [p["time"] for p in listed] == pytest.approx([0.5, 1.0, 1.4, 1.95, 2.45])
    assert [p["asked"] for p in listed] == pytest.approx([0.5, 1.0, 1.5, 2.0, 2.5])
    assert [p["index"] for p in listed] == [0, 5, 9, 11, 16]
    assert listed[2]["duration"] == pytest.approx(0.45)
    assert listed[0]["key"]
    assert sorted(os.listdir(folder)) == sorted([*(p["file"] for p in listed), "frames.json"])
    assert read_picture(folder / listed[1]["file"])[60, 100].mean() == pytest.approx(50, abs=4)
    assert "5 pictures" in out
    whole = json.loads((folder / "frames.json").read_text())
    assert whole["source"] == {"file": str(film), "stream": 0}
    assert whole["settings"]["choice"] == {"every": 0.5}
    assert whole["complete"]


def test_at_index_keys_and_a_part(cli: Callable[..., Any], film: Path, tmp_path: Path) -> None:
    assert cli("frames", film, "--at", "1.79", "--at", "0:00.6", "--at", "0.61", "-o", "a")[0] == 0
    assert [(p["asked"], p["time"]) for p in taken(tmp_path / "a")] == [
        (0.6, pytest.approx(0.6)), (0.61, pytest.approx(0.6)), (1.79, pytest.approx(1.4)),
    ]  # fmt: skip
    assert len(os.listdir(tmp_path / "a")) == 3
    assert cli("frames", film, "--index", 3, "--index", 19, "-o", "i", "--format", "png")[0] == 0
    assert [(p["index"], p["time"]) for p in taken(tmp_path / "i")] == [
        (3, pytest.approx(0.8)),
        (19, pytest.approx(2.75)),
    ]
    assert cli("frames", film, "--key-frames", "-o", "k")[0] == 0
    assert [p["time"] for p in taken(tmp_path / "k")] == pytest.approx([0.5, 1.0, 1.85, 2.35])
    assert all(p["key"] for p in taken(tmp_path / "k"))
    assert cli("frames", film, "--every", 0.25, "--start", 1.2, "--end", 2, "-o", "e")[0] == 0
    assert [p["asked"] for p in taken(tmp_path / "e")] == pytest.approx([1.25, 1.5, 1.75])
    assert [p["time"] for p in taken(tmp_path / "e")] == pytest.approx([1.2, 1.4, 1.4])


def test_shots(cli: Callable[..., Any], tmp_path: Path) -> None:
    scenes = np.random.default_rng(3).integers(0, 256, (2, 6, 8, 3), np.uint8).repeat(20, 1).repeat(20, 2)
    with VideoWriter(tmp_path / "cut.mp4", (160, 120), 25) as out:
        for k in range(50):
            out.picture(scenes[k // 25], 0.5 + k / 25)
    status, said, _ = cli("frames", "cut.mp4", "--shots", "-o", "s", "--json")
    assert status == 0
    first, second = json.loads(said)["frames"]
    assert (first["shot"]["number"], second["shot"]["number"]) == (1, 2)
    assert first["shot"]["start"] == pytest.approx(0.5)
    assert second["shot"]["start"] == pytest.approx(1.5)
    assert first["time"] < 1.5 <= second["time"]
    assert sorted(os.listdir(tmp_path / "s")) == sorted([first["file"], second["file"], "frames.json"])


def test_looks(cli: Callable[..., Any], film: Path, tmp_path: Path) -> None:
    def one(*args: object) -> np.ndarray:
        assert cli("frames", film, "--at", 1.0, "--format", "png", "-o", "look", *args)[0] == 0
        return read_picture(tmp_path / "look" / "00-00-01.000.png").astype(int)

    plain = one()
    assert plain.shape == (120, 160, 3)
    assert one("--size", 80).shape == (60, 80, 3)
    assert one("--size", "50x70").shape == (70, 50, 3)
    assert one("--size", 4000).shape == (120, 160, 3)  # never enlarged
    assert (one("--crop", "30:20:10:5") == plain[5:25, 10:40]).all()
    assert one("--crop", "30:20:10:5", "--size", "90x60").shape == (60, 90, 3)
    grey = one("--grey")
    assert (grey[..., 0] == grey[..., 1]).all()
    assert grey[60, 10, 0] == pytest.approx(0.9 * 255, abs=20)
    for edges in ("sobel", "canny"):
        lines = one("--edges", edges)[10:-10, :, 0].max(axis=0)
        assert lines[15:25].max() > 20
        assert lines[60:].max() < 20
    assert np.abs(np.diff(one("--blur", 5)[60, :, 0])).max() < np.abs(np.diff(plain[60, :, 0])).max() / 3
    assert one("--equalise").max() > 240
    sizes = []
    for quality in (10, 95):
        assert cli("frames", film, "--at", 2.0, "-o", "q", "--quality", quality)[0] == 0
        sizes.append((tmp_path / "q" / taken(tmp_path / "q")[0]["file"]).stat().st_size)
    assert sizes[0] < sizes[1] / 2


def test_sheet(cli: Callable[..., Any], film: Path, tmp_path: Path) -> None:
    status, out, _ = cli("frames", film, "--sheet")
    assert status == 0
    assert "20 pictures on one sheet" in out
    listed = json.loads((tmp_path / "my film_sheet.json").read_text())["frames"]
    sheet = read_picture(tmp_path / "my film_sheet.jpg")
    for about in listed[:10]:
        number = min(range(20), key=lambda k: abs(TIMES[k] - about["time"]))
        x, y, width, height = about["box"]
        assert (width, height) == (160, 120)
        assert sheet[y + 60, x + 100].mean() == pytest.approx(10 * number, abs=6)
    assert cli("frames", film, "--sheet", "--every", 1, "-o", "x.png", "--size", 60)[0] == 0
    assert len(json.loads((tmp_path / "x.json").read_text())["frames"]) == 3
    assert read_picture(tmp_path / "x.png").shape[0] < 400


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["none.mp4", "--every", "1"], 1, "no file"),
        ([], 2, "which pictures"),
        (["--every", "1", "--key-frames"], 2, "one way"),
        (["--every", "0"], 2, "above 0"),
        (["--every", "soon"], 2, "not a time"),
        (["--at", "99"], 2, "ends at"),
        (["--index", "20"], 2, "20 pictures"),
        (["--index", "-1"], 2, "no picture number"),
        (["--every", "1", "--start", "2", "--end", "1"], 2, "nothing lies"),
        (["--every", "1", "--start", "1.1", "--end", "1.2"], 1, "no picture there"),
        (["--at", "1", "--size", "0"], 2, "no size"),
        (["--at", "1", "--size", "10x"], 2, "no size"),
        (["--at", "1", "--crop", "10:10"], 2, "no crop"),
        (["--at", "1", "--crop", "161:10:0:0"], 2, "leaves the picture"),
        (["--at", "1", "--edges", "laplace"], 2, "edge filter"),
        (["--at", "1", "--blur", "0"], 2, "blur"),
        (["--at", "1", "--format", "bmp"], 2, "format"),
        (["--at", "1", "--quality", "101"], 2, "quality"),
        (["--at", "1", "--stream", "1"], 1, "stream 1"),
        (["--shots", "--stream", "0"], 2, "--stream"),
        (["--sheet", "-o", "s.bmp"], 2, "contact sheet"),
        (["--at", "1", "-o", "/dev/null"], 2, "not a folder"),
    ],
)
def test_bad_input_of_frames(
    cli: Callable[..., Any], film: Path, tmp_path: Path, args: list[str], status: int, words: str
) -> None:
    video = [] if args and args[0].endswith(".mp4") else [film]
    got, _, err = cli("frames", *video, *args)
    assert got == status
    assert words in err
    assert err.count("\n") <= 2
    assert "Traceback" not in err
    assert os.listdir(tmp_path) == []


def test_other_pictures_are_not_mixed(cli: Callable[..., Any], film: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(film.read_bytes())
    assert cli("frames", film, "--at", 1, "-o", "f")[0] == 0
    assert cli("frames", film, "--at", 2, "-o", "f")[0] == 0
    status, _, err = cli("frames", other, "--at", 1, "-o", "f")
    assert status == 2
    assert "already holds" in err
    assert cli("frames", other, "--at", 1, "-o", "f", "--force")[0] == 0
    (tmp_path / "sound.wav").write_bytes(b"")
    assert cli("frames", tmp_path / "sound.wav", "--at", 1)[0] == 1


def test_what_is_stopped_leaves_whole_files(film: Path, tmp_path: Path) -> None:
    def stop(done: float, total: float | None) -> None:
        if done > 1.0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract.frames(film, tmp_path / "f", extract.Choice(every=0.1), tell=stop)
    whole = json.loads((tmp_path / "f" / "frames.json").read_text())
    assert not whole["complete"]
    assert len(whole["frames"]) == 6
    assert sorted(os.listdir(tmp_path / "f")) == sorted([*(p["file"] for p in whole["frames"]), "frames.json"])


@pytest.mark.slow
def test_ctrl_c(film: Path, tmp_path: Path) -> None:
    line = [
        sys.executable,
        "-m",
        "cinescope",
        "frames",
        str(film),
        "--every",
        "0.0005",
        "--size",
        "1600x1200",
        "-o",
        "f",
    ]
    process = subprocess.Popen(line, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not list(tmp_path.glob("f/*.jpg")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode in (130, 0)
    assert "Traceback" not in err
    assert not [name for name in os.listdir(tmp_path / "f") if "part" in name]
    for path in tmp_path.glob("f/*.jpg"):
        read_picture(path)


def test_audio(cli: Callable[..., Any], film: Path, tmp_path: Path) -> None:
    status, out, _ = cli("audio", film)
    assert status == 0
    about = json.loads((tmp_path / "my film.wav.json").read_text())
    assert about["source"] == {"file": str(film), "stream": 1}
    assert (about["start"], about["sample_rate"], about["channels"]) == (0.0, 16_000, 1)
    assert about["samples"] == round(about["end"] * 16_000)
    assert about["end"] == pytest.approx(2.5, abs=0.1)
    wav, film_sound = read_sound(tmp_path / "my film.wav", 0, 2.4), read_sound(film, 0, 2.4)
    assert np.abs(wav.data - film_sound.data).max() <= 0.51 / 32768
    assert np.abs(wav.data[0, :7000]).max() < 0.01  # it begins at half a second
    assert (
        cli("audio", film, "-o", "x.flac", "--start", "0:00.7", "--end", "1.2", "--rate", 8000, "--channels", 2)[0] == 0
    )
    about = json.loads((tmp_path / "x.flac.json").read_text())
    assert (about["start"], about["end"], about["samples"], about["channels"]) == (0.7, 1.2, 4000, 2)
    part = read_sound(tmp_path / "x.flac", 0, 0.5, 8000, 2)
    assert np.abs(part.data - read_sound(film, 0.7, 1.2, 8000, 2).data).max() <= 0.51 / 32768
    status, out, _ = cli("audio", film, "-o", "r.wav", "--rate", 0, "--channels", 0, "--json")
    assert json.loads(out)["path"] == "r.wav"
    assert cli("audio", film, "--format", "flac")[0] == 0
    assert (tmp_path / "my film.flac").exists()


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["none.mp4"], 1, "no file"),
        (["-o", "x.mp3"], 2, "no sound format"),
        (["-o", "none/x.wav"], 1, "no folder"),
        (["--format", "mp3"], 2, "no sound format"),
        (["-o", "x.wav", "--format", "flac"], 2, "leave out --format"),
        (["--start", "50"], 2, "ends at"),
        (["--start", "50", "--end", "60"], 2, "no sound at"),
        (["--start", "2", "--end", "1"], 2, "nothing lies"),
        (["--start", "x"], 2, "not a time"),
        (["--channels", "9"], 2, "channels"),
        (["--rate", "-5"], 2, "rate"),
        (["--rate", "99999999"], 2, "samples a second"),
        (["--stream", "0"], 1, "stream 0"),
    ],
)
def test_bad_input_of_audio(
    cli: Callable[..., Any], film: Path, tmp_path: Path, args: list[str], status: int, words: str
) -> None:
    video = [] if args and args[0].endswith(".mp4") else [film]
    got, _, err = cli("audio", *video, *args)
    assert got == status
    assert words in err
    assert err.count("\n") <= 2
    assert os.listdir(tmp_path) == []


def test_sound_files_are_not_written_over(cli: Callable[..., Any], film: Path, tmp_path: Path) -> None:
    assert cli("audio", film, "-o", "a.wav")[0] == 0
    status, _, err = cli("audio", film, "-o", "a.wav")
    assert status == 2
    assert "there already" in err
    assert cli("audio", film, "-o", "a.wav", "--force", "--quiet")[:2] == (0, "")
    status, _, err = cli("audio", "a.wav", "-o", "a.wav", "--force")
    assert status == 2
    assert "overwrite" in err


def test_help_shows_examples(cli: Callable[..., Any]) -> None:
    for command in ("frames", "audio"):
        status, out, _ = cli(command, "--help")
        assert status == 0
        assert f"cinescope {command} talk.mp4" in out
