"""One writer at a time. Readers need no lock.

The lock is the operating system's (filelock), so it vanishes with its process, however that ends. A library on
object storage has no such lock: there Lance's own commit conflicts are the guard, and one indexer at a time is up to
its users (docs/library.md).
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from cinescope.library.store import Store
from cinescope.types import LibraryBusyError, LibraryError


@contextmanager
def writing(store: Store, what: str, wait: float = 0.0) -> Iterator[None]:
    """Hold the writer's lock. `wait` seconds for another writer to finish, then LibraryBusyError, which names it."""
    if not store.is_local:
        yield
        return
    from filelock import FileLock, Timeout

    lock = FileLock(store.folder / "writer.lock")
    holder = store.folder / "writer.json"
    try:
        lock.acquire(timeout=max(0.0, wait), poll_interval=0.1)
    except Timeout:
        raise LibraryBusyError(
            f"another process is writing to the library at {store.place} ({_who(store)})",
            "wait for it to end, or let this command wait for it with --wait SECONDS",
        ) from None
    except OSError as error:
        raise LibraryError(
            f"the library at {store.place} cannot be written ({error.strerror or error})",
            "check the folder's owner, rights and free space",
        ) from error
    try:
        holder.write_text(
            json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "what": what, "since": time.time()}),
            encoding="utf-8",
        )
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


@contextmanager
def cleaning(store: Store) -> Iterator[None]:
    """Held for the moment in which files without a version are deleted, and while a note is written: what a note has
    written but not yet committed must not be swept away. Notes do not wait for an index run, only for its sweep."""
    if not store.is_local:
        yield
        return
    from filelock import FileLock

    try:
        with FileLock(store.folder / "clean.lock"):
            yield
    except PermissionError as error:
        raise LibraryError(
            f"the library at {store.place} cannot be written ({error.strerror})", "check the folder's owner and rights"
        ) from error


def _who(store: Store) -> str:
    try:
        held = json.loads((store.folder / "writer.json").read_text(encoding="utf-8"))
        since = datetime.fromtimestamp(held["since"], UTC).astimezone().strftime("%H:%M")
        return f"{held['what']}, process {held['pid']} on {held['host']}, since {since}"
    except (OSError, ValueError, KeyError):
        return "it does not say which"
