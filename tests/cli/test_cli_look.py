"""`list`, `show`, `export`: what is in the library, for eyes and for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cinescope.cli.text import width

Cli = Callable[..., tuple[int, str, str]]


def test_list_shows_every_video(cinescope_cli: Cli, indexed: Path) -> None:
    status, out, _ = cinescope_cli("list", "--library", indexed)
    assert status == 0
    assert "garden.mp4" in out
    assert "In the garden" in out
    assert "ready" in out
    assert "3 videos, 12 seconds" in out
    found = json.loads(cinescope_cli("list", "--json", "--library", indexed)[1])
    assert {v["state"] for v in found} == {"here"}
    assert found[0]["analysed"]["transcript"] == "done"
    assert cinescope_cli("list", "nothing", "like", "it", "--library", indexed)[0] == 1


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_show_is_as_wide_as_the_terminal(
    columns: int, cinescope_cli: Cli, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    status, out, _ = cinescope_cli("show", "garden", "--library", indexed)
    assert status == 0
    lines = out.splitlines()
    strips = [line for line in lines if line.startswith(("shots", "speech", "screen"))]
    assert len(strips) == 3
    assert all(width(line) <= columns for line in strips)
    assert any("█" in line for line in strips)
    wrapped = [line for line in lines if line.startswith(("0:", "     "))]
    assert all(width(line) <= columns for line in wrapped)
    joined = " ".join(" ".join(wrapped).split())
    assert "Welcome to the garden." in joined


def test_show_puts_words_in_order_of_time_with_notes_among_them(cinescope_cli: Cli, library: Path) -> None:
    cinescope_cli("note", "garden@0:02", "look here", "--library", library)
    lines = cinescope_cli("show", "garden", "--library", library)[1].splitlines()
    order = [next(i for i, line in enumerate(lines) if w in line) for w in ("Welcome", "look here", "The red car")]
    assert order == sorted(order)


def test_show_can_be_narrowed(cinescope_cli: Cli, indexed: Path) -> None:
    out = cinescope_cli("show", "garden", "--from", "0:03", "--to", "0:06", "--library", indexed)[1]
    assert "Welcome" not in out
    assert "The red car" in out
    found = json.loads(cinescope_cli("show", "garden", "--kind", "speech", "--json", "--library", indexed)[1])
    assert [t["kind"] for t in found["tracks"]] == ["speech"]
    assert found["tracks"][0]["segments"][0]["text"] == "Welcome to the garden."
    assert cinescope_cli("show", "garden", "--from", "soon", "--library", indexed)[0] == 2


def test_export_writes_what_others_read(cinescope_cli: Cli, indexed: Path, tmp_path: Path) -> None:
    at = ("--library", indexed)
    assert "00:00:03,200 --> 00:00:05,500\nThe red car" in cinescope_cli("export", "garden", *at)[1]
    assert cinescope_cli("export", "garden", "-f", "vtt", *at)[1].startswith("WEBVTT")
    rows = list(csv.DictReader(io.StringIO(cinescope_cli("export", "garden", "-f", "csv", *at)[1])))
    assert any(r["kind"] == "speech" and r["start"] == "3.2" for r in rows)
    assert json.loads(cinescope_cli("export", "garden", "--json", *at)[1])["tracks"]
    assert cinescope_cli("export", "garden", "-f", "chapters", *at)[1].startswith("0:00 ")
    status, out, _ = cinescope_cli("export", "garden", "-o", tmp_path / "a.vtt", *at)
    assert (status, out) == (0, "")
    assert (tmp_path / "a.vtt").read_text().startswith("WEBVTT")
    assert cinescope_cli("export", "garden", "-f", "docx", *at)[0] == 2
    assert cinescope_cli("export", "silent", *at)[0] == 1
    assert cinescope_cli("export", "garden", "-o", tmp_path / "no" / "a.srt", *at)[0] == 1


def test_export_writes_lists_for_editing_programs(cinescope_cli: Cli, indexed: Path, tmp_path: Path) -> None:
    import opentimelineio as otio

    at = ("--library", indexed)
    status, _, err = cinescope_cli("export", "garden", "-o", tmp_path / "a.otio", *at)
    assert (status, err.count("note:")) == (0, 0)
    line = otio.adapters.read_from_file(str(tmp_path / "a.otio"))
    assert [c.source_range.duration.value for c in line.video_tracks()[0]] == [30, 30]
    assert line.video_tracks()[0][1].markers[0].name == "The red car is parked outside."
    assert "* FROM CLIP NAME: garden.mp4" in cinescope_cli("export", "garden", "-f", "edl", *at)[1]
    assert cinescope_cli("export", "--hits", "-f", "edl", *at)[0] == 2  # nothing was searched yet
    assert cinescope_cli("search", "water", *at)[0] == 0
    status, out, _ = cinescope_cli("export", "--hits", "-f", "edl", *at)
    assert status == 0
    assert "* FROM CLIP NAME: kitchen.mp4" in out
    assert "TITLE: Hits" in out
    for wrong in ((), ("garden", "--hits", "-f", "edl"), ("--hits", "-f", "srt")):
        assert cinescope_cli("export", *wrong, *at)[0] == 2
