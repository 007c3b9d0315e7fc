"""What people write: tags, notes, corrections, names, collections; and removing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

Cli = Callable[..., tuple[int, str, str]]


def test_tags_go_on_and_off(cinescope_cli: Cli, library: Path) -> None:
    at = ("--library", library)
    assert cinescope_cli("tag", "garden", "summer", "to review", *at)[1] == "garden.mp4: #summer #to review\n"
    cinescope_cli("tag", "kitchen", "summer", *at)
    assert json.loads(cinescope_cli("tag", "--json", *at)[1]) == {"summer": 2, "to review": 1}
    assert cinescope_cli("tag", "garden", "Summer", "--remove", *at)[1] == "garden.mp4: #to review\n"
    _, out, _ = cinescope_cli("list", "--tag", "summer", *at)
    assert "kitchen.mp4" in out
    assert "garden.mp4" not in out


def test_notes_are_on_videos_and_moments_and_can_be_taken_back(cinescope_cli: Cli, library: Path) -> None:
    at = ("--library", library)
    assert cinescope_cli("note", "garden", "ask", "for", "the", "slides", *at)[0] == 0
    assert "at 0:04: nice\\x07light" in cinescope_cli("note", "garden@0:04", "nice\x07light", *at)[1]
    listed = json.loads(cinescope_cli("note", "--list", "--json", *at)[1])
    assert [n["text"] for n in listed] == ["ask for the slides", "nice\x07light"]
    assert listed[1]["span"] == {"start": 4.0, "end": 4.0}
    assert cinescope_cli("search", "slides", *at)[0] == 0
    assert cinescope_cli("note", "--remove", listed[0]["id"][:6], *at)[0] == 0
    assert cinescope_cli("search", "slides", *at)[0] == 1
    assert cinescope_cli("note", "--remove", "zzzz", *at)[0] == 2
    assert cinescope_cli("note", *at)[0] == 2


def test_corrections_are_searched_and_exported(cinescope_cli: Cli, library: Path) -> None:
    at = ("--library", library)
    assert cinescope_cli("correct", "garden", "red car", "rosewood cart", *at)[1] == "corrected in 1 place\n"
    assert cinescope_cli("search", "rosewood", *at)[0] == 0
    assert "The rosewood cart is parked outside." in cinescope_cli("export", "garden", *at)[1]
    status, _, err = cinescope_cli("correct", "garden", "no such words", "x", *at)
    assert status == 2
    assert "no such words" in err
    note = json.loads(cinescope_cli("note", "--list", "--json", *at)[1])[0]
    assert note["kind"] == "correction"
    cinescope_cli("note", "--remove", note["id"], *at)
    assert cinescope_cli("search", "red car", *at)[0] == 0


def test_a_correction_may_be_for_one_moment_only(cinescope_cli: Cli, library: Path) -> None:
    at = ("--library", library)
    assert cinescope_cli("correct", "garden@0:01", "parked", "parking", *at)[0] == 2  # said later
    assert cinescope_cli("correct", "garden@0:04", "outside", "inside", *at)[1] == "corrected in 1 place\n"
    assert "Welcome to the garden" in cinescope_cli("export", "garden", *at)[1]


def test_people_get_names(cinescope_cli: Cli, library: Path) -> None:
    at = ("--library", library)
    assert cinescope_cli("name", "garden", *at)[1] == "nobody was told apart in this video\n"
    assert cinescope_cli("name", "garden", "speaker-1", "Ada", "Lovelace", *at)[1] == "speaker-1 is Ada Lovelace\n"
    cinescope_cli("name", "garden", "speaker-1", "Grace Hopper", *at)
    assert json.loads(cinescope_cli("name", "garden", "--json", *at)[1]) == {"speaker-1": "Grace Hopper"}
    assert cinescope_cli("name", "garden", "speaker-1", *at)[0] == 2


def test_collections_gather_and_let_go(cinescope_cli: Cli, library: Path) -> None:
    at = ("--library", library)
    assert cinescope_cli("collection", "add", "home", "garden", "kitchen", *at)[1] == "[home]: 2 videos added\n"
    assert cinescope_cli("collection", "add", "home", "garden", *at)[1] == "[home]: 0 videos added\n"
    assert cinescope_cli("collection", "list", *at)[1] == "[home]  2 videos\n"
    assert "kitchen.mp4" in cinescope_cli("collection", "list", "home", *at)[1]
    assert cinescope_cli("search", "salt", "--collection", "home", *at)[0] == 0
    assert cinescope_cli("collection", "remove", "home", "garden", *at)[1] == "[home]: 1 video taken out\n"
    assert cinescope_cli("collection", "remove", "home", *at)[1] == "[home]: 1 video taken out\n"
    assert cinescope_cli("collection", "list", "home", *at)[0] == 1


def test_removing_asks_or_needs_yes(cinescope_cli: Cli, library: Path, clips: Path) -> None:
    at = ("--library", library)
    status, _, err = cinescope_cli("remove", "garden", *at)  # no terminal: nobody to ask
    assert status == 2
    assert "--yes" in err
    assert cinescope_cli("search", "red car", *at)[0] == 0
    status, out, _ = cinescope_cli("remove", "garden", "--yes", *at)
    assert status == 0
    assert out.startswith("forgot 1 video (")
    assert cinescope_cli("search", "red car", *at)[0] == 1
    assert (clips / "garden.mp4").exists()
    assert cinescope_cli("remove", "garden", "--yes", *at)[0] == 1


def test_an_answer_of_no_removes_nothing(cinescope_cli: Cli, library: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda question: False)
    cinescope_cli("tag", "garden", "dear", "--library", library)
    status, out, _ = cinescope_cli("remove", "garden", "--library", library)
    assert status == 1
    assert "1 thing that people wrote" in out
    assert "nothing was removed" in out
    assert cinescope_cli("search", "red car", "--library", library)[0] == 0
