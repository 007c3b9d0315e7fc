"""Files that are broken in known places, and which of their pictures that hurts. Knows nothing of the analyser.

Moving stretches of shared clips are encoded as people encode them; then the bytes of three packets are overwritten in
the file: with rubbish or zeros from somewhere on, or whole. What is hurt is what differs from the intact file, both
decoded by FFmpeg with one thread. Everything is a function of the seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.senses_quality import RATE, SIZE, moving

FORMS: dict[str, tuple[str, str, dict[str, str]]] = {  # encoder, file's suffix, options
    "h264": ("libx264", "mp4", {"crf": "23", "preset": "veryfast", "g": "50"}),
    "mpeg4": ("mpeg4", "mp4", {"g": "50", "bf": "2"}),
    "av1": ("libsvtav1", "mkv", {"crf": "40", "preset": "11", "g": "50"}),
    # Known to fall short: printed, not claimed.
    "mpeg4-avi": ("mpeg4", "avi", {"g": "50", "bf": "2"}),
    "mpeg2": ("mpeg2video", "mkv", {"g": "25", "bf": "2"}),
    "vp9": ("libvpx-vp9", "webm", {"crf": "33", "b": "0", "deadline": "realtime", "cpu-used": "8", "g": "50"}),
}
CLAIMED = ("h264", "mpeg4", "av1")
VISIBLE = 0.5  # mean difference of luma, of 255: a corner that is grey, a smear
LEAST_BYTES = 64  # of a packet that is broken
_HOW = ("rubbish", "zeros", "whole")


@dataclass(frozen=True, slots=True)
class Picture:
    time: float  # seconds
    other: bool  # not what it is in the intact file, or missing
    visible: bool  # so that people see it


def video(seed: int, form: str, media: Path, folder: Path) -> tuple[Path, list[Picture]]:
    """Writes a broken file; its pictures, those that are lost included."""
    rng = np.random.default_rng([17, seed])
    pictures: list[np.ndarray] = []
    while len(pictures) < 250:
        pictures += moving(rng, media)
    encoder, suffix, options = FORMS[form]
    intact, broken = folder / f"{form}.{suffix}", folder / f"{form}-broken.{suffix}"
    _encode(pictures, encoder, options, intact)
    broken.write_bytes(_break(intact, rng))
    before, after = _decode(intact), _decode(broken)
    told, shown = [], np.full((SIZE[1], SIZE[0]), 128.0)
    for time, luma in before.items():
        shown = after.get(time, shown)  # what is lost leaves the one before standing
        away = float(np.abs(shown - luma).mean())
        told.append(Picture(time, time not in after or away > 0, away >= VISIBLE))
    return broken, told


def _encode(pictures: list[np.ndarray], encoder: str, options: dict[str, str], path: Path) -> None:
    import av

    with av.open(str(path), "w") as out:
        stream = out.add_stream(encoder, rate=RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        if encoder.startswith("mpeg"):
            stream.bit_rate = 1_500_000
        for picture in pictures:
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")):
                out.mux(packet)
        for packet in stream.encode():
            out.mux(packet)


def _break(path: Path, rng: np.random.Generator) -> bytes:
    import av

    intact = path.read_bytes()
    with av.open(str(path)) as container:
        packets = [bytes(p) for p in container.demux(video=0) if p.size]
    large = [n for n in range(10, len(packets) - 10) if len(packets[n]) >= LEAST_BYTES]
    data = bytearray(intact)
    for number in rng.choice(large, 3, replace=False):
        packet, how = packets[number], _HOW[rng.integers(len(_HOW))]
        first = 0 if how == "whole" else int(rng.integers(max(1, len(packet) * 3 // 4)))
        size = len(packet) if how == "whole" else min(int(rng.integers(16, 4096)), len(packet) - first)
        at = intact.index(packet) + first
        rubbish = rng.integers(0, 256, size, dtype=np.uint8).tobytes()
        data[at : at + size] = bytes(size) if how == "zeros" else rubbish
    return bytes(data)


def _decode(path: Path) -> dict[float, np.ndarray]:
    """Time -> (H, W) luma."""
    import av

    shown: dict[float, np.ndarray] = {}
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type, stream.thread_count = "NONE", 1
        for packet in container.demux(stream):
            try:
                frames = stream.codec_context.decode(packet if packet.size else None)
            except (av.error.FFmpegError, ValueError):
                continue
            for frame in frames:
                shown[round(float(frame.pts * stream.time_base), 4)] = frame.to_ndarray(format="gray").astype(float)
    return dict(sorted(shown.items()))
