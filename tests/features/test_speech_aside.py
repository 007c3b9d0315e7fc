from __future__ import annotations

import multiprocessing
import os

import numpy as np
import pytest
from tests.analysers.hearing import say

from cinescope.features.speech import Heard, aside
from cinescope.features.speech.pocketsphinx import PocketSphinx
from cinescope.types import CinescopeError


class Slow:
    name = "slow"
    settings: dict[str, str] = {}  # noqa: RUF012
    languages = ("en",)
    asked = 0

    def transcribe(self, samples: np.ndarray, start: float) -> Heard:
        self.asked += 1
        return Heard(f"{len(samples)} from {start}", (), "en")


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    return say("the weather is very good today", tmp_path_factory.mktemp("said"))


def test_the_words_are_those_of_this_process(beside: None, samples: np.ndarray) -> None:
    inline = PocketSphinx().transcribe(samples, 3.0)
    answers = [aside.ask(PocketSphinx(), part, 3.0) for part in (samples, samples[:1000], samples)]
    first, nothing, second = (a.result() for a in answers)
    assert first == inline == second
    assert inline.text
    assert aside._beside()._process.pid != os.getpid()
    assert nothing.text == ""


def test_other_recognisers_and_workers_listen_themselves(beside: None, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = Slow()
    answer = aside.ask(slow, np.zeros(7, np.float32), 2.0)
    assert not slow.asked
    assert answer.result().text == "7 from 2.0"

    def no_child() -> None:
        raise AssertionError("a worker started a child")

    monkeypatch.setattr(aside, "_beside", no_child)
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: object())
    assert aside.ask(PocketSphinx(), np.zeros(16_000, np.float32), 0.0).result().text == ""
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: None)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert aside.ask(PocketSphinx(), np.zeros(16_000, np.float32), 0.0).result().text == ""


def test_what_goes_wrong_there_is_told_here(beside: None, samples: np.ndarray) -> None:
    with pytest.raises(CinescopeError, match="need float32"):
        aside.ask(PocketSphinx(), np.zeros((2, 2), np.float32), 0.0).result()
    aside._beside()._process.kill()
    aside._beside()._process.wait()
    with pytest.raises(CinescopeError, match="process ended"):
        aside.ask(PocketSphinx(), samples, 0.0).result()
    assert aside.ask(PocketSphinx(), np.zeros(16_000, np.float32), 0.0).result() == Heard("", (), "en")
