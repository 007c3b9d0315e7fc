"""Tar shards: brace patterns of their names, the samples in them, and members read from their place. Knows no Dataset.

A sample is what shares a name up to the first dot of its last part: `talk/003.mp4` and `talk/003.json` are the sample
`talk/003` with the parts `mp4` and `json` (webdataset's `base_plus_ext`).
"""

from __future__ import annotations

import re
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from cinescope.datasets.gathering import natural
from cinescope.types import BadQueryError

_NAME = re.compile(r"((?:.*/)?[^./][^./]*)\.([^/]+)")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")
_BRACES = re.compile(r"\{([^{}]*)\}")
MOST_SHARDS = 100_000
BLOCK = 512  # bytes, of a tar


@dataclass(frozen=True, slots=True)
class Member:
    """A stretch of a tar: what one file in it holds."""

    path: Path
    name: str
    offset: int  # bytes
    size: int  # bytes

    def read(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


@dataclass(frozen=True, slots=True)
class Sample:
    key: str
    shard: Path
    parts: dict[str, Member] = field(default_factory=dict)  # what follows the first dot, lower case -> member


def expand(pattern: str) -> list[str]:
    """`train-{000..002}.tar` -> three names, `{a,b}.tar` -> two; several braces multiply."""
    match = _BRACES.search(pattern)
    if match is None:
        return [pattern]
    if numbers := _RANGE.fullmatch(match[1]):
        first, last = numbers.groups()
        if int(last) < int(first) or int(last) - int(first) >= MOST_SHARDS:
            raise BadQueryError(f"'{match[0]}' is no range of shards", "write the lower number first: {000..012}")
        width = len(first) if first.startswith("0") else 0
        choices = [f"{n:0{width}d}" for n in range(int(first), int(last) + 1)]
    elif "," in match[1]:
        choices = match[1].split(",")
    else:
        raise BadQueryError(f"'{match[0]}' is neither a range nor a choice", "write {000..012} or {a,b}")
    before, after = pattern[: match.start()], pattern[match.end() :]
    made = [f"{before}{choice}{rest}" for rest in expand(after) for choice in choices]
    if len(made) > MOST_SHARDS:
        raise BadQueryError(f"'{pattern}' names more than {MOST_SHARDS:,} shards")
    return sorted(made, key=natural)


def find_shards(folder: Path, pattern: str) -> list[Path]:
    """The shards of a pattern with braces or wildcards below `folder`, or `folder` itself where it is a shard.

    Each name that braces make must be there: a shard that is missing is an error, not a smaller dataset.
    """
    if folder.is_file():
        return [folder]
    if "{" in folder.name:
        folder, pattern = folder.parent, folder.name
    if not folder.is_dir():
        raise BadQueryError(f"there is no folder '{folder}'", "give the folder of the shards")
    if "{" in pattern:
        names = expand(pattern)
        absent = [name for name in names if not (folder / name).is_file()]
        if absent:
            raise BadQueryError(
                f"the shard '{absent[0]}' is not in '{folder}' ({len(absent)} of {len(names)} are missing)",
                "fetch it, or give a pattern without it",
            )
        return [folder / name for name in names]
    found = sorted((p for p in folder.rglob(pattern) if p.is_file()), key=lambda p: natural(str(p)))
    if not found:
        raise BadQueryError(f"'{folder}' holds no shards: looked for {pattern}", "give the folder of the .tar files")
    return found


def samples(shard: Path) -> tuple[list[Sample], list[str]]:
    """The samples of a shard in its order, and what is odd about it. Only the headers are read.

    BadQueryError where the shard is cut off, is compressed, or has a part of a sample twice.
    """
    made: dict[str, Sample] = {}
    nameless = 0
    size = shard.stat().st_size
    end = 0
    try:
        with tarfile.open(shard, "r:") as tar:
            for member in tar:
                end = member.offset_data + -(-member.size // BLOCK) * BLOCK
                if not member.isfile() or member.name.rsplit("/", 1)[-1].startswith(("__", ".")):
                    continue
                if member.offset_data + member.size > size:
                    raise tarfile.ReadError(f"'{member.name}' goes on after its end")
                match = _NAME.fullmatch(member.name.removeprefix("./"))
                if match is None:
                    nameless += 1
                    continue
                sample = made.setdefault(match[1], Sample(match[1], shard))
                part = match[2].lower()
                if part in sample.parts:
                    raise BadQueryError(f"'{shard.name}' has '{member.name}' twice", "write the shard again")
                sample.parts[part] = Member(shard, member.name, member.offset_data, member.size)
    except tarfile.ReadError as error:
        do = "unpack it to a plain .tar" if _compressed(shard) else "it is cut off or no tar: fetch it again"
        raise BadQueryError(f"the shard '{shard.name}' cannot be read to its end ({error})", do) from error
    notes = [f"'{shard.name}' has {nameless:,} files without an ending: they are left out"] if nameless else []
    if made and not _closed(shard, end):
        notes.append(f"'{shard.name}' has no end mark: samples after '{list(made)[-1]}' may be cut off")
    return list(made.values()), notes


def _closed(shard: Path, end: int) -> bool:
    """Whether a block of zeros follows the last member, as every writer of tars leaves it."""
    with shard.open("rb") as file:
        file.seek(end)
        return file.read(BLOCK) == bytes(BLOCK)


def _compressed(shard: Path) -> bool:
    with shard.open("rb") as file:
        return file.read(6)[:2] in (b"\x1f\x8b", b"BZ", b"\xfd7", b"\x28\xb5")
