"""Keeping a library fit: indexes, compaction, removing for good, checks, copies, versions.

Knows Lance's maintenance; knows nothing about analysers or queries.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from cinescope.library import schema, vector_index
from cinescope.library.clock import now
from cinescope.library.lock import cleaning, writing
from cinescope.library.store import Store, guarded, one_of
from cinescope.types import LibraryError

COMMITS_BETWEEN_TIDIES = 60
# Versions that a reader may still hold are kept this long; a reader that is slower opens the newest again.
_KEEP_VERSIONS = timedelta(minutes=10)
# A fragment below this many rows is merged with its neighbours.
_ROWS_PER_FRAGMENT = 1_000_000


@dataclass(frozen=True, slots=True)
class RemoveReport:
    videos: int
    rows: int
    bytes_freed: int


def tidy(store: Store) -> None:
    """After writing: bring the indexes up to date and merge small fragments. Cheap when there is little to do."""
    with guarded(store.place):
        for name in store.tables():
            store.refresh(name)
            data = store.dataset(name)
            if len(data.get_fragments()) > 8:
                data.optimize.compact_files(target_rows_per_fragment=_ROWS_PER_FRAGMENT)
        build_indexes(store)
        vector_index.build(store)
    for name in store.tables():
        store.forget_versions(name, _KEEP_VERSIONS)
    store.refresh()


def build_indexes(store: Store, anew: bool = False) -> None:
    """Make the indexes of `segments` that are missing (or all), and add new rows to those that are there."""
    store.refresh("segments")
    data = store.dataset("segments")
    if data.count_rows() == 0:
        return
    have = {index.name for index in data.describe_indices()}
    for column, options in schema.WORD_INDEXES.items():
        if anew or f"{column}_idx" not in have:
            data.create_scalar_index(column, "INVERTED", name=f"{column}_idx", replace=True, **options)
    for column, kind in schema.SCALAR_INDEXES.items():
        if anew or f"{column}_idx" not in have:
            data.create_scalar_index(column, kind, name=f"{column}_idx", replace=True)
    if not anew:
        data.optimize.optimize_indices()
    store.refresh("segments")


def remove(store: Store, video_ids: Iterable[str], wait: float = 0.0) -> RemoveReport:
    """Remove videos for good: no byte of their text, vectors, pictures or notes stays in the folder.

    The files themselves are not touched. Readers that are open go on with the newest version.
    """
    ids = sorted(set(video_ids))
    with writing(store, "remove", wait):
        store.refresh()
        before = folder_size(store)
        rows = 0
        # `videos` last: should this process die in the middle, the video is still listed and can be removed again.
        others = [t for t in store.tables() if t not in ("videos", "meta")]
        for name in (*others, "videos"):
            column = "id" if name == "videos" else "video_id"
            rows += store.count(name, one_of(column, ids))
            store.delete(name, one_of(column, ids))
        with guarded(store.place):
            purge(store)
        return RemoveReport(len(ids), rows, max(0, before - folder_size(store)))


def purge(store: Store) -> None:
    """Rewrite every table without its deleted rows, rebuild the indexes, and drop every older version.

    Lance's ordinary compaction leaves fragments with few deletions as they are, and word indexes keep the terms of
    deleted rows; so both are forced.
    """
    for name in store.tables():
        store.refresh(name)
        data = store.dataset(name)
        data.optimize.compact_files(
            target_rows_per_fragment=_ROWS_PER_FRAGMENT, materialize_deletions=True, materialize_deletions_threshold=0.0
        )
        store.refresh(name)
        # The newest version names its last change, and that may be a deletion with ids in it: make it another one.
        store.dataset(name).update_config({"cinescope.swept": now()})
        store.refresh(name)
    if store.count("segments"):
        build_indexes(store, anew=True)
    else:
        for index in store.dataset("segments").describe_indices():
            store.dataset("segments").drop_index(index.name)
            store.refresh("segments")
    vector_index.build(store, anew=True)
    with cleaning(store):
        for name in store.tables():
            store.forget_versions(name, timedelta(0))
    store.refresh()


def compact(store: Store, wait: float = 0.0) -> int:
    """Rewrite and clean everything; bytes freed."""
    with writing(store, "compact", wait):
        before = folder_size(store)
        with guarded(store.place):
            purge(store)
        return before - folder_size(store)


def verify(store: Store) -> list[str]:
    """What is wrong with the library, one sentence each; empty when all is well."""
    problems: list[str] = []
    for name in store.tables():
        store.refresh(name)
        try:
            store.dataset(name).validate()
            store.table(name)
        except (OSError, ValueError) as error:
            problems.append(f"the table {name} cannot be read whole ({str(error).splitlines()[0][:200]})")
    if problems:
        return problems
    videos = {r["id"] for r in store.rows("videos", ["id"])}
    for name in store.tables():
        if name in ("meta", "videos"):
            continue
        strangers = {r["video_id"] for r in store.rows(name, ["video_id"])} - videos
        problems += [f"the table {name} has rows of the unknown video {v[:8]}" for v in sorted(strangers)]
    ledger = {(r["video_id"], r["source"]): r for r in store.rows("ledger", ["video_id", "source", "next_seq"])}
    seen: set[tuple[str, str, int]] = set()
    for row in store.rows("segments", ["video_id", "source", "seq"]):
        if row["source"] == "person":
            continue
        key = (row["video_id"], row["source"], row["seq"])
        if key in seen:
            problems.append(f"row {row['seq']} of {row['source']} in video {row['video_id'][:8]} is there twice")
        seen.add(key)
        entry = ledger.get((row["video_id"], row["source"]))
        if entry is None or row["seq"] >= entry["next_seq"]:
            problems.append(
                f"row {row['seq']} of {row['source']} in video {row['video_id'][:8]} was left by an interrupted run; "
                "the next index run clears it"
            )
    return problems


def backup(store: Store, out: str | os.PathLike[str], wait: float = 0.0) -> int:
    """Write the whole library into one .tar file; its bytes. An earlier file is replaced once the new one is whole."""
    out = Path(out)
    with writing(store, "backup", wait):
        handle, name = tempfile.mkstemp(dir=out.absolute().parent, prefix=f".{out.name}.")
        try:
            with os.fdopen(handle, "wb") as file, tarfile.open(fileobj=file, mode="w") as tar:
                for table in store.tables():
                    tar.add(store.folder / f"{table}.lance", arcname=f"{table}.lance")
            os.replace(name, out)
        except OSError as error:
            Path(name).unlink(missing_ok=True)
            raise LibraryError(
                f"the backup {out} cannot be written ({error.strerror or error})",
                "the earlier one, if any, is untouched",
            ) from error
    return out.stat().st_size


def restore(archive: str | os.PathLike[str], place: str | os.PathLike[str]) -> None:
    """Unpack a backup into a folder that holds no library yet. LibraryError when it does, or when it is no backup."""
    folder = Path(place)
    if (folder / "meta.lance").exists():
        raise LibraryError(f"there is a library at {folder} already", "restore into a new folder")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=folder.absolute().parent, prefix=f".{folder.name}."))
        try:
            with tarfile.open(archive) as tar:
                tar.extractall(work, filter="data")
            if not (work / "meta.lance").is_dir():
                raise LibraryError(f"{archive} is no backup of a library")
            if folder.exists():
                folder.rmdir()
            os.replace(work, folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except (OSError, tarfile.TarError) as error:
        raise LibraryError(f"{archive} cannot be restored to {folder} ({error})") from error


# version -> the step that takes a library from it to the next. There is none before version 1.
UPGRADES: dict[int, Any] = {}


def upgrade(place: str) -> tuple[int, int]:
    """Bring a library to this version, step by step; the versions before and after."""
    store = Store(place)
    version = store.schema_version()
    if version is None:
        raise LibraryError(f"there is no library at {place}", "make one with: cinescope index FOLDER")
    if version > schema.VERSION:
        raise LibraryError(
            f"the library at {place} has the newer version {version} (this Cinescope reads {schema.VERSION})",
            "update cinescope",
        )
    with writing(store, "upgrade"):
        for step in range(version, schema.VERSION):
            if step not in UPGRADES:
                raise LibraryError(f"there is no way from library version {step} to {step + 1}")
            UPGRADES[step](store)
            store.upsert("meta", ["key"], [{"key": "schema_version", "value": str(step + 1)}])
    return version, schema.VERSION


def folder_size(store: Store) -> int:
    """Bytes on disk; 0 for a library on object storage, where nobody counts."""
    if not store.is_local:
        return 0
    return sum(f.stat().st_size for f in store.folder.rglob("*") if f.is_file())
