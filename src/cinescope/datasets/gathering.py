"""What every reader does with its rows: look for their media, keep one split, list what is missing.

Knows folders of media by name; knows no dataset's format.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from cinescope.datasets.example import Dataset, Example, Missing, Target
from cinescope.datasets.published import same_split, shown
from cinescope.types import BadQueryError

VIDEO = (
    ".mp4",
    ".mkv",
    ".webm",
    ".avi",
    ".mov",
    ".mpg",
    ".mpeg",
    ".m4v",
    ".flv",
    ".wmv",
    ".ts",
    ".3gp",
    ".ogv",
    ".gif",
)
SOUND = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac", ".aif", ".aiff", ".wma")
PICTURE = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".pgm")
MEDIA = VIDEO + SOUND + PICTURE
_NUMBERS = re.compile(r"([0-9]+)")


class MediaFolder:
    """The media below a folder by their ids: the name without its suffix. The folder is walked once, when needed."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise BadQueryError(f"there is no folder of media '{folder}'", "give the folder that holds the files")
        self.folder = folder
        self._by_stem: dict[str, list[Path]] | None = None

    def find(self, names: Sequence[str], within: Sequence[str] = ()) -> Path | None:
        """The file of the first of the names (ids, file names, or paths) that is there.

        Of several with one id, the one below a folder of `within` comes first, then video before sound and pictures.
        BadQueryError where two are left that differ in nothing but their folder.
        """
        for name in names:
            direct = self.folder / name
            if direct.suffix.lower() in MEDIA and direct.is_file():
                return direct
        for name in names:
            wanted = PurePosixPath(name.replace("\\", "/"))
            if wanted.suffix.lower() in MEDIA:
                wanted = wanted.with_suffix("")
            found = [(self._rank(p, within), p) for p in self._stems().get(wanted.name, ()) if self._ends(p, wanted)]
            if found:
                found.sort()
                if len(found) > 1 and found[0][0] == found[1][0]:
                    one, two = (shown(path, self.folder) for _, path in found[:2])
                    raise BadQueryError(
                        f"'{name}' may be '{one}' or '{two}'", "give a folder of media that holds only one of them"
                    )
                return found[0][1]
        return None

    def _stems(self) -> dict[str, list[Path]]:
        if self._by_stem is None:
            self._by_stem = defaultdict(list)
            for path in walk(self.folder, MEDIA):
                self._by_stem[path.stem].append(path)
        return self._by_stem

    def _ends(self, path: Path, wanted: PurePosixPath) -> bool:
        """Whether a path lies in the folders that are asked for: `a/1` is not `b/1.mp4`."""
        above = [part for part in wanted.parts[:-1] if part not in (".", "/")]
        return not above or path.parts[:-1][-len(above) :] == tuple(above)

    def _rank(self, path: Path, within: Sequence[str]) -> tuple[int, int]:
        above = path.relative_to(self.folder).parts[:-1]
        place = next((i for i, name in enumerate(within) if name in above), len(within))
        return place, MEDIA.index(path.suffix.lower())


def walk(folder: Path, suffixes: Sequence[str]) -> list[Path]:
    """Files below a folder with these suffixes, each folder's in the order of their names with numbers as numbers.

    Hidden files and folders are left out. Links to folders are followed, once each.
    """
    found: list[Path] = []
    known = {os.path.realpath(folder)}

    def failed(error: OSError) -> None:
        raise BadQueryError(f"'{error.filename}' cannot be read ({error.strerror})", "change its permissions")

    for top, folders, files in os.walk(folder, followlinks=True, onerror=failed):
        fresh = {name: os.path.realpath(os.path.join(top, name)) for name in folders if not name.startswith(".")}
        folders[:] = sorted((n for n, real in fresh.items() if real not in known), key=natural)
        known.update(fresh[n] for n in folders)
        names = (n for n in files if not n.startswith(".") and os.path.splitext(n)[1].lower() in suffixes)
        found += [Path(top, name) for name in sorted(names, key=natural)]
    return found


def natural(text: str) -> tuple[tuple[tuple[int, int | str], ...], str]:
    """A key to sort file names by in which numbers are numbers: `clip2.wav` before `clip10.wav`."""
    stem = text.rpartition(".")[0] or text
    parts = (part for part in _NUMBERS.split(stem) if part)
    return tuple((0, int(part)) if part.isdecimal() else (1, part) for part in parts), text


class Gathering:
    """Takes a reader's rows one by one and makes the Dataset.

    Without a folder of media, examples have none and nothing is missing.
    """

    def __init__(self, name: str, media: Path | None = None, split: str | None = None) -> None:
        self.name = name
        self.split = split
        self.media = None if media is None else MediaFolder(media)
        self.notes: list[str] = []
        self._examples: list[Example] = []
        self._missing: list[Missing] = []
        self._splits: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._examples) + len(self._missing)

    def wants(self, split: str) -> bool:
        """Whether rows of this part are asked for."""
        self._splits[split] = None
        return self.split is None or same_split(self.split, split)

    def add(self, example: Example, names: Iterable[str] = (), within: Sequence[str] = ()) -> None:
        """`names`: ids or file names that the example's media may have; none where it has media or needs none."""
        if not self.wants(example.split):
            return
        names = list(names)
        if not names or self.media is None:
            self._examples.append(example)
            return
        path = self.media.find(names, within)
        if path is None:
            self._missing.append(Missing(example.key, names[0], f"no such file below '{self.media.folder}'"))
        else:
            self._examples.append(replace(example, media=path))

    def miss(self, key: str, what: str, why: str = "no such file", split: str = "") -> None:
        if self.wants(split):
            self._missing.append(Missing(key, what, why))

    def dataset(self, targets: Mapping[str, Target], notes: Sequence[str] = ()) -> Dataset:
        """BadQueryError where nothing at all was read, or nothing of the split that is asked for."""
        if not self._examples and not self._missing:
            if self.split is not None and not any(same_split(self.split, s) for s in self._splits):
                there = ", ".join(repr(s) for s in self._splits)
                do = f"it has {there}" if there not in ("", "''") else "its files do not split"
                raise BadQueryError(f"'{self.name}' has no split '{self.split}'", do)
            raise BadQueryError(f"'{self.name}' has no rows", "are the files complete?")
        said = [*notes, *self.notes]
        if self._missing:
            of = len(self._examples) + len(self._missing)
            said.append(f"the media of {len(self._missing):,} of {of:,} rows are not there: these rows are left out")
        return Dataset(self.name, tuple(self._examples), dict(targets), tuple(self._missing), tuple(said))
