"""Copies of clips, changed as copies are: rendered by ffmpeg with a seed. Knows ffmpeg, not what finds the copies.

Each kind gives a copy and says where its moments lie in the original: time there = speed * time here + offset.
"""

from __future__ import annotations

import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

PICTURE_KINDS = ("encoded", "resized", "cropped", "mirrored", "retimed", "other_sound", "trimmed", "all_at_once")
SOUND_KINDS = ("sound_encoded", "sound_noisy", "sound_narrow", "sound_trimmed")
LONGEST = 12.0  # seconds of a copy


@dataclass(frozen=True, slots=True)
class Copy:
    path: Path
    kind: str
    speed: float
    offset: float  # seconds
    said: str  # what was done, for a person


def render(clip: Path, length: float, kind: str, seed: int, folder: Path, other: Path | None) -> Copy:
    """One copy of a clip of `length` seconds. `other`: a file whose sound is put in its place."""
    rng = random.Random(f"{seed}/{clip.name}/{kind}")
    out = folder / f"{seed}-{clip.name}-{kind}"
    if kind in SOUND_KINDS:
        return _sound(clip, length, kind, rng, out)
    return _film(clip, length, kind, rng, out, other)


def _film(clip: Path, length: float, kind: str, rng: random.Random, out: Path, other: Path | None) -> Copy:
    start, seconds, speed, filters, said = 0.0, min(length, LONGEST), 1.0, [], []
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "23"]
    every = kind == "all_at_once"
    if kind == "trimmed":
        seconds = min(LONGEST, length * rng.uniform(0.5, 0.75))
        start = rng.uniform(0.05, 0.95) * (length - seconds)
        said.append(f"{start:.2f}+{seconds:.2f}")
    if kind in ("cropped",) or every:
        left, right, top, bottom = (rng.uniform(0.1, 0.2) for _ in range(4))
        filters.append(f"crop=iw*{1 - left - right:.4f}:ih*{1 - top - bottom:.4f}:iw*{left:.4f}:ih*{top:.4f}")
        said.append(f"crop {left:.2f} {right:.2f} {top:.2f} {bottom:.2f}")
    if kind == "mirrored" or every:
        filters.append("hflip")
    if kind == "retimed" or every:
        speed = rng.choice((rng.uniform(0.9, 0.97), rng.uniform(1.03, 1.1)))
        filters.append(f"setpts=PTS/{speed:.4f}")
        said.append(f"speed {speed:.3f}")
    scale = rng.uniform(0.4, 0.75) if kind == "resized" or every else 1.0
    filters.append(f"scale='max(2,trunc(iw*{scale:.3f}/2)*2)':'max(2,trunc(ih*{scale:.3f}/2)*2)'")
    if kind == "encoded":
        codec = rng.choice(
            [
                ["-c:v", "libx264", "-preset", "veryfast", "-crf", str(rng.randint(34, 40))],
                ["-c:v", "mpeg4", "-q:v", str(rng.randint(12, 22))],
                ["-c:v", "libvpx", "-crf", "50", "-b:v", "150k", "-deadline", "realtime", "-cpu-used", "8"],
            ]
        )
        said.append(" ".join(codec[1:]))
    elif every:
        codec = [*codec[:-1], str(rng.randint(26, 32))]
    path = out.with_name(out.name + ".mkv")
    inputs = ["-i", str(clip)]
    replaced = kind == "other_sound" and other is not None
    sound = ["-map", "0:a:0?", "-c:a", "libopus", "-b:a", "48k", "-ar", "48000", "-ac", "2"]
    if speed != 1.0:
        sound += ["-af", f"atempo={speed:.4f}"]
    if replaced:
        inputs += ["-stream_loop", "-1", "-i", str(other)]
        sound[1] = "1:a:0"
    # Cut behind the filters, not by seeking in the file: seeking in an AVI loses its first pictures.
    cut = ["-ss", f"{start / speed:.4f}", "-t", f"{seconds / speed:.4f}"]
    _ffmpeg(
        [*inputs, "-map", "0:v:0", *sound, "-vf", ",".join(filters), *cut, "-pix_fmt", "yuv420p", *codec, str(path)]
    )
    return Copy(path, kind, speed, start, ", ".join(said))


def _sound(clip: Path, length: float, kind: str, rng: random.Random, out: Path) -> Copy:
    start, seconds, said = 0.0, min(length, LONGEST), ""
    made = ["-c:a", "pcm_s16le"]
    suffix = ".wav"
    graph = "anull"
    if kind == "sound_encoded":
        rate = rng.choice((24, 32, 48))
        made, suffix, said = ["-c:a", "libmp3lame", "-b:a", f"{rate}k", "-ar", "22050"], ".mp3", f"mp3 {rate} kbit/s"
    elif kind == "sound_narrow":
        made += ["-ar", "8000"]
    elif kind == "sound_trimmed":
        seconds = max(min(length, 3.0), min(LONGEST, length * rng.uniform(0.5, 0.75)))
        start = rng.uniform(0, 1) * (length - seconds)
        said = f"{start:.3f}+{seconds:.2f}"
    elif kind == "sound_noisy":
        # About 15 dB below speech at -23 LUFS.
        level = rng.uniform(0.010, 0.016)
        said = f"pink noise {level:.3f}"
        noise = f"anoisesrc=c=pink:a={level * 4:.4f}:r=48000:seed=7[n]"
        graph = f"loudnorm=I=-23,aresample=48000[a];{noise};[a][n]amix=2:duration=first:normalize=0"
    path = out.with_name(out.name + suffix)
    _ffmpeg(
        ["-i", str(clip), "-vn", "-filter_complex", f"[0:a:0]{graph}[o]", "-map", "[o]", "-ss", f"{start:.4f}", "-t",
         f"{seconds:.4f}", "-ac", "1", *made, str(path)]
    )  # fmt: skip
    return Copy(path, kind, 1.0, start, said)


def _ffmpeg(arguments: list[str]) -> None:
    done = subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-nostdin", "-threads", "1", *arguments], capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"ffmpeg failed: {done.stderr.strip()[-500:]}")
