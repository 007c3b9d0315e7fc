"""Every ```python and ```bash block of the pages is run, page by page, in a folder with two small videos.

What stands in blocks of other kinds (text, toml) is not run. A python block whose title names a file is written to that
file first. Commands that start with `cinescope` run in this process unless they need a shell.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.conftest import write_clip, write_srt

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
_BLOCK = re.compile(r"^```(\w*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r'title="([\w.]+)"')
_SHELL = re.compile(r"[|&;<>~$`]")


def blocks(page: Path) -> Iterator[tuple[str, str, str, int]]:
    """(language, title, code, line) of each fenced block."""
    text = page.read_text(encoding="utf-8")
    for match in _BLOCK.finditer(text):
        title = _TITLE.search(match[2])
        yield match[1], title[1] if title else "", match[3], text[: match.start()].count("\n") + 1


RUN = [p for p in PAGES if any(kind in ("python", "bash", "console") for kind, *_ in blocks(p))]


@pytest.fixture(scope="session")
def docs_material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the videos that the pages speak of, and a library of them."""
    import cinescope

    folder = tmp_path_factory.mktemp("docs")
    videos = folder / "videos"
    videos.mkdir()
    talk, drive = videos / "talk.mp4", videos / "drive.mp4"
    write_clip(talk, [("Climate", (30, 60, 110)), ("Invoice", (120, 60, 40))], 2, "A talk", "2024-05-18")
    write_srt(
        videos / "talk.en.srt",
        [(0.2, 1.8, "This is the climate report."), (2.1, 3.8, "The red car stands in the garden.")],
    )
    write_clip(drive, [("Coast", (20, 110, 90))], 3, recorded="2023-08-01")
    write_srt(videos / "drive.en.srt", [(0.5, 2.5, "A red car drives to the coast.")])
    report = cinescope.open(folder / "library").index(videos)
    assert report.ok, report
    return folder


@pytest.mark.parametrize("page", RUN, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_blocks_of_a_page_run(
    page: Path,
    docs_material: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cinescope_cli: Callable[..., tuple[int, str, str]],
) -> None:
    shutil.copytree(docs_material / "videos", tmp_path / "videos")
    shutil.copytree(docs_material / "library", tmp_path / "data" / "cinescope" / "library")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    if page.name == "python.md":  # its pages begin with a library called "lib"
        shutil.copytree(docs_material / "library", tmp_path / "lib")
    before = dict(sys.modules)
    names: dict[str, object] = {"__name__": "__main__"}
    try:
        for kind, title, code, line in blocks(page):
            where = f"{page.relative_to(ROOT)}, line {line}"
            if kind == "python":
                if title:
                    (tmp_path / title).write_text(code, encoding="utf-8")
                exec(compile(code, where, "exec", dont_inherit=True), names)
            elif kind in ("bash", "console"):
                for command in commands(code):
                    status, said = run(command, cinescope_cli)
                    assert status == 0, f"{where}: {command}\n{said}"
    finally:
        from cinescope import analysers

        analysers.CATALOGUE.pop("darkness", None)
        for added in set(sys.modules) - set(before):
            if getattr(sys.modules[added], "__file__", None) and str(tmp_path) in str(sys.modules[added].__file__):
                del sys.modules[added]


def commands(code: str) -> list[str]:
    """The command lines of a block; in a console block those after `$ `."""
    lines = code.replace("\\\n", " ").splitlines()
    prompted = [line[2:] for line in lines if line.startswith("$ ")]
    return prompted or [line for line in lines if line.strip() and not line.startswith("#")]


def run(command: str, cli: Callable[..., tuple[int, str, str]]) -> tuple[int, str]:
    unquoted = re.sub(r"'[^']*'|\"[^\"]*\"", "", command)
    if command.startswith("cinescope ") and not _SHELL.search(unquoted):
        status, out, err = cli(*shlex.split(command)[1:])
        return status, out + err
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_pages_name_no_machine_and_no_registry(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for private in ("/work/", "/home/", "/root/", "/tmp/", "pypi.org/simple", "index-url", "--extra-index"):
        assert private not in text, f"{page.relative_to(ROOT)} holds {private}"


def test_every_command_of_the_table_is_on_the_page_of_commands() -> None:
    from cinescope.cli.app import COMMANDS

    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    missing = [name for name in COMMANDS if not re.search(rf"`{name}\b", text)]
    assert not missing


def test_every_dependency_is_in_the_table() -> None:
    import tomllib

    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8").lower()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(r for rs in project["optional-dependencies"].values() for r in rs)]
    names = {re.split(r"[<>=!\[; ]", r)[0].lower() for r in wanted}
    missing = sorted(n for n in names if not re.search(rf"\b{re.escape(n)}\b", text))
    assert not missing
