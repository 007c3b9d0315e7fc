"""Ctrl-C that stops a long run at a clean place."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cinescope.library.progress import Cancel


@contextmanager
def stopping() -> Iterator[Cancel]:
    """While this lasts, the first Ctrl-C (or SIGTERM) asks the run to stop at a clean place; the second ends it."""
    from cinescope.library.progress import Cancel

    cancel = Cancel()

    def asked(number: int, frame: Any) -> None:
        if cancel:
            raise KeyboardInterrupt
        cancel.set()
        os.write(2, b"\nstopping at the next safe place (Ctrl-C again: at once) ...\n")

    before = {s: signal.signal(s, asked) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield cancel
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
