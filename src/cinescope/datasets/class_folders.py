"""Files in folders that are their classes, on a disk or in a tar. Knows no kind of media but by suffix.

`class/file`, `split/class/file`, `class/group/file`: what lies between the class and the file is the group, which must
not be split (a film, a person, a session). A group of one name in two classes is one: a speaker says several digits.
"""

from __future__ import annotations

import tarfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from cinescope.datasets.example import Dataset, Example, Target, labels_of
from cinescope.datasets.gathering import Gathering, natural, walk
from cinescope.datasets.published import shown
from cinescope.types import BadQueryError, Clip, Frames, MediaError, Span

SPLITS = ("train", "training", "val", "valid", "validation", "dev", "test", "testing")
STILL = 1.0  # seconds: how long a picture stands, as cinescope.features.clips has it


@dataclass(frozen=True, slots=True)
class TarPicture:
    """A picture at its place in a tar. Calling it reads it; workers get it as it is, without an open file."""

    path: Path
    member: str
    offset: int  # bytes
    size: int  # bytes

    def __call__(self) -> Clip:
        from cinescope.media.pictures import picture_from_bytes

        with self.path.open("rb") as file:
            file.seek(self.offset)
            data = file.read(self.size)
        try:
            picture = picture_from_bytes(data)
        except MediaError as error:
            raise MediaError(
                f"'{self.member}' in '{self.path.name}' is no picture that can be read", "make the tar again"
            ) from error
        return Clip(Span(0.0, STILL), Frames(picture[None], np.zeros(1)), name=self.member)


Source = Path | TarPicture


def read_classes(
    name: str,
    place: Path,
    suffixes: Sequence[str],
    *,
    target: str = "label",
    split: str | None = None,
    hold: int = 0,
    what: str = "class/clip.mp4",
) -> Dataset:
    """The files below `place` as examples whose `target` is their folder.

    With `hold` n, every n-th file of each class, by name, is the split "test" and the others are "train", where the
    folders themselves do not split.
    """
    if hold < 0 or hold == 1:
        raise BadQueryError(f"hold must be 0 or at least 2, got {hold}")
    files = _files(place, suffixes)
    classed = [(*place_of(inner), inner, source) for inner, source in files]
    known = [row for row in classed if row[1]]
    if not known:
        raise BadQueryError(f"'{place}' holds no files in folders: looked for {what}", "make a folder for each class")
    rows = Gathering(name, split=split)
    if len(known) < len(classed):
        rows.notes.append(f"{len(classed) - len(known):,} files lie in no folder of a class: they are left out")
    numbers: dict[tuple[str, str], int] = defaultdict(int)
    for part, label, inner, source in known:
        numbers[part, label] += 1
        number = numbers[part, label]
        between = inner.parts[2 if part else 1 : -1]
        rows.add(
            Example(
                key=str(inner),
                split=part or ("" if not hold else "test" if number % hold == 0 else "train"),
                media=source if isinstance(source, Path) else None,
                clip=source if isinstance(source, TarPicture) else None,
                texts=_words_beside(source),
                targets={target: label},
                group="/".join(between),
                order=number,
            )
        )
    return rows.dataset({target: Target("class", labels_of([row[1] for row in known]))})


def place_of(inner: PurePosixPath) -> tuple[str, str]:
    """(split, class) of a path below the dataset's folder; no class where the file lies in no folder of one."""
    folders = inner.parts[:-1]
    part = folders[0] if len(folders) > 1 and folders[0].lower() in SPLITS else ""
    left = folders[1:] if part else folders
    return part, left[0] if left else ""


def _files(place: Path, suffixes: Sequence[str]) -> list[tuple[PurePosixPath, Source]]:
    if place.is_file():
        return _members(place, suffixes)
    if not place.is_dir():
        raise BadQueryError(f"there is no folder '{place}'", "give the folder that holds the classes")
    files: list[tuple[PurePosixPath, Source]] = [
        (PurePosixPath(shown(path, place)), path) for path in walk(place, suffixes)
    ]
    if not files and len(tars := sorted(place.glob("*.tar"))) == 1:
        return _members(tars[0], suffixes)
    return files


def _members(path: Path, suffixes: Sequence[str]) -> list[tuple[PurePosixPath, Source]]:
    found: list[tuple[PurePosixPath, Source]] = []
    try:
        with tarfile.open(path, "r:") as tar:
            for member in tar:
                inner = PurePosixPath(member.name)
                if member.isfile() and inner.suffix.lower() in suffixes and not inner.name.startswith("."):
                    found.append((inner, TarPicture(path, member.name, member.offset_data, member.size)))
    except tarfile.ReadError as error:
        raise BadQueryError(
            f"'{path.name}' is not a plain tar that can be read to its end ({error})", "unpack it, or make it again"
        ) from error
    return sorted(found, key=lambda f: [natural(part) for part in f[0].parts])


def _words_beside(source: Source) -> dict[str, str]:
    """What is said in a clip, where a .txt of its name lies beside it."""
    if isinstance(source, TarPicture):
        return {}
    words = source.with_suffix(".txt")
    return {"speech": words.read_text(encoding="utf-8-sig").strip()} if words.is_file() else {}
