from __future__ import annotations

import threading

import pytest

from cinescope.library.beside import Beside


def test_both_go_on_at_the_same_time() -> None:
    here, there = threading.Event(), threading.Event()

    def run() -> str:
        here.set()
        assert there.wait(10)
        return "done"

    look = Beside(run)
    assert here.wait(10)  # it has begun, and its caller goes on
    there.set()
    assert look.result() == "done"
    assert look.result() == "done"


def test_what_went_wrong_is_raised_where_the_result_is_asked_for() -> None:
    def run() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Beside(run).result()
