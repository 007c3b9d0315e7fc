"""Which files there are, and which video each of them is. Knows folders, hashes and file states; decodes nothing.

A video is its content: the hash of its bytes. Where a path's size, modification time and inode are as they were, its
content is taken to be the same; otherwise the file is read and hashed.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cinescope.library.progress import Problem
from cinescope.types import Location

# What is looked for in a folder. A file that is named itself is tried whatever its ending.
_ENDINGS = """
mp4 m4v mov mkv webm avi mpg mpeg m2v ts mts m2ts vob wmv asf flv f4v ogv ogm 3gp 3g2 mxf dv rm rmvb divx nut y4m gif
apng mp3 m4a aac flac wav ogg oga opus wma aiff aif ac3 mka amr
"""
SUFFIXES = frozenset(f".{ending}" for ending in _ENDINGS.split())
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    path: str
    root: str  # the folder or file that was named
    size: int
    modified_ns: int
    inode: int


def printable(path: str | bytes) -> str:
    """A path for people: undecodable bytes and control characters are escaped."""
    text = os.fsdecode(path)
    return "".join(
        c
        if c.isprintable()
        else c.encode("utf-8", "surrogateescape").decode("latin-1").encode("unicode_escape").decode()
        for c in text
    )


def find(paths: Iterable[str | os.PathLike[str]], avoid: Path | None = None) -> Iterator[Found | Problem]:
    """The media files under the paths, each once, sorted within each folder. What cannot be read is a Problem.

    Symbolic links are followed, each folder is entered once (so that a loop ends). Hidden files and the folder
    `avoid` (the library itself) are left out.
    """
    seen_folders: set[tuple[int, int]] = set()
    seen_files: set[str] = set()
    for given in paths:
        root = os.path.abspath(os.fspath(given))
        try:
            kind = os.stat(root).st_mode
        except FileNotFoundError:
            yield Problem(printable(root), "there is no such file or folder")
            continue
        except OSError as error:
            yield Problem(printable(root), f"it cannot be looked at ({(error.strerror or str(error)).lower()})")
            continue
        files = _walk(root, seen_folders, avoid) if stat.S_ISDIR(kind) else iter([root])
        for item in files:
            if isinstance(item, Problem):
                yield item
                continue
            if item in seen_files:
                continue
            seen_files.add(item)
            try:
                status = os.stat(item)
            except OSError as error:
                yield Problem(printable(item), f"it cannot be looked at ({(error.strerror or str(error)).lower()})")
                continue
            if not stat.S_ISREG(status.st_mode):
                yield Problem(printable(item), "it is not an ordinary file")
                continue
            yield Found(item, root, status.st_size, status.st_mtime_ns, status.st_ino)


def _walk(root: str, seen: set[tuple[int, int]], avoid: Path | None) -> Iterator[str | Problem]:
    avoided = os.path.realpath(avoid) if avoid is not None else None
    pending = [root]
    while pending:
        folder = pending.pop()
        if avoided is not None and os.path.realpath(folder) == avoided:
            continue
        try:
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            entries = sorted(os.scandir(folder), key=lambda e: e.name)
        except OSError as error:
            yield Problem(printable(folder), f"the folder cannot be read ({(error.strerror or str(error)).lower()})")
            continue
        folders = []
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                is_folder = entry.is_dir()
            except OSError as error:
                # A link that points at itself; a broken link answers False here and is met again as a file.
                yield Problem(
                    printable(entry.path), f"it cannot be looked at ({(error.strerror or str(error)).lower()})"
                )
                continue
            if is_folder:
                folders.append(entry.path)
            elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:
                yield entry.path
        pending.extend(reversed(folders))


def content_id(path: str) -> str:
    """32 hexadecimal digits: BLAKE2b-128 of the file's bytes. OSError when it cannot be read."""
    digest = hashlib.blake2b(digest_size=16)
    with open(path, "rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def unchanged(location: dict[str, Any], found: Found) -> bool:
    return (
        location["size"] == found.size
        and location["modified_ns"] == found.modified_ns
        and location["inode"] == found.inode
    )


def same_file(path: str, found: Found) -> bool:
    """Whether the file is still as it was when it was found."""
    try:
        status = os.stat(path)
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (found.size, found.modified_ns)


def state_of(location: dict[str, Any]) -> Literal["here", "offline", "gone"]:
    """Where a known location stands now.

    Offline: the folder that was indexed is not there, or is empty as the mount point of an unplugged drive is.
    Gone: that folder is here and holds other things, the file is not there.
    """
    path, root = os.fsdecode(location["path"]), os.fsdecode(location["root"])
    if os.path.exists(path):
        return "here"
    holder = os.path.dirname(root) if root == path else root
    try:
        with os.scandir(holder) as entries:
            return "gone" if next(entries, None) is not None else "offline"
    except OSError:
        return "offline"


def location_row(video_id: str, found: Found, seen: str) -> dict[str, Any]:
    return {
        "video_id": video_id,
        "path": os.fsencode(found.path),
        "name": printable(os.path.basename(found.path)),
        "root": os.fsencode(found.root),
        "size": found.size,
        "modified_ns": found.modified_ns,
        "inode": found.inode,
        "state": "here",
        "seen": seen,
    }


def row_location(row: dict[str, Any]) -> Location:
    return Location(
        row["video_id"], os.fsdecode(row["path"]), row["size"], row["modified_ns"], row["inode"], row["state"]
    )
