"""A recogniser at work in a process of its own, while this one goes on with the pictures. Knows pipes, not sound.

PocketSphinx holds Python's lock while it listens, seconds at a time, so a thread would not do. The words are the same
as without: a recogniser's answer depends on its samples alone.
"""

from __future__ import annotations

import atexit
import contextlib
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, BinaryIO, Protocol

import numpy as np

from cinescope.features.speech import Heard, Recogniser
from cinescope.types import CinescopeError


class Answer(Protocol):
    def result(self) -> Heard:
        """Waits until the words are there."""
        ...


class _Inline:
    """An answer that is worked out when it is asked for."""

    def __init__(self, recogniser: Recogniser, samples: np.ndarray, start: float) -> None:
        self._asked = (recogniser, samples, start)

    def result(self) -> Heard:
        recogniser, samples, start = self._asked
        return recogniser.transcribe(samples, start)


def ask(recogniser: Recogniser, samples: np.ndarray, start: float) -> Answer:
    """As `Recogniser.transcribe`, but the answer may be fetched later; beside this process where that is quicker.

    Not where this process is itself one of several workers (the processors are taken), nor for recognisers that let
    other threads run.
    """
    alone = multiprocessing.parent_process() is None and (os.cpu_count() or 1) > 1
    if recogniser.name != "pocketsphinx" or not alone:
        return _Inline(recogniser, samples, start)
    return _beside().ask(samples, start)


class _Beside:
    """The child process, and the thread that talks with it: one question at a time, in order."""

    def __init__(self) -> None:
        # `-c` and no module name, so that the child does not import the command line.
        command = [sys.executable, "-c", f"from {__name__} import serve; serve()"]
        # In a session of its own: a Ctrl-C while it starts is not for it.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="recogniser")
        atexit.register(self.close)

    def ask(self, samples: np.ndarray, start: float) -> Answer:
        return self._thread.submit(self._talk, samples, start)

    def _talk(self, samples: np.ndarray, start: float) -> Heard:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            pickle.dump((samples, start), self._process.stdin)
            self._process.stdin.flush()
            answer = pickle.load(self._process.stdout)  # noqa: S301 - from the child that was started above
        except (EOFError, BrokenPipeError) as error:
            code = self._process.wait()
            _beside.cache_clear()  # the next question starts another
            raise CinescopeError(f"the recogniser's process ended (exit code {code})", "index again") from error
        if isinstance(answer, Heard):
            return answer
        raise CinescopeError(str(answer))

    def close(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # the child is gone already
                self._process.stdin.close()
        self._thread.shutdown(wait=False, cancel_futures=True)
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()


@cache
def _beside() -> _Beside:
    return _Beside()


def serve() -> None:
    """The life of the child: read a question, write the answer, until its input ends."""
    from cinescope.features.speech.pocketsphinx import PocketSphinx

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle; it then closes the pipe
    questions: BinaryIO = sys.stdin.buffer
    # Whatever a library prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    recogniser = PocketSphinx()
    while True:
        try:
            samples, start = pickle.load(questions)  # noqa: S301 - from the parent
        except EOFError:
            return
        answer: Any
        try:
            answer = recogniser.transcribe(samples, start)
        except Exception as error:  # noqa: BLE001 - told to the parent, which raises it
            answer = f"{type(error).__name__}: {error}" if not isinstance(error, CinescopeError) else str(error)
        pickle.dump(answer, answers)
        answers.flush()
