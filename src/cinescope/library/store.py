"""The tables on disk. Knows Lance; knows nothing about videos, analysers or queries.

Reading never fails because another process compacts or cleans: a read that finds its files gone opens the newest
version and tries again. Writing is for the holder of the writer's lock (`lock.py`).
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from cinescope.library import schema
from cinescope.types import LibraryError

# Lance writes a line to stderr for each query over a fresh index; only what a person must know may reach a terminal.
os.environ.setdefault("LANCE_LOG", "error")

R = TypeVar("R")
_READ_TRIES = 6
# What an open library keeps of indexes and of files' headers, bytes at most. A million segments: see docs/results.md.
_INDEX_CACHE, _METADATA_CACHE = 1 << 30, 1 << 28
_GONE = re.compile(r"not found|no such file|does not exist", re.IGNORECASE)
_FULL = re.compile(r"no space left|os error 28|disk quota", re.IGNORECASE)


def is_uri(place: str) -> bool:
    return "://" in place


def quoted(value: str) -> str:
    """A string literal for a Lance filter."""
    return "'" + value.replace("'", "''") + "'"


def binary(value: bytes) -> str:
    """A binary literal for a Lance filter."""
    return f"X'{value.hex()}'"


def one_of(column: str, values: Iterable[str]) -> str:
    """A filter that keeps rows whose column is one of the values; keeps none for no values."""
    listed = ", ".join(quoted(v) for v in values)
    return f"{column} IN ({listed})" if listed else "false"


class Store:
    """The tables of one library. Cheap to make; each table is opened when first used."""

    def __init__(self, place: str) -> None:
        self.place = place
        self._open: dict[str, Any] = {}
        self._session: Any = None
        self._derived: dict[str, tuple[tuple[int, ...], Any]] = {}
        self._lasting: dict[str, Any] = {}

    # --- where things are

    @property
    def is_local(self) -> bool:
        return not is_uri(self.place) or self.place.startswith("file://")

    @property
    def folder(self) -> Path:
        """The local folder. LibraryError for a library on object storage."""
        if not self.is_local:
            raise LibraryError(f"{self.place} is not a folder on this machine", "copy it here first")
        return Path(self.place.removeprefix("file://"))

    def _uri(self, table: str) -> str:
        base = self.place.rstrip("/") if is_uri(self.place) else os.path.abspath(self.place)
        return f"{base}/{table}.lance"

    # --- life

    @classmethod
    def create(cls, place: str) -> Store:
        """Make an empty library. The `meta` row is written last: a folder without it is no library yet."""
        import lance

        store = cls(place)
        if store.is_local:
            try:
                store.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise LibraryError(f"the library folder {place} cannot be made ({error.strerror})") from error
        names = [n for n in schema.tables() if n != "meta"]
        with guarded(place):
            for name in names:
                lance.write_dataset(schema.tables()[name].empty_table(), store._uri(name), mode="overwrite")
            meta = [{"key": "schema_version", "value": str(schema.VERSION)}]
            lance.write_dataset(store._arrow("meta", meta), store._uri("meta"), mode="overwrite")
        return store

    @classmethod
    def open(cls, place: str) -> Store:
        """Open an existing library. LibraryError where there is none or its version is not ours."""
        store = cls(place)
        version = store.schema_version()
        if version is None:
            raise LibraryError(f"there is no library at {place}", "make one with: cinescope index FOLDER")
        if version > schema.VERSION:
            raise LibraryError(
                f"the library at {place} was made by a newer Cinescope (version {version}, this one reads "
                f"{schema.VERSION})",
                "update cinescope",
            )
        if version < schema.VERSION:
            raise LibraryError(
                f"the library at {place} has the older version {version}", "run: cinescope library upgrade"
            )
        return store

    def schema_version(self) -> int | None:
        """None where there is no library."""
        if self.is_local:
            try:
                Path(self._uri("meta").removeprefix("file://")).stat()
            except (FileNotFoundError, NotADirectoryError):
                return None
            except OSError as error:
                raise LibraryError(
                    f"the library folder {self.place} cannot be entered ({(error.strerror or str(error)).lower()})",
                    "check the folder's owner and rights",
                ) from error
        try:
            rows = self.rows("meta", filter="key = 'schema_version'")
        except (ValueError, OSError) as error:
            if _GONE.search(str(error)):
                return None
            raise LibraryError(f"the library at {self.place} cannot be read ({first_line(error)})") from error
        return int(rows[0]["value"]) if rows else None

    def spaces(self) -> dict[str, int]:
        """The embedding spaces of this library: name -> dimension."""
        self.refresh("meta")
        return dict(self.derived("spaces", ["meta"], self._spaces))

    def _spaces(self) -> dict[str, int]:
        rows = self.rows("meta", filter="key LIKE 'space:%'")
        return {r["key"].removeprefix("space:"): int(r["value"]) for r in rows}

    def tables(self) -> list[str]:
        """The names of all tables, those of embedding spaces and prints included."""
        prints = [schema.PRINTS] if self.has_prints() else []
        return [*schema.tables(), *prints, *(schema.vector_table(s) for s in self.spaces())]

    def has_prints(self) -> bool:
        """Whether the table of prints was made: libraries made before there were prints have none."""
        self.refresh("meta")
        return bool(self.count("meta", f"key = 'table:{schema.PRINTS}'"))

    def add_prints(self) -> None:
        """Make the table of prints where there is none."""
        import lance

        if self.has_prints():
            return
        with guarded(self.place):
            empty = schema.prints_schema().empty_table()
            lance.write_dataset(empty, self._uri(schema.PRINTS), mode="overwrite")
        self.upsert("meta", ["key"], [{"key": f"table:{schema.PRINTS}", "value": "1"}])

    def add_space(self, space: str, dimension: int) -> None:
        """Make room for the vectors of a model. LibraryError when it is there with another dimension."""
        import lance

        known = self.spaces().get(space)
        if known == dimension:
            return
        if known is not None:
            raise LibraryError(
                f"the embeddings '{space}' have {known} numbers in this library, and {dimension} are given",
                "a model that changes its size needs a new version",
            )
        with guarded(self.place):
            empty = schema.vector_schema(dimension).empty_table()
            lance.write_dataset(empty, self._uri(schema.vector_table(space)), mode="overwrite")
        self.upsert("meta", ["key"], [{"key": f"space:{space}", "value": str(dimension)}])

    def dataset(self, table: str) -> Any:
        """The open Lance dataset, at the version it was opened or last refreshed at."""
        import lance

        if self._session is None:
            # One for all tables and versions: a table that is opened again finds what it had read of its indexes.
            self._session = lance.Session(
                index_cache_size_bytes=_INDEX_CACHE, metadata_cache_size_bytes=_METADATA_CACHE
            )
        if table not in self._open:
            self._open[table] = lance.dataset(self._uri(table), session=self._session)
        return self._open[table]

    def refresh(self, *names: str) -> None:
        """See what others committed since; all tables when none is named."""
        for name in names or tuple(self._open):
            self._open.pop(name, None)

    # --- reading

    def derived(self, name: str, tables: Sequence[str], make: Callable[[], R]) -> R:
        """What `make()` reads from these tables, kept until one of them has another version (see `refresh`)."""
        versions = tuple(self.reading(table, lambda data: data.version) for table in tables)
        kept = self._derived.get(name)
        if kept is None or kept[0] != versions:
            kept = self._derived[name] = (versions, make())
        made: R = kept[1]
        return made

    def lasting(self, name: str, make: Callable[[], R]) -> R:
        """What `make()` gives, once for this store: for what keeps itself up to date."""
        made: R = self._lasting.setdefault(name, make()) if name not in self._lasting else self._lasting[name]
        return made

    def reading(self, table: str, read: Callable[[Any], R]) -> R:
        """Run `read(dataset)`; when a writer cleaned the files away under it, open the newest version and try again."""
        for attempt in range(_READ_TRIES):
            try:
                return read(self.dataset(table))
            except (OSError, ValueError) as error:  # pyarrow.ArrowInvalid is a ValueError
                if not _GONE.search(str(error)) or attempt == _READ_TRIES - 1:
                    raise
                self.refresh(table)
                time.sleep(0.02 * 2**attempt)
        raise AssertionError("unreachable")

    def table(self, table: str, columns: list[str] | None = None, filter: str | None = None, **options: Any) -> Any:
        """A pyarrow table of the newest version that this store has opened (see `refresh`)."""
        return self.reading(
            table, lambda data: data.to_table(columns=columns, filter=filter, prefilter=True, **options)
        )

    def rows(
        self, table: str, columns: list[str] | None = None, filter: str | None = None, **options: Any
    ) -> list[dict[str, Any]]:
        result: list[dict[str, Any]] = self.table(table, columns, filter, **options).to_pylist()
        return result

    def count(self, table: str, filter: str | None = None) -> int:
        return int(self.reading(table, lambda data: data.count_rows(filter)))

    # --- writing

    def _arrow(self, table: str, rows: list[dict[str, Any]]) -> Any:
        import pyarrow as pa

        columns = schema.tables()[table] if table in schema.tables() else self.dataset(table).schema
        return pa.Table.from_pylist(rows, schema=columns)

    def append(self, table: str, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        import lance

        with guarded(self.place):
            self._open[table] = lance.write_dataset(self._arrow(table, rows), self._uri(table), mode="append")

    def upsert(self, table: str, keys: list[str], rows: list[dict[str, Any]]) -> None:
        """Insert the rows, replacing those whose keys are equal: one commit."""
        if not rows:
            return
        self.refresh(table)
        with guarded(self.place):
            merge = self.dataset(table).merge_insert(keys)
            merge.when_matched_update_all().when_not_matched_insert_all().execute(self._arrow(table, rows))
        self.refresh(table)

    def delete(self, table: str, filter: str) -> None:
        """Mark rows as deleted. Their bytes stay until `upkeep.purge`."""
        self.refresh(table)
        with guarded(self.place):
            if self.dataset(table).count_rows(filter):
                self.dataset(table).delete(filter)
        self.refresh(table)

    def forget_versions(self, table: str, keep: timedelta) -> None:
        """Drop versions older than `keep`, and files that no version uses."""
        self.refresh(table)
        with guarded(self.place):
            self.dataset(table).cleanup_old_versions(older_than=keep, delete_unverified=keep == timedelta(0))


def first_line(error: BaseException) -> str:
    """The part of a Lance error that a person can read: no source positions."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return re.split(r", /|, <", text)[0][:300]


class guarded:
    """A context in which what Lance says of a full or read-only disk becomes one sentence, a LibraryError."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, OSError | ValueError) and not isinstance(error, LibraryError):
            text = str(error)
            if _FULL.search(text):
                raise LibraryError(
                    f"the disk that holds {self.place} is full",
                    "make room and run the same command again; everything committed so far is kept",
                ) from error
            if re.search(r"permission denied|os error 13|read-only", text, re.IGNORECASE):
                raise LibraryError(
                    f"{self.place} cannot be written (permission denied)", "check the folder's owner and rights"
                ) from error
