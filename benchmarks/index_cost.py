"""What indexing with everything on costs: time beside real time, memory, and whether titles are still found.

    python -m benchmarks.index --only cost [--quick]

The mix: 10 minutes of 1280 x 720 at 30 pictures a second, H.264, AAC stereo at 48 kHz. Pictures: seven shared clips
that move (senses_cost.CLIPS), one after the other, again and again. Text: a line of four to six words for 9.5 s of
every 10 s, drawn by seed. Sound: recorded speech and music in turn, 10 s each, so that half of it is speech.
"Everything" is every analyser that runs by default on this machine, and meaning, which needs MiniLM
(`cinescope models get minilm`).

The run does what `cinescope index` does, with counters around the text reader; its time is that of the clock. Memory is
the most that was resident, of the process and of the one in which the recogniser listens, added up. For memory the mix
is also indexed six times in a row as one file of an hour. `--quick`: one minute, and three for memory, which says
little.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import wave
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.bars import Bars
from benchmarks.senses_cost import CLIPS
from benchmarks.titles import ENGLISH, fonts, likeness

SEED = 41
CHANGE = 10.0  # seconds a text stands, and speech or music goes on
BLANK = 0.5  # seconds of it without text
RATE = 48_000
SPEECH = ("speech/jfk.flac", "media/torchcodec__nasa_13013.mp4")
MUSIC = "media/moviepy__big_buck_bunny_0_30.webm"
HOUR_OVER_TEN, MOST_MEMORY = 1.10, 1.5e9


def data_folder() -> Path:
    return Path(os.environ.get("CINESCOPE_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


def lines(count: int) -> list[str]:
    draw = random.Random(SEED)
    return [" ".join(draw.sample(ENGLISH, draw.randint(4, 6))).capitalize() for _ in range(count)]


def layers(texts: list[str], folder: Path) -> Path:
    """Pictures with each line and nothing else, and the list of them for ffmpeg."""
    draw, font = random.Random(SEED + 1), fonts()[0][0]
    Image.new("RGBA", (1280, 720)).save(folder / "blank.png")
    listed = []
    for number, text in enumerate(texts):
        layer = Image.new("RGBA", (1280, 720))
        pen, style = ImageDraw.Draw(layer), ImageFont.truetype(font, draw.randint(34, 56))
        width = pen.textlength(text, font=style)
        place = (draw.uniform(20, max(21, 1260 - width)), draw.choice([40, 560, 620]))
        pen.text(place, text, font=style, fill="white", stroke_width=3, stroke_fill="black")
        layer.save(folder / f"{number}.png")
        listed += [f"file {number}.png", f"duration {CHANGE - BLANK}", "file blank.png", f"duration {BLANK}"]
    path = folder / "layers.txt"
    path.write_text("\n".join([*listed, "file blank.png"]) + "\n")
    return path


def sound(seconds: float, folder: Path) -> Path:
    """Speech and music in turn, mono, 16 bits."""
    from cinescope.media import probe, read_sound

    def whole(name: str) -> np.ndarray:
        path = data_folder() / name
        return np.asarray(read_sound(path, 0.0, probe(path).duration or 0.0, RATE, 1).data[0])

    kinds = [np.concatenate([whole(name) for name in SPEECH]), whole(MUSIC)]
    at = [0, 0]
    parts = []
    for turn in range(round(seconds / CHANGE)):
        source, size = kinds[turn % 2], round(CHANGE * RATE)
        parts.append(np.take(source, np.arange(at[turn % 2], at[turn % 2] + size), mode="wrap"))
        at[turn % 2] += size
    path = folder / "sound.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((np.clip(np.concatenate(parts), -1, 1) * 32767).astype("<i2").tobytes())
    return path


def mix(seconds: float, folder: Path) -> tuple[Path, list[str]]:
    """The file, and the line of each 10 s."""
    texts = lines(round(seconds / CHANGE))
    listed, heard = layers(texts, folder), sound(seconds, folder)
    media = data_folder() / "media"
    scale = "scale=1280:720:force_original_aspect_ratio=increase,crop=1280:720,setsar=1,fps=30,format=yuv420p"
    chains = ";".join(f"[{i}:v]{scale}[v{i}]" for i in range(len(CLIPS)))
    joined = "".join(f"[v{i}]" for i in range(len(CLIPS)))
    once = folder / "once.mp4"
    encode = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "22"]
    inputs = [part for name in CLIPS for part in ("-i", str(media / name))]
    graph = f"{chains};{joined}concat=n={len(CLIPS)}:v=1:a=0[v]"
    start = ["ffmpeg", "-v", "error", "-y"]
    subprocess.run([*start, *inputs, "-filter_complex", graph, "-map", "[v]", *encode, once], check=True)
    out = folder / "mix.mp4"
    overlay = "[1:v]fps=30,format=rgba[t];[0:v][t]overlay=0:0:eof_action=repeat,format=yuv420p[v]"
    command = [
        *start, "-stream_loop", "-1", "-i", str(once), "-f", "concat", "-safe", "0", "-i", str(listed),
        "-i", str(heard), "-filter_complex", overlay, "-map", "[v]", "-map", "2:a", "-t", str(seconds), *encode,
        "-c:a", "aac", "-ac", "2", "-b:a", "128k", str(out),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return out, texts


def repeated(path: Path, times: int) -> Path:
    """The same file so many times in a row, not encoded again."""
    out = path.with_name("long.mp4")
    command = ["ffmpeg", "-v", "error", "-y", "-stream_loop", str(times - 1), "-i", str(path), "-c", "copy", str(out)]
    subprocess.run(command, check=True)
    return out


def work(path: str, place: str) -> None:
    """The child: index, and print what it took as JSON."""
    from cinescope.api import Library
    from cinescope.features.speech import aside
    from cinescope.features.text.ocr import Reader

    calls = {"detect": 0, "recognise": 0}
    for name in calls:
        plain = getattr(Reader, name)

        def counted(*given: object, _name: str = name, _plain: object = plain, **named: object) -> object:
            calls[_name] += 1
            return _plain(*given, **named)  # type: ignore[operator]

        setattr(Reader, name, counted)
    begun, busy = time.perf_counter(), time.process_time()
    report = Library(place).index(path)
    spent, busy = time.perf_counter() - begun, time.process_time() - busy
    if aside._beside.cache_info().currsize:
        aside._beside().close()  # a child is counted once it has ended
    child = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss + child.ru_maxrss) * 1024
    busy += child.ru_utime + child.ru_stime
    problems = [p.what for p in (*report.problems, *report.warnings)]
    print(json.dumps({"seconds": spent, "processor": busy, "peak": peak, "calls": calls, "problems": problems}))


def indexed(path: Path, place: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.index_cost", str(path), str(place)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    said = json.loads(done.stdout.splitlines()[-1])
    for problem in said["problems"]:
        print(f"index: {problem}", flush=True)
    return dict(said)


def run(bars: Bars, quick: bool) -> None:
    from cinescope.api import Library

    seconds, times = (60.0, 3) if quick else (600.0, 6)
    with tempfile.TemporaryDirectory(prefix="cinescope-index-") as name:
        folder = Path(name)
        path, texts = mix(seconds, folder)
        said = indexed(path, folder / "library")
        library = Library(folder / "library")
        timeline = library.timeline(next(iter(library.videos())).id)
        kinds = sorted(t.kind for t in timeline.tracks)
        voice = timeline.track("voice")
        spoken = sum(s.span.duration for s in voice.segments) if voice else 0.0
        screen = timeline.track("screen")
        told = screen.segments if screen else ()
        found = sum(
            any(s.span.start < CHANGE * (i + 1) - BLANK and s.span.end > CHANGE * i and likeness(s.text, text) >= 0.9
                for s in told)
            for i, text in enumerate(texts)
        )  # fmt: skip
        print(f"index: {seconds:.0f} s of 720p in {said['seconds']:.0f} s, {said['processor']:.0f} s of processor")
        print(f"index: tracks {' '.join(kinds)}; text reader {said['calls']}; {spoken:.0f} s of voice; "
              f"{len(told)} lines told of {len(texts)}; load {os.getloadavg()[0]:.1f}", flush=True)  # fmt: skip
        bars.at_least("index.cost.times_faster_than_real_time", seconds / said["seconds"], 3.0)
        bars.at_least("index.cost.title_recall", found / len(texts), 0.95)
        long = indexed(repeated(path, times), folder / "long")
        print(f"index: memory {said['peak'] / 1e6:.0f} MB, of {times} times the length {long['peak'] / 1e6:.0f} MB, "
              f"{long['seconds']:.0f} s", flush=True)  # fmt: skip
        bars.at_most("index.cost.memory_of_long_over_short", long["peak"] / said["peak"], HOUR_OVER_TEN)
        bars.at_most("index.cost.peak_bytes", max(long["peak"], said["peak"]), MOST_MEMORY)


if __name__ == "__main__":
    work(*sys.argv[1:])
