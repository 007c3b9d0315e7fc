"""The sound of one video as a file, with its times beside it. Knows nothing of libraries and terminals."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinescope.api.extract import Tell, write_json
from cinescope.types import BadQueryError, MediaError

STRETCH = 20.0  # seconds of sound in memory at once
FORMATS = ("wav", "flac")


@dataclass(frozen=True, slots=True)
class SoundFile:
    """What was written: sample n of `file` is heard at `start + n / sample_rate` seconds of the video."""

    file: Path
    sidecar: Path
    start: float
    sample_rate: int
    samples: int  # in each channel
    channels: int
    stream: int  # of the video
    warnings: tuple[str, ...] = ()

    @property
    def end(self) -> float:
        return self.start + self.samples / self.sample_rate


def audio(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    rate: int | None = 16_000,
    channels: int | None = 1,
    start: float | None = None,
    end: float | None = None,
    stream: int | None = None,
    force: bool = False,
    tell: Tell = lambda done, total: None,
) -> SoundFile:
    """Write the sound of `path` to `out` (.wav or .flac, 16 bits), and OUT.json with its times.

    `rate` in hertz and `channels`: None as recorded. From `start` to `end` seconds, by default from 0 to where the
    sound ends; where there is none, for instance because it begins late, is silence, so that the file keeps the
    video's clock. Raises MediaError and BadQueryError in one sentence.
    """
    from cinescope import media
    from cinescope.media.opening import shown_name
    from cinescope.media.soundfile import SoundWriter

    target = Path(os.fspath(out))
    sidecar = target.with_name(target.name + ".json")
    _free(target, path, force)
    with media.SoundReader(path, stream) as reader:
        begin = 0.0 if start is None else start
        last = _sound_end(path, reader.stream) if end is None else end
        if last <= begin:
            what = f"the sound ends at {last:g} s" if end is None else f"nothing lies between {begin:g} and {last:g} s"
            raise BadQueryError(f"'{shown_name(path)}': {what}", "give an end after the start")
        sample_rate = rate or reader.stream.sample_rate or 48_000
        count = min(8, channels or reader.stream.channels or 1)
        total = round((last - begin) * sample_rate)
        if total == 0:
            raise BadQueryError(f"from {begin:g} to {last:g} s there is not one sample")
        if end is not None:
            limit = _sound_end(path, reader.stream)
            if begin >= limit:
                raise BadQueryError(f"'{shown_name(path)}' has no sound at {begin:g} s, it ends at {limit:.3f} s")
        step = round(STRETCH * sample_rate)
        with SoundWriter(target, sample_rate, count) as writer:
            for at in range(0, total, step):
                size = min(step, total - at)
                low, high = begin + at / sample_rate, begin + (at + size) / sample_rate
                writer.write(reader.read(low, high, sample_rate, count))
                tell(high - begin, last - begin)
        made = SoundFile(target, sidecar, begin, sample_rate, writer.samples, count, reader.stream.index,
                         tuple(reader.warnings))  # fmt: skip
    write_json(sidecar, describe(made, path))
    return made


def describe(made: SoundFile, path: str | os.PathLike[str]) -> dict[str, Any]:
    """What OUT.json holds."""
    return {
        "source": {"file": os.path.abspath(os.fspath(path)), "stream": made.stream},
        "file": made.file.name,
        "start": made.start,
        "end": round(made.end, 9),
        "sample_rate": made.sample_rate,
        "samples": made.samples,
        "channels": made.channels,
        "warnings": list(made.warnings),
    }


def _sound_end(path: str | os.PathLike[str], stream: Any) -> float:
    """Where the sound ends, in seconds: as the file states it, else by decoding it."""
    from cinescope import media

    if stream.duration is not None:
        return (stream.start or 0.0) + float(stream.duration)
    extent = media.sound_extent(path, stream.index)
    if extent is None:
        raise MediaError(f"'{os.fspath(path)}' has no sound that can be decoded")
    return extent.end


def _free(target: Path, path: str | os.PathLike[str], force: bool) -> None:
    if target.suffix.lower().lstrip(".") not in FORMATS:
        raise BadQueryError(f"'{target.suffix or target.name}' is no sound format here", "use .wav or .flac")
    if target.exists():
        if os.path.exists(path) and os.path.samefile(target, path):
            raise BadQueryError(f"'{target}' would overwrite the file it is made from", "choose another name")
        if not force and target.is_file():
            raise BadQueryError(f"'{target}' is there already", "choose another name, or add --force")
