"""The command line as a whole: help, errors, statuses, pipes, and what it costs to start."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cinescope.cli import app

Cli = Callable[..., tuple[int, str, str]]


def in_process(*args: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cinescope", *args],
        capture_output=True,
        text=True,
        timeout=120,
        **options,  # type: ignore[call-overload]
    )


def test_help_lists_every_command_without_importing_any(cinescope_cli: Cli) -> None:
    status, out, _ = cinescope_cli("--help")
    assert status == 0
    for name, (_, line) in app.COMMANDS.items():
        assert name in out
        assert line in out


@pytest.mark.parametrize("name", sorted(app.COMMANDS))
def test_each_command_shows_an_example(name: str, cinescope_cli: Cli) -> None:
    status, out, _ = cinescope_cli(name, "--help")
    assert status == 0
    assert f"\n  cinescope {name}" in out
    if "\nCommands:" not in out:
        assert "--json" in out
        return
    for sub in (w.split()[0] for w in out.split("\nCommands:")[1].strip().splitlines()):
        status, out, _ = cinescope_cli(name, sub, "--help")
        assert status == 0
        assert f"\n  cinescope {name} {sub}" in out
        assert "--json" in out


def test_an_unknown_command_suggests_a_near_one(cinescope_cli: Cli) -> None:
    status, _, err = cinescope_cli("serch", "x")
    assert status == 2
    assert "did you mean search" in err


def test_without_arguments_it_helps(cinescope_cli: Cli) -> None:
    status, out, err = cinescope_cli()
    assert "index" in out + err
    assert status in (0, 2)  # click 8.2 and later say 2


def test_an_error_is_one_sentence_and_what_to_do(cinescope_cli: Cli, tmp_path: Path) -> None:
    status, out, err = cinescope_cli("list", "--library", tmp_path / "nowhere")
    assert status == 1
    assert out == ""
    lines = err.strip().splitlines()
    assert lines[0].startswith("cinescope: there is no library at")
    assert len(lines) == 2
    assert "Traceback" not in err


def test_a_fault_says_where_its_traceback_is(
    cinescope_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("1 \x1b[31m/ 0")

    monkeypatch.setattr("cinescope.cli.list_videos.open_library", broken)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    status, _, err = cinescope_cli("list")
    assert status == 70
    assert "\x1b" not in err
    log = next(Path(word.rstrip(";")) for word in err.split() if word.startswith(str(tmp_path)))
    assert "ZeroDivisionError" in log.read_text()
    assert "broken" in log.read_text()


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (PermissionError(13, "Permission denied", "/x/y"), 1, "/x/y: permission denied"),
        (OSError(28, "No space left on device", "/x/z"), 1, "/x/z: the disk is full"),
        (BrokenPipeError(32, "Broken pipe"), 1, ""),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_the_system_refuses_is_a_sentence(
    error: BaseException, status: int, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # In a process of its own: the broken pipe replaces standard output.
    code = (
        "import sys, pickle\nfrom cinescope.cli import app, list_videos\n"
        "def fail(*_): raise pickle.loads(bytes.fromhex(sys.argv[1]))\n"
        "list_videos.open_library = fail\nsys.exit(app.run(['list']))"
    )
    import pickle

    done = subprocess.run(
        [sys.executable, "-c", code, pickle.dumps(error).hex()], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == status
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 7 bytes")]
)
def test_too_little_memory_is_a_sentence(
    error: BaseException, cinescope_cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr("cinescope.cli.list_videos.open_library", broken)
    status, _, err = cinescope_cli("list")
    assert status == 1
    assert "the memory of this machine is not enough" in err


def test_a_closed_pipe_is_quiet(indexed: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "cinescope", "list", "--library", str(indexed)],
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=60,
        )
    finally:
        os.close(writing)
    assert done.stderr == b""
    assert done.returncode == 1


_HEAVY = ("torch", "transformers", "cv2", "av", "rapidocr", "faster_whisper", "pocketsphinx", "rich")


@pytest.mark.parametrize(
    ("args", "banned"),
    [
        (["--help"], (*_HEAVY, "numpy", "lance", "pyarrow")),
        (["list"], _HEAVY),
        (["search", "garden"], _HEAVY),
        (["show", "garden"], _HEAVY),
    ],
)
def test_what_a_person_waits_for_imports_little(args: list[str], banned: tuple[str, ...], indexed: Path) -> None:
    code = (
        "import sys\nfrom cinescope.cli.app import run\nstatus = run(sys.argv[2:])\n"
        "loaded = [m for m in sys.argv[1].split(',') if m in sys.modules]\n"
        "print(status, ','.join(loaded), file=sys.stderr)"
    )
    rest = [] if args == ["--help"] else ["--library", str(indexed)]
    done = subprocess.run(
        [sys.executable, "-c", code, ",".join(banned), *args, *rest], capture_output=True, text=True, timeout=60
    )
    assert done.stderr.strip().splitlines()[-1] == "0", done.stderr


def test_the_module_is_the_command() -> None:
    from cinescope import __version__

    done = in_process("--version")
    assert done.stdout.strip() == f"cinescope {__version__}"
    assert done.returncode == 0
