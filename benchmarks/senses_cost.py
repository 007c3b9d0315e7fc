"""What the analysers of picture and loudness cost beside the decoding that they need anyway. Processor seconds.

The clip is one minute of 720p made of shared clips that move. "decode" reads the pictures; "planes" also scales them
to every size that the analysers ask for, as the feeding does; then each analyser alone, and all together.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

CLIPS = (
    "moviepy__big_buck_bunny_0_30.webm", "mmaction2__demo.mp4", "video-llama__dog_barking.mp4", "video-llama__boat.mp4",
    "moviepy__chaplin.mp4", "mmaction2__test.mp4", "ask-anything__yoga.mp4",
)  # fmt: skip
SECONDS = 60.0
PICTURES = ("shots", "picture_stats", "camera", "quality")
ANALYSERS = (*PICTURES, "loudness")


def clip(media: Path, folder: Path) -> Path:
    """One minute of 1280 x 720, 30 a second, H.264 with AAC stereo at 48 kHz."""
    out = folder / "minute.mp4"
    inputs = [part for name in CLIPS for part in ("-i", str(media / name))]
    scale = "scale=1280:720:force_original_aspect_ratio=increase,crop=1280:720,setsar=1,fps=30,format=yuv420p"
    chains = ";".join(f"[{i}:v]{scale}[v{i}]" for i in range(len(CLIPS)))
    joined = "".join(f"[v{i}]" for i in range(len(CLIPS)))
    graph = f"{chains};{joined}concat=n={len(CLIPS)}:v=1:a=0[v]"
    sound = str(media / CLIPS[0])
    command = [
        "ffmpeg", "-v", "error", "-y", *inputs, "-stream_loop", "2", "-i", sound, "-filter_complex", graph,
        "-map", "[v]", "-map", f"{len(CLIPS)}:a", "-t", str(SECONDS), "-c:v", "libx264", "-preset", "fast",
        "-crf", "22", "-c:a", "aac", "-ar", "48000", "-b:a", "128k", str(out),
    ]  # fmt: skip
    subprocess.run(command, check=True, timeout=600)
    return out


def spent(work: Callable[[], Any], times: int = 2) -> float:
    """Processor seconds of all threads, the least of so many runs."""
    best = float("inf")
    for _ in range(times):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
    return best


def decode(path: Path) -> None:
    from cinescope.media import VideoReader

    with VideoReader(path) as reader:
        for _ in reader.pictures():
            pass


def planes(path: Path, names: Sequence[str]) -> None:
    """Decoding, and the planes at every size the analysers want."""
    from cinescope.analysers import create
    from cinescope.library.feeding import Reel
    from cinescope.media import probe

    video = probe(path)
    reel = Reel(str(path), video)
    reel.frame_needs = tuple(dict.fromkeys(f for f in (create(n).needs.frames for n in names) if f is not None))
    for _ in reel.slices(reel.start):
        pass


def analyse(path: Path, names: Sequence[str]) -> None:
    """As the ingest does it, without the tables."""
    from cinescope.analysers import create
    from cinescope.library.analysis import Assignment, Job
    from cinescope.library.analysis import analyse as run
    from cinescope.media import probe

    jobs = tuple(Job(name, {}, create(name).source.key) for name in names)
    for stretch in run(Assignment(str(path), probe(path), (), jobs)):
        if stretch.failed:
            raise RuntimeError(f"an analyser failed: {stretch.failed}")


def sound_only(path: Path) -> None:
    from cinescope.media import SoundReader

    with SoundReader(path) as reader:
        for start in range(0, int(SECONDS), 20):
            reader.read(float(start), start + 20.0, 48_000, None)
