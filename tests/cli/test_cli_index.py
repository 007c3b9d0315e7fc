"""`cinescope index`: what it says, what it returns, how it stops."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cinescope.cli.index import parse_settings
from cinescope.cli.progress_view import LogView
from cinescope.library.progress import Progress
from cinescope.types import BadQueryError

Cli = Callable[..., tuple[int, str, str]]
QUICK = ("--only", "transcript")  # the clips have subtitles: no recogniser runs


def test_a_folder_is_read_and_known_the_second_time(cinescope_cli: Cli, clips: Path, tmp_path: Path) -> None:
    status, out, err = cinescope_cli("index", clips, *QUICK, "--library", tmp_path / "lib")
    assert status == 0
    assert "3 videos read: 12 seconds of material" in out
    assert "3 pieces of speech" in out
    assert "now try: cinescope search SOME WORDS --library" in out
    assert "reading garden.mp4 (0:06)" in err
    assert "done garden.mp4" in err
    status, out, _ = cinescope_cli("index", "--library", tmp_path / "lib", *QUICK)  # everything known
    assert status == 0
    assert "3 videos already known and unchanged" in out


def test_bad_files_are_named_and_the_others_go_on(cinescope_cli: Cli, clips: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(clips / "kitchen.mp4", folder)
    (folder / "empty.mp4").touch()
    (folder / "letter.mp4").write_text("Dear Sir,\n" * 50)
    status, out, err = cinescope_cli("index", folder, folder / "missing.mp4", *QUICK, "--library", tmp_path / "lib")
    assert status == 1
    assert "1 video read" in out
    assert "3 files could not be read:" in err
    for name in ("empty.mp4: the file is empty", "letter.mp4:", "missing.mp4: there is no such file"):
        assert name in err


def test_odd_names_are_shown_escaped(cinescope_cli: Cli, clips: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    odd = os.fsencode(folder) + b"/new\nline \xff\x1b[31m.mp4"
    shutil.copy(os.fsencode(clips / "kitchen.mp4"), odd)
    status, out, err = cinescope_cli("index", folder, *QUICK, "--library", tmp_path / "lib")
    assert status == 0
    status, out, err = cinescope_cli("list", "--library", tmp_path / "lib")
    assert "\x1b" not in out + err
    assert r"new\nline \xff\x1b[31m.mp4" in out
    status, out, _ = cinescope_cli("list", "--json", "--library", tmp_path / "lib")
    assert os.fsencode(json.loads(out)[0]["path"]) == odd


def test_json_is_one_document(cinescope_cli: Cli, clips: Path, tmp_path: Path) -> None:
    status, out, err = cinescope_cli("index", clips, *QUICK, "--json", "--library", tmp_path / "lib")
    report = json.loads(out)
    assert status == 0
    assert err == ""
    assert len(report["indexed"]) == 3
    assert report["problems"] == []


def test_quiet_says_nothing(cinescope_cli: Cli, clips: Path, tmp_path: Path) -> None:
    assert cinescope_cli("index", clips, *QUICK, "--quiet", "--library", tmp_path / "lib") == (0, "", "")


@pytest.mark.parametrize(
    "args", [["--only", "nonsense"], ["--skip", "nonsense"], ["--set", "nonsense"], ["--jobs", "-1"], ["--what"]]
)
def test_wrong_options_are_usage_errors(args: list[str], cinescope_cli: Cli, clips: Path, tmp_path: Path) -> None:
    status, _, err = cinescope_cli("index", clips, *args, "--library", tmp_path / "lib")
    assert status == 2
    assert "Traceback" not in err


def test_nothing_to_index_is_said(cinescope_cli: Cli, tmp_path: Path) -> None:
    status, _, err = cinescope_cli("index", "--library", tmp_path / "lib")
    assert status == 2
    assert "name a folder" in err
    (tmp_path / "empty").mkdir()
    status, out, _ = cinescope_cli("index", tmp_path / "empty", "--library", tmp_path / "lib")
    assert status == 0
    assert "no videos were found there" in out


def test_a_busy_library_is_told_from_others(cinescope_cli: Cli, clips: Path, library: Path) -> None:
    from cinescope.library.lock import writing
    from cinescope.library.store import Store

    with writing(Store.open(str(library)), "another index"):
        status, _, err = cinescope_cli("index", clips, "--library", library)
    assert status == 75
    assert "another index" in err
    assert "--wait" in err


def test_settings_are_json_where_they_can_be() -> None:
    assert parse_settings(["a.x=1", "a.y=true", "b.model=small", 'b.list=["x"]', "c.z="]) == {
        "a": {"x": 1, "y": True},
        "b": {"model": "small", "list": ["x"]},
        "c": {"z": ""},
    }
    for wrong in ("x", "a=1", ".x=1", "a.=1"):
        with pytest.raises(BadQueryError):
            parse_settings([wrong])


def test_a_log_has_few_lines_and_the_time_left(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    with LogView() as view:
        for second in range(600):
            clock[0] = float(second)
            view(Progress("advance", "a\nb.mp4", "id", 2.0 * second, 1200.0, 2.0 * second, 1200.0))
        view(Progress("done", "a\nb.mp4", "id"))
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == r"reading a\nb.mp4 (20:00)"
    assert lines[-1] == r"done a\nb.mp4"
    assert 10 < len(lines) < 30
    share, minutes, seconds = next(
        map(int, found.groups())
        for line in lines
        if (found := re.search(r"; (5\d) % of all, about (\d):(\d\d) left", line))
    )
    assert abs(60 * minutes + seconds - 600 * (100 - share) / 100) < 10


def test_the_bar_follows_without_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    from cinescope.cli.progress_view import BarView

    with BarView() as view:
        view(Progress("scan", message="x"))
        view(Progress("advance", "a.mp4", "1", 1.0, 10.0, 1.0, 20.0))
        view(Progress("advance", "[b].mp4", "2", 1.0, 10.0, 2.0, 20.0))
        assert view._description(Progress("advance")) == "[b].mp4 and 1 more"
        view(Progress("done", "a.mp4", "1", done_seconds=30.0, total_seconds=20.0))
        task = view._bar.tasks[0]
        assert (task.completed, task.total) == (20.0, 20.0)
        view(Progress("tidy"))
        assert task.description == "tidying up"


def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(tmp_path: Path) -> None:
    from tests.conftest import write_clip

    folder = tmp_path / "in"
    folder.mkdir()
    for n in range(6):
        write_clip(folder / f"{n}.mp4", [(f"Number {n}", (30 * n, 60, 90))], 8)
    command = [sys.executable, "-m", "cinescope", "index", str(folder), "--library", str(tmp_path / "lib")]
    command += ["--only", "voice"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith("reading"):
            break
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 130, (out, err)
    assert "what was read is kept" in out
    assert "Traceback" not in err
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    import cinescope

    videos = cinescope.open(tmp_path / "lib").videos()
    assert len(videos) == 6
    assert all(set(v.analysed.values()) == {"done"} for v in videos)
