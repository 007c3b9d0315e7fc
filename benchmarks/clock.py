"""Is every picture's time right? Counters burnt into real clips, a late start, variable rates, and what reading costs.

python -m benchmarks.clock [--quick]     needs the shared clips (CINESCOPE_TEST_DATA); ffprobe where it is there

The counters are read back through the command `cinescope frames` and OCR of a part of the picture that is fixed for
the clip; a sample holds only when the text read is exactly the text expected. What the counters follow, with t the
picture's presentation time in seconds:

- smpte-2997: a 29.97 recording that was converted to 25 pictures a second by taking the nearest one, so that
  n = round(30000/1001 t). It shows n, 1001 n / 30 milliseconds, rounded, and the drop-frame timecode of n (SMPTE
  ST 12-1). Where 1001 n / 30 lies exactly between two milliseconds (each 30th n) the recording has now the lower, now
  the upper one, as its maker's floating point fell; there both count.
- auto-editor example: n = round(30 t), as a timecode of 30 pictures a second that begins at 01:00:00:00.
- pyscenedetect counter: n = round(10 t), shown as n + 1, and t itself.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bars import Bars

CLIPS = Path(os.environ.get("CINESCOPE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data")) / "media"


@dataclass(frozen=True)
class Counter:
    """A text burnt into a clip: where it stands (width, height, x, y) and what it may say at a time."""

    name: str
    clip: str
    box: tuple[int, int, int, int]
    says: Callable[[float], tuple[str, ...]]
    step: float  # seconds a picture


def drop_frame(n: int) -> str:
    """The 29.97 drop-frame timecode of picture n: numbers 0 and 1 are left out each minute, but not each tenth."""
    tens, rest = divmod(n, 17_982)
    n += 18 * tens + (2 * ((rest - 2) // 1798) if rest >= 2 else 0)
    seconds, frame = divmod(n, 30)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d};{frame:02d}"


def milliseconds(n: int) -> tuple[str, ...]:
    """Seconds of picture n at 29.97 a second to three decimals; both neighbours where it lies between them."""
    exact = Fraction(1001 * n, 30)
    near = {math.floor(exact), math.ceil(exact)} if exact % 1 == Fraction(1, 2) else {round(exact)}
    return tuple(f"{ms // 1000}.{ms % 1000:03d}" for ms in sorted(near))


def whole(n: int, rate: int) -> str:
    seconds, frame = divmod(n, rate)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{frame:02d}"


def ntsc(t: float) -> int:
    return round(Fraction(t).limit_denominator(1_000_000) * 30_000 / 1001)


COUNTERS = (
    Counter("smpte.number", "moviepy__smpte-2997.mp4", (560, 170, 680, 450), lambda t: (f"{ntsc(t)}.000",), 0.04),
    Counter("smpte.seconds", "moviepy__smpte-2997.mp4", (360, 120, 340, 870),
            lambda t: milliseconds(ntsc(t)), 0.04),
    Counter("smpte.timecode", "moviepy__smpte-2997.mp4", (640, 120, 930, 870), lambda t: (drop_frame(ntsc(t)),), 0.04),
    Counter("example.timecode", "auto-editor__example.mp4", (440, 80, 830, 600),
            lambda t: (whole(round(t * 30) + 108_000, 30),), 1 / 30),
    Counter("counter.number", "pyscenedetect__counter.mp4", (640, 140, 1240, 780),
            lambda t: (f"Frame = {round(t * 10) + 1}",), 0.1),
    Counter("counter.seconds", "pyscenedetect__counter.mp4", (640, 140, 1240, 920),
            lambda t: (f"PTS = {t:.1f}s",), 0.1),
)  # fmt: skip


def command(*args: object) -> dict[str, Any]:
    """`cinescope frames ARGS --json`, as a person runs it."""
    line = [sys.executable, "-m", "cinescope", "frames", *map(str, args), "--json"]
    return json.loads(subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True).stdout)


def reader() -> Callable[[np.ndarray], str]:
    """Text of a picture that holds one line; recognition alone, with the model that rapidocr carries."""
    from rapidocr import RapidOCR

    engine = RapidOCR(params={"Global.log_level": "error"})

    def read(picture: np.ndarray) -> str:
        found = engine(picture, use_det=False, use_cls=False, use_rec=True)
        return found.txts[0] if found.txts else ""

    return read


def burnt(bars: Bars, quick: bool, folder: Path) -> None:
    from cinescope.media import read_picture

    read = reader()
    for counter in COUNTERS:
        clip = CLIPS / counter.clip
        rng = random.Random(counter.name)
        # Every picture in turn, and pictures at times that nobody chose, which are reached by seeking.
        length = {"moviepy__smpte-2997.mp4": 10.04, "auto-editor__example.mp4": 42.4}.get(counter.clip, 3.0)
        times = sorted(round(rng.uniform(0, length - 0.001), 4) for _ in range(8 if quick else 40))
        step = counter.step * 12 if quick else counter.step
        samples = wrong = misplaced = 0
        for number, way in enumerate((["--every", f"{step:.9f}"], [a for t in times for a in ("--at", t)])):
            out = folder / f"{counter.name}-{number}"
            crop = ":".join(map(str, counter.box))
            made = command(clip, *way, "--crop", crop, "--format", "png", "-o", out)
            for taken in made["frames"]:
                text, expected = read(read_picture(out / taken["file"])), counter.says(taken["time"])
                samples += 1
                if text not in expected:
                    wrong += 1
                    print(f"  {counter.name} at {taken['time']:.6f} s: read '{text}', expected {' or '.join(expected)}")
                asked = taken.get("asked", taken["time"])
                # The picture shown at t is the last one that is not later.
                misplaced += not taken["time"] - 1e-5 <= asked < taken["time"] + taken["duration"] + 1e-5
            shutil.rmtree(out)
        print(f"{counter.name}: {samples} samples of {counter.clip}")
        bars.equal(f"clock.{counter.name}.share", (samples - wrong) / max(1, samples), 1.0)
        bars.equal(f"clock.{counter.name}.misplaced", misplaced, 0)


def probed(path: Path, index: int | str = "v:0") -> tuple[list[float], int] | None:
    """Presentation times of a video stream as FFmpeg's own tool tells them, and how many pictures it tells without a
    time (the last one of an AVI with reordered pictures); None without the tool."""
    if shutil.which("ffprobe") is None:
        return None
    show = ["-select_streams", str(index), "-show_entries", "frame=best_effort_timestamp_time", "-of", "json"]
    text = subprocess.run(["ffprobe", "-v", "quiet", *show, str(path)], check=True, stdout=subprocess.PIPE).stdout
    stamps = [f.get("best_effort_timestamp_time") for f in json.loads(text)["frames"]]
    return sorted(float(s) for s in stamps if s is not None), stamps.count(None)


def apart(ours: list[float], told: list[float], untold: int) -> float:
    """Seconds between the two at most; infinite where they do not have as many pictures."""
    if len(ours) != len(told) + untold or not told:
        return float("inf")
    return max(min(abs(t - o) for o in ours) for t in told)


def late(bars: Bars, folder: Path) -> None:
    clip = CLIPS / "pyscenedetect__delayed_start.mp4"
    first = command(clip, "--index", 0, "-o", folder / "late")["frames"][0]["time"]
    bars.equal("clock.delayed.first", first, 1.075)
    every = [p["time"] for p in command(clip, "--every", 0.04, "-o", folder / "late", "--force")["frames"]]
    told = sorted({*every})
    bars.equal("clock.delayed.pictures", len(told), 24)
    bars.at_most("clock.delayed.spread", max(abs(t - (1.075 + 0.04 * k)) for k, t in enumerate(told)), 1e-6)


BITS = 10


def coded(index: int) -> np.ndarray:
    """A picture that says its number: ten blocks, black or white."""
    picture = np.full((48, 32 * BITS, 3), 90, np.uint8)
    for bit in range(BITS):
        picture[8:40, 32 * bit + 4 : 32 * bit + 28] = 255 * (index >> bit & 1)
    return picture


def decoded(picture: np.ndarray) -> int:
    return sum((int(picture[24, 32 * bit + 16].mean()) > 127) << bit for bit in range(BITS))


def variable(bars: Bars, quick: bool, folder: Path) -> None:
    from cinescope.media import VideoReader, VideoWriter

    rng = random.Random(7)
    count = 120 if quick else 600
    steps = [
        Fraction(1001, 30_000),
        Fraction(1, 25),
        Fraction(1, 24),
        Fraction(1, 10),
        Fraction(7, 10),
        Fraction(1, 120),
    ]
    at, times = Fraction(3, 4), []
    for _ in range(count):
        times.append(float(at))
        at += rng.choice(steps)
    for suffix, kept in ((".mp4", 1e-6), (".mkv", 0.000501), (".webm", 0.000501)):
        path = folder / f"variable{suffix}"
        with VideoWriter(path, (32 * BITS, 48)) as out:
            for number, t in enumerate(times):
                out.picture(coded(number), t)
        name = f"clock.variable{suffix}"
        with VideoReader(path) as video:
            seen = [(p.time, decoded(p.array())) for p in video.pictures()]
        bars.equal(f"{name}.pictures", len(seen), count)
        bars.at_most(f"{name}.written", max(abs(t - w) for (t, _), w in zip(seen, times, strict=False)), kept)
        bars.equal(f"{name}.wrong", sum(code != number for number, (_, code) in enumerate(seen)), 0)
        told = probed(path)
        if told is not None:
            bars.at_most(f"{name}.ffprobe", apart([t for t, _ in seen], *told), 1e-6)
        # What the command shows at any time is the last picture that is not later.
        asked = sorted(round(rng.uniform(times[0], times[-1]), 4) for _ in range(10 if quick else 40))
        made = command(
            path, *[a for t in asked for a in ("--at", t)], "--format", "png", "-o", folder / f"v{suffix[1:]}"
        )
        wrong = 0
        for taken in made["frames"]:
            from cinescope.media import read_picture

            code = decoded(read_picture(folder / f"v{suffix[1:]}" / taken["file"]))
            expected = max(n for n, (t, _) in enumerate(seen) if t <= taken["asked"] + 1e-5)
            wrong += code != expected
        bars.equal(f"{name}.shown_wrong", wrong, 0)


def against_ffprobe(bars: Bars, quick: bool) -> None:
    """All shared clips: the times that we give and those that FFmpeg's own tool gives."""
    from cinescope.media import VideoReader
    from cinescope.types import MediaError

    if shutil.which("ffprobe") is None:
        print("ffprobe is not here: the times of the other clips are not compared")
        return
    clips = sorted(p for p in CLIPS.iterdir() if p.suffix in (".mp4", ".mkv", ".webm", ".avi"))
    far = 0
    for path in clips[::4] if quick else clips:
        try:
            with VideoReader(path) as video:
                ours, index = [p.time for p in video.pictures()], video.stream.index
        except MediaError as error:
            print(f"  {path.name}: {error}")
            far += 1
            continue
        told, untold = probed(path, index) or ([], 0)
        gap = apart(ours, told, untold)
        if gap > 1e-6:
            print(f"  {path.name}: {len(ours)} pictures, ffprobe tells {len(told)} + {untold}; {gap:g} s apart")
            far += 1
    print(f"{len(clips[::4] if quick else clips)} clips against ffprobe")
    bars.equal("clock.clips.unlike_ffprobe", far, 0)


def cost(quick: bool) -> None:
    """Pictures a second on the ways of reading, beside a bare decode in the same run. Figures, not claims."""
    import av

    from cinescope.media import VideoReader

    def bare(path: Path) -> Iterator[object]:
        with av.open(str(path)) as container:
            container.streams.video[0].thread_type = "AUTO"
            yield from container.decode(container.streams.video[0])

    def ours(path: Path, work: Callable[[Any], object]) -> Iterator[object]:
        with VideoReader(path) as video:
            for picture in video.pictures():
                yield work(picture)

    ways: dict[str, Callable[[Path], Iterator[object]]] = {
        "bare decode": bare,
        "pictures, not looked at": lambda p: ours(p, lambda picture: None),
        "grey 64 x 36": lambda p: ours(p, lambda picture: picture.array((64, 36), "grey")),
        "yuv 64 x 36": lambda p: ours(p, lambda picture: picture.array((64, 36), "yuv")),
        "grey 320": lambda p: ours(p, lambda picture: picture.array(320, "grey")),
        "rgb 320": lambda p: ours(p, lambda picture: picture.array(320, "rgb")),
        "rgb full": lambda p: ours(p, lambda picture: picture.array(None, "rgb")),
    }
    clips = ["auto-editor__example.mp4", "moviepy__big_buck_bunny_0_30.webm"]
    for clip in clips[:1] if quick else clips:
        best: dict[str, float] = {}
        for _ in range(1 if quick else 3):  # in turn, so that a busy moment hits all alike
            for name, way in ways.items():
                began = time.perf_counter()
                count = sum(1 for _ in way(CLIPS / clip))
                best[name] = max(best.get(name, 0.0), count / (time.perf_counter() - began))
        for name, speed in best.items():
            print(f"COST {clip} {name}: {speed:.0f} pictures/s, {best['bare decode'] / speed:.2f} times bare decode")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer samples, about a minute")
    quick = parser.parse_args().quick
    if not CLIPS.is_dir():
        print(f"the shared clips are not at {CLIPS}; set CINESCOPE_TEST_DATA", file=sys.stderr)
        return 2
    bars = Bars()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        late(bars, folder)
        variable(bars, quick, folder)
        burnt(bars, quick, folder)
    against_ffprobe(bars, quick)
    cost(quick)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
