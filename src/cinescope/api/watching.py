"""Watching folders for a library: what `library.watch` notices goes to `library.ingest`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

from cinescope.library import catalog, ingest
from cinescope.library import watch as watcher
from cinescope.library.plan import choose_analysers
from cinescope.library.progress import Cancel, IndexReport
from cinescope.types import BadQueryError

if TYPE_CHECKING:
    from cinescope.api.library import Library


def watch(
    lib: Library,
    paths: list[str],
    tell: Callable[[watcher.Noticed], None],
    every: float,
    settle: float,
    cancel: Cancel | None,
    options: dict[str, Any],
) -> None:
    """`options` are those of `ingest.index`. BadQueryError where there is nothing to watch or an option is wrong."""
    if every <= 0 or settle < 0:
        raise BadQueryError("a watch needs times above 0", "leave out --every and --settle")
    choose_analysers(options["only"], options["skip"], options["settings"] or {})  # a wrong name is told at once
    folders = paths or (catalog.roots(lib.store) if lib.exists else [])
    if not folders:
        raise BadQueryError("there is nothing to watch", "name a folder: cinescope index FOLDER --watch")
    store = lib.ensure()
    stop = Cancel() if cancel is None else cancel

    def index(ready: Collection[str]) -> IndexReport:
        return ingest.index(lib.store, folders, among=set(ready), cancel=stop, **options)

    avoid = store.folder if store.is_local else None
    watcher.watch(folders, index, avoid=avoid, every=every, settle=settle, tell=tell, cancel=stop)
