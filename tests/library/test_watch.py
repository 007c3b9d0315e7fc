"""Watching folders: what stands still is indexed once, what grows is waited for, what goes is noted."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import cinescope
from cinescope.library.progress import Cancel, IndexReport
from cinescope.library.watch import Noticed, Settling, Stamp, watch
from cinescope.types import BadQueryError, LibraryBusyError

OLD = (1, 1, 1, ())


def stamp(size: int, clock: float) -> Stamp:
    return (size, int(clock * 1e9), 7, ())


def test_a_file_that_grows_is_waited_for() -> None:
    files = Settling(settle=3.0)
    clock = 1000.0
    for second in range(5):
        assert files.look({"a": stamp(second, clock + second)}, second, clock + second) == ([], [])
    assert files.waits()
    assert files.look({"a": stamp(4, clock + 4)}, 6.5, clock + 6.5) == ([], [])
    assert files.look({"a": stamp(4, clock + 4)}, 7.5, clock + 7.5) == (["a"], [])
    files.take(["a"])
    assert not files.waits()
    assert files.look({"a": stamp(4, clock + 4)}, 90, clock + 90) == ([], [])
    # Changed again, then gone, then back as it was.
    assert files.look({"a": stamp(9, clock + 95)}, 95, clock + 95) == ([], [])
    assert files.look({"a": stamp(9, clock + 95)}, 98, clock + 98) == (["a"], [])
    assert files.look({}, 99, clock + 99) == ([], ["a"])
    files.drop(["a"])
    assert files.look({}, 100, clock + 100) == ([], [])


def test_a_move_is_seen_in_one_look() -> None:
    files = Settling(settle=3.0)
    files.look({"a": OLD}, 0, 1000.0)
    files.take(["a"])
    fresh = stamp(5, 1000.0)
    assert files.look({"b": OLD, "c": fresh}, 1, 1001.0) == (["b"], ["a"])
    assert files.moved(["b"], ["a"]) == {"a"}
    assert files.moved([], ["a"]) == set()


def test_what_nobody_wrote_to_for_long_is_taken_at_once() -> None:
    files = Settling(settle=3.0)
    assert files.look({"old": OLD, "new": stamp(1, 1000.0)}, 0, 1001.0) == (["old"], [])
    # A clock of a server that runs ahead: such a file is watched like a new one.
    assert files.look({"ahead": stamp(1, 2000.0)}, 1, 1002.0) == ([], [])
    assert files.look({"ahead": stamp(1, 2000.0)}, 5, 1006.0) == (["ahead"], [])


@contextmanager
def watching(
    folders: list[Path], index: Callable[[Collection[str]], IndexReport], every: float = 0.3
) -> Iterator[list[Noticed]]:
    told: list[Noticed] = []
    cancel = Cancel()
    thread = threading.Thread(
        target=watch,
        args=([str(f) for f in folders], index),
        kwargs={"every": every, "settle": 0.3, "tell": told.append, "cancel": cancel},
    )
    thread.start()
    try:
        yield told
    finally:
        cancel.set()
        thread.join(5)
        assert not thread.is_alive()


def until(true: Callable[[], object], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def test_files_come_change_move_and_go(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    (one / "a.mp4").write_bytes(b"a")
    (one / "letter.txt").touch()
    runs: list[list[str]] = []

    def index(paths: Collection[str]) -> IndexReport:
        runs.append(sorted(os.path.relpath(p, tmp_path) for p in paths))
        return IndexReport()

    # Looks of its own come far too late for this test: it is the system's events that wake it.
    with watching([one, two], index, every=60.0) as told:
        until(lambda: ["one/a.mp4"] in runs)
        (two / "deep").mkdir()
        (two / "deep" / "b.mkv").write_bytes(b"b")
        until(lambda: ["two/deep/b.mkv"] in runs)
        (one / "a.mp4").write_bytes(b"longer")
        until(lambda: runs.count(["one/a.mp4"]) == 2)
        (two / "deep" / "b.mkv").rename(one / "c.mkv")
        until(lambda: ["one/c.mkv"] in runs)
        assert not any(n.step == "vanished" for n in told)
        (one / "a.mp4").unlink()
        until(lambda: any(n.step == "vanished" and n.paths == (str(one / "a.mp4"),) for n in told))
    assert told[0].step == "watching"
    assert [n.step for n in told].count("indexed") == 4


def test_without_events_it_looks_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object) -> None:
        raise OSError(28, "inotify watch limit reached")

    monkeypatch.setattr("watchdog.observers.api.BaseObserver.start", full)
    runs: list[list[str]] = []

    def index(paths: Collection[str]) -> IndexReport:
        runs.append(list(paths))
        return IndexReport()

    with watching([tmp_path], index) as told:
        until(lambda: told)
        assert "tells no changes here (inotify watch limit reached)" in told[0].message
        (tmp_path / "a.mp4").touch()
        until(lambda: [str(tmp_path / "a.mp4")] in runs)


def test_another_writer_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    tries: list[int] = []

    def index(paths: Collection[str]) -> IndexReport:
        tries.append(len(paths))
        if len(tries) < 3:
            raise LibraryBusyError("another process is writing")
        return IndexReport()

    with watching([tmp_path], index) as told:
        until(lambda: any(n.step == "indexed" for n in told))
    assert tries == [1, 1, 1]
    assert [n.step for n in told][1:] == ["found", "busy", "found", "busy", "found", "indexed"]


def test_what_is_gone_is_noted_once_the_other_writer_has_ended(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    busy = [False, True, False]  # for the runs in their order

    def index(paths: Collection[str]) -> IndexReport:
        if busy.pop(0):
            raise LibraryBusyError("another process is writing")
        return IndexReport()

    with watching([tmp_path], index, every=60.0) as told:
        until(lambda: any(n.step == "indexed" for n in told))
        (tmp_path / "a.mp4").unlink()
        until(lambda: any(n.step == "vanished" for n in told))
    assert [n.step for n in told][-2:] == ["busy", "vanished"]


def test_folders_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadQueryError, match="nothing to watch"):
        watch([str(tmp_path / "no")], lambda _: IndexReport())
    here = tmp_path / "here"
    here.mkdir()
    with watching([here, tmp_path / "later"], lambda _: IndexReport()) as told:
        until(lambda: any(n.step == "problem" for n in told))
        time.sleep(1)
        assert [n.step for n in told] == ["watching", "problem"]  # said once


def test_a_library_follows_its_folder(clips: Path, tmp_path: Path) -> None:
    """With real files: a copy that takes its time, a file that is no video, a move, and a search in between."""
    folder = tmp_path / "videos"
    folder.mkdir()
    lib = cinescope.open(folder / "library")  # inside the folder: its own files must not wake it for ever
    told: list[Noticed] = []
    cancel = Cancel()
    thread = threading.Thread(
        target=lib.watch,
        args=(folder,),
        kwargs={
            "tell": told.append, "every": 0.5, "settle": 0.5, "cancel": cancel, "only": ["shots", "transcript"],
        },
    )  # fmt: skip
    thread.start()
    reader = cinescope.open(folder / "library")
    try:
        until(lambda: told)
        (folder / "broken.mp4").write_bytes(b"no video at all")
        until(lambda: any(n.report and n.report.problems for n in told))
        whole = (clips / "kitchen.mp4").read_bytes()
        with open(folder / "kitchen.mp4", "wb", buffering=0) as slow:
            for part in range(10):
                slow.write(whole[part * len(whole) // 10 : (part + 1) * len(whole) // 10])
                time.sleep(0.15)
        until(lambda: any(n.report and n.report.indexed for n in told))
        assert not reader.search("salt").moments
        shutil.copy(clips / "kitchen.vtt", folder)
        until(lambda: reader.search("salt").moments)  # the lock is free, the words are there
        (folder / "kitchen.vtt").rename(folder / "soup.vtt")
        (folder / "kitchen.mp4").rename(folder / "soup.mp4")
        until(lambda: any(n.report and n.report.moved for n in told))
        until(lambda: [v.name for v in reader.videos() if v.state == "here"] == ["soup.mp4"])
        reader.tag("soup.mp4", "dinner")
        looks = len(told)
        time.sleep(1.5)
        assert len(told) == looks  # nothing changed, nothing is told
    finally:
        cancel.set()
        thread.join(10)
    assert not thread.is_alive()
    problems = [p for n in told if n.report for p in n.report.problems]
    assert [os.path.basename(p.path) for p in problems] == ["broken.mp4"]  # once, not at every look
    read = [os.path.basename(p) for n in told if n.report and n.report.indexed for p in n.paths]
    assert read == ["kitchen.mp4", "kitchen.mp4", "soup.mp4"]  # again when subtitles came, and had another name
