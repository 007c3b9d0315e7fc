"""`index --watch` from the command line: lines for people, JSON lines for programs, a clean end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cinescope.cli import watching
from cinescope.library.progress import IndexReport, Problem
from cinescope.library.watch import Noticed


def test_a_watch_tells_programs_and_ends_with_ctrl_c(clips: Path, tmp_path: Path) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    shutil.copy(clips / "old" / "silent.mp4", folder)
    command = [
        sys.executable, "-m", "cinescope", "index", str(folder), "--watch", "--settle", "0.2", "--every", "1", "--json",
        "--only", "shots", "--library", str(tmp_path / "lib"),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ))
    assert process.stdout is not None
    lines = []
    while not lines or lines[-1]["step"] != "indexed":
        lines.append(json.loads(process.stdout.readline()))
    assert [line["step"] for line in lines] == ["watching", "found", "indexed"]
    assert lines[-1]["report"]["segments"]["shot"] == 1
    assert lines[-1]["paths"] == [str(folder / "silent.mp4")]
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert time.monotonic() - began < 10


def test_lines_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    names = ("/v/a.mp4", "/v/b.mp4", "/v/c.mp4", "/v/d.mp4")
    report = IndexReport(("1", "2"), problems=(Problem("/v/c.mp4", "it is broken"),), segments={"shot": 3})
    for noticed in (
        Noticed("watching", ("/v",), "looking every 60 s"),
        Noticed("found", names),
        Noticed("indexed", names, report=report),
        Noticed("indexed", names[:1], report=IndexReport(moved=1)),
        Noticed("vanished", names[:1]),
        Noticed("busy", names, "another process is writing"),
    ):
        watching._line(noticed, quiet=False)
    out = [line[7:] for line in capsys.readouterr().out.splitlines()]
    assert out == [
        "watching /v (looking every 60 s); Ctrl-C to stop",
        "a.mp4, b.mp4, c.mp4 and 1 more: 2 videos read, found 3 shots",
        "a.mp4: 1 video found at a new place",
        "no longer there: a.mp4 (what is known of it is kept)",
        "waiting: another process is writing",
    ]
    watching._line(Noticed("indexed", names, report=report), quiet=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "c.mp4: it is broken" in captured.err


def test_nothing_to_watch(cinescope_cli: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    at = ("--library", tmp_path / "lib")
    assert cinescope_cli("index", "--watch", *at)[0] == 2
    assert cinescope_cli("index", tmp_path / "no", "--watch", *at)[0] == 2
    assert cinescope_cli("index", tmp_path, "--watch", "--only", "shotz", *at)[0] in (2, 3)
