"""`search --like` and `duplicates` as people type them: what they print, how they end, what JSON they give."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

Cli = Callable[..., tuple[int, str, str]]


def test_a_film_is_found_and_opened_by_its_number(films: Path, cinescope_cli: Cli) -> None:
    lib = ("--library", films / "lib")
    status, out, err = cinescope_cli("search", "--like", films / "part.mp4", *lib)
    assert status == 0
    assert out.splitlines()[0].split()[1] == "second.mp4"
    assert "same: 0.0-" in out
    assert "of part.mp4, with other sound" in out
    assert "part.mp4 itself is in this library and left out" in err
    status, out, _ = cinescope_cli("open", "1", "--print", *lib)
    assert status == 0


def test_json_says_how_each_moment_is_the_same(films: Path, cinescope_cli: Cli) -> None:
    status, out, _ = cinescope_cli("search", "--like", "first.mp4@1-5", "--library", films / "lib", "--json")
    assert status == 0
    first = json.loads(out)["moments"][0]
    assert first["title"] == "copy.mp4"
    assert first["same"]["mirrored"] is False
    assert first["same"]["picture_seconds"] > 2
    assert {e["kind"] for e in first["evidence"]} == {"picture", "sound"}


def test_filters_and_nothing(films: Path, cinescope_cli: Cli) -> None:
    lib = ("--library", films / "lib")
    status, out, err = cinescope_cli("search", "--like", "first.mp4", "--video", "plain", *lib)
    assert (status, out) == (1, "")
    assert "nothing like it here" in err


@pytest.mark.parametrize(
    ("args", "status", "said"),
    [
        (("sea", "--like", "first.mp4"), 2, "together"),
        (("--like", "first.mp4", "--speech"), 2, "in:speech"),
        (("--like", "first.mp4", "--meaning"), 2, "--meaning"),
        (("--like", "nowhere.png"), 1, "no file 'nowhere.png'"),
        (("--like", "plain.mp4@0-2"), 2, "nothing can be compared"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(
    films: Path, cinescope_cli: Cli, args: tuple[str, ...], status: int, said: str
) -> None:
    ended, out, err = cinescope_cli("search", *args, "--library", films / "lib")
    assert (ended, out) == (status, "")
    assert said in err
    assert "Traceback" not in err
    assert len(err.splitlines()) <= 2


def test_duplicates_lists_groups_and_deletes_nothing(films: Path, cinescope_cli: Cli) -> None:
    status, out, err = cinescope_cli("duplicates", "--library", films / "lib")
    assert status == 0
    lines = out.splitlines()
    assert "copies of one another" in lines[0]
    assert lines[1].split()[0] == "first.mp4"
    assert "192 x 128" in lines[1]
    assert lines[2].split()[0] == "copy.mp4"
    assert "a part of a longer one" in out
    assert "with other sound" in out
    assert "nothing was deleted" in err


def test_duplicates_as_json(films: Path, cinescope_cli: Cli) -> None:
    status, out, _ = cinescope_cli("duplicates", "--library", films / "lib", "--json")
    assert status == 0
    told = json.loads(out)
    assert [g["kind"] for g in told["groups"]] == ["copies", "part"]
    assert told["deleted"] == 0
    match = told["groups"][0]["matches"][0]
    assert match["kinds"] == ["picture", "sound"]
    assert match["speed"] == pytest.approx(1.0, abs=0.02)


def test_no_duplicates_is_status_one(films: Path, cinescope_cli: Cli) -> None:
    status, out, err = cinescope_cli("duplicates", "--min-seconds", "100", "--library", films / "lib")
    assert (status, out) == (1, "")
    assert "nothing repeats in 5 videos" in err
    assert cinescope_cli("duplicates", "--min-seconds", "0", "--library", films / "lib")[0] == 2
