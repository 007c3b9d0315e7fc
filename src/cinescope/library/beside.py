"""Two things at once: a function that runs in a thread of its own while its caller goes on. Knows no searches."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

R = TypeVar("R")


class Beside(Generic[R]):
    """`run` begins at once; `result()` waits for it and gives what it gave, or raises what it raised.

    The thread does not keep the program alive: who does not ask for the result does not wait for it.
    """

    def __init__(self, run: Callable[[], R]) -> None:
        self._run = run
        self._made: list[R] = []
        self._raised: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="beside", daemon=True)
        self._thread.start()

    def result(self) -> R:
        self._thread.join()
        if self._raised is not None:
            raise self._raised
        return self._made[0]

    def _work(self) -> None:
        try:
            self._made.append(self._run())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._raised = error
