"""WebDataset: samples in tar shards, a file a part. There is no one publisher; a sample of a shard is such as

    train-000007.tar:  talk_0031.mp4  talk_0031.cls ("4")  talk_0031.txt ("what a day")  talk_0031.json ({"speaker": 3})

Media stay in their shard and are read from their place when they are wanted; nothing is unpacked unless asked for.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.datasets.example import Dataset, Example
from cinescope.datasets.gathering import MEDIA, PICTURE, VIDEO
from cinescope.datasets.own_rows import ROLES, Columns, read_rows
from cinescope.datasets.shards import Member, Sample, find_shards, samples
from cinescope.types import BadQueryError, Clip, FrameNeed, Frames, MediaError, Needs, SoundNeed, Span

VERIFIED = True
VERIFIED_ON = "shards that the package webdataset 1.0.2 wrote; no published collection was at hand"
CITE = "Aizman, Maltby, Breuel: High Performance I/O For Large Scale Deep Learning, 2020, arXiv 2001.01858"
LICENCE = "that of your shards"
FILES = "{split}-{000000..000099}.tar; parts mp4, wav, jpg ..., cls, txt, json, npy"
TARGETS = {"label": "class (cls)", "columns of json, or those you name": "class, classes, score, spans, choice or text"}

_PARTS = ("train", "val", "test", "valid", "validation", "dev")
_STILL = 1.0  # seconds: how long a picture stands


@dataclass(frozen=True, slots=True)
class TarMedia:
    """A video, sound or picture in a shard. Calling it decodes it; workers get it as it is, without an open file.

    `rate` pictures a second, longest side `size`; sound at `sample_rate`. A call with needs of its own has those.
    """

    member: Member
    rate: float = 4.0
    size: int = 224
    sample_rate: int = 16_000

    def __call__(self, needs: Needs | None = None) -> Clip:
        from cinescope.features.clips import load_clip
        from cinescope.media.pictures import picture_from_bytes

        suffix = Path(self.member.name).suffix.lower()
        try:
            if suffix in PICTURE:
                picture = picture_from_bytes(self.member.read())
                return Clip(Span(0.0, _STILL), Frames(picture[None], np.zeros(1)), name=self.member.name)
            frames = FrameNeed(self.rate, self.size) if suffix in VIDEO else None
            with tempfile.NamedTemporaryFile(suffix=suffix) as file:  # decoders seek, and a tar is no place for that
                file.write(self.member.read())
                file.flush()
                clip = load_clip(file.name, needs or Needs(frames, SoundNeed(self.sample_rate)))
        except MediaError as error:
            raise MediaError(
                f"'{self.member.name}' in '{self.member.path.name}' cannot be read ({error.what})", "write it again"
            ) from error
        return replace(clip, name=self.member.name)


def read(
    folder: Path,
    *,
    media: Path | None = None,
    split: str | None = None,
    shards: str = "*.tar",
    targets: Mapping[str, str] | Sequence[str] | None = None,
    texts: Mapping[str, str] | Sequence[str] | None = None,
    txt: str = "speech",
    unpack: Path | None = None,
) -> Dataset:
    """`folder` holds the shards (or is one, or ends in a pattern); `shards` is a pattern, `train-{000..012}.tar`.

    The split is what a shard's name begins with. `cls` is the target "label", `txt` the text of that role, `npy` and
    `video.npy` published features, `json` columns as those of jsonl_file. With `unpack`, media are written to that
    folder and examples name them; a sample without media is fine as long as it has text or features.
    """
    place = media or folder
    told = Columns.told(targets, texts, None)
    notes: list[str] = []
    found = [(_part(sample.shard), sample) for sample in _samples(place, shards, notes)]
    if not found:
        raise BadQueryError(f"the shards in '{place}' hold no samples", "names are as 'talk_0031.mp4'")
    rows = [(i, _row(sample, part, txt)) for i, (part, sample) in enumerate(found, 1)]
    made = read_rows("webdataset", rows, place, _at_least(told, rows, txt), split=split)
    by_key = {str(row["key"]): sample for (_, row), (_, sample) in zip(rows, found, strict=True)}
    examples = tuple(_with_media(e, by_key[e.key], unpack) for e in made.examples)
    return replace(made, examples=examples, notes=made.notes + tuple(notes))


def _samples(place: Path, pattern: str, notes: list[str]) -> list[Sample]:
    made = []
    for shard in find_shards(place, pattern):
        there, odd = samples(shard)
        notes += odd
        made += there
    return made


def _part(shard: Path) -> str:
    for name in (shard.stem, shard.parent.name):
        first = name.lower().replace("_", "-").split("-")[0]
        if first in _PARTS:
            return first
    return ""


def _row(sample: Sample, part: str, txt: str) -> dict[str, Any]:
    """The small parts of a sample as columns. What a JSON says of files and splits is another place's."""
    row: dict[str, Any] = {}
    for ending, member in sample.parts.items():
        where = f"'{member.name}' in '{sample.shard.name}'"
        if ending == "json":
            told = _json(member, where)
            elsewhere = {*ROLES["media"], *ROLES["split"], *ROLES["key"]}
            row |= {name: value for name, value in told.items() if name.lower() not in elsewhere}
        elif ending == "cls":
            row["label"] = _decoded(member, where)
        elif ending in ("txt", "text", "transcript"):
            row[txt] = _decoded(member, where)
    return {"key": f"{sample.shard.stem}/{sample.key}", "split": part} | row


def _at_least(told: Columns, rows: Sequence[tuple[int, Mapping[str, Any]]], txt: str) -> Columns:
    """`txt` is a text even where its name is not one that columns are known by."""
    if told.texts or not any(txt in row for _, row in rows):
        return told
    return replace(told, texts={txt: txt})


def _json(member: Member, where: str) -> dict[str, Any]:
    try:
        told = json.loads(_decoded(member, where))
    except (json.JSONDecodeError, RecursionError) as error:
        raise BadQueryError(f"{where}: not JSON", "write the shard again") from error
    if not isinstance(told, dict):
        raise BadQueryError(f"{where}: not a JSON object", 'write {"name": value}')
    return told


def _decoded(member: Member, where: str) -> str:
    try:
        return member.read().decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise BadQueryError(f"{where}: not UTF-8", "write the shard again") from error


def _with_media(example: Example, sample: Sample, unpack: Path | None) -> Example:
    shown = [m for ending, m in sample.parts.items() if f".{ending.rsplit('.', 1)[-1]}" in MEDIA]
    shown.sort(key=lambda m: MEDIA.index(Path(m.name).suffix.lower()))
    given = {}
    for ending, member in sample.parts.items():
        if ending == "npy" or ending.endswith(".npy"):
            given[ending.removesuffix("npy").rstrip(".") or "features"] = _array(member)
    if not shown:
        return replace(example, given=given)
    if unpack is None:
        return replace(example, given=given, clip=TarMedia(shown[0]))
    return replace(example, given=given, media=_unpacked(shown[0], unpack / sample.shard.stem))


def _array(member: Member) -> np.ndarray:
    """(T, D) float32; a row (D,) is one step."""
    where = f"'{member.name}' in '{member.path.name}'"
    try:
        values = np.load(io.BytesIO(member.read()), allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise BadQueryError(f"{where} is no array that can be read", "save numbers with numpy.save") from error
    if values.ndim not in (1, 2) or values.dtype.kind not in "fiub":
        raise BadQueryError(f"{where} is {values.dtype} {values.shape}", "features are numbers (T, D)")
    return np.atleast_2d(values).astype(np.float32)


def _unpacked(member: Member, folder: Path) -> Path:
    """The member as a file below `folder`; one of its size that is there already is kept."""
    path = folder / member.name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise BadQueryError(f"'{member.name}' in '{member.path.name}' leads out of its folder", "write the shard again")
    if not path.is_file() or path.stat().st_size != member.size:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_bytes(member.read())
        part.replace(path)
    return path
