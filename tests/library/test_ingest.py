"""Indexing with quick stand-in analysers over real containers."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import av
import fakes
import numpy as np
import pytest

from cinescope import analysers
from cinescope.library import analysis, ingest, upkeep
from cinescope.library.progress import Cancel, Progress
from cinescope.library.store import Store
from cinescope.types import BadQueryError, LibraryBusyError, LibraryError


def render(path: Path, seconds: float, seed: int = 0, rate: int = 10) -> Path:
    """A small video with B-frames and sound, every frame and sample different."""
    random = np.random.default_rng(seed)
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=rate, options={"g": "25", "bf": "2", "preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 96, 64, "yuv420p"
        audio = out.add_stream("aac", rate=22_050, layout="mono")
        for _n in range(round(seconds * rate)):
            picture = random.integers(0, 255, (8, 12, 3), np.uint8).repeat(8, 0).repeat(8, 1)
            for packet in video.encode(av.VideoFrame.from_ndarray(picture, "rgb24")):
                out.mux(packet)
        sound = (random.standard_normal((1, round(seconds * 22_050))) * 0.1).astype(np.float32)
        for start in range(0, sound.shape[1], 1024):
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[:, start : start + 1024]), "fltp", "mono")
            frame.sample_rate, frame.pts = 22_050, start
            for packet in audio.encode(frame):
                out.mux(packet)
        for stream in (video, audio):
            for packet in stream.encode(None):
                out.mux(packet)
    return path


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    render(folder / "one.mp4", 23, 1)
    render(folder / "two.mp4", 9, 2)
    return folder


@pytest.fixture(autouse=True)
def _fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(analysers, "CATALOGUE", dict(fakes.CATALOGUE))
    monkeypatch.setattr(analysis, "STRETCH", 4.0)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(str(tmp_path / "lib"))


def content(store: Store) -> list[tuple]:
    store.refresh()
    rows = store.rows("segments", ["video_id", "source", "seq", "kind", "start", "end", "text"])
    thumbs = store.rows("thumbs")
    vectors = store.rows("vectors_fake-1") if "fake@1" in store.spaces() else []
    vectors = [r | {"vector": str(r["vector"])} for r in vectors]
    return [row for table in (rows, thumbs, vectors) for row in sorted(tuple(r.values()) for r in table)]


@pytest.fixture(scope="session")
def whole(films: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple]:
    """What an uninterrupted run over both films makes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(analysers, "CATALOGUE", dict(fakes.CATALOGUE))
        store = Store.create(str(tmp_path_factory.mktemp("whole") / "lib"))
        report = ingest.index(store, films)
        assert report.ok
        assert len(report.indexed) == 2
        return content(store)


def test_first_run_then_nothing_to_do(store: Store, films: Path, whole: list[tuple]) -> None:
    assert content(store) == []
    report = ingest.index(store, films)
    assert report.ok, report.problems
    assert content(store) == whole
    assert report.media_seconds == pytest.approx(32, abs=3)
    again = ingest.index(store, films)
    assert (again.indexed, again.unchanged, again.media_seconds) == ((), 2, 0.0)
    assert content(store) == whole


def test_windows_are_fed_whole(whole: list[tuple]) -> None:
    eyes = [r for r in whole if r[1].startswith("eye@") and r[6].startswith("seen")]
    assert sum(int(r[6].split()[0][4:]) for r in eyes) == 230 + 90
    ears = [r for r in whole if r[1].startswith("ear@")]
    assert {r[6].split()[0] for r in ears} == {"32000"}
    late = [int(r[6].split()[0]) for r in whole if r[1].startswith("late@")]
    assert sum(late) == len(eyes)
    times = [r[6].split()[0] for r in sorted(r for r in whole if r[1].startswith("glance@"))]
    assert any(t.startswith("0.000,0.333,0.667,1.000,1.333,1.667") for t in times)


@pytest.mark.parametrize("stop_after", [1, 4, 9, 14])
def test_cancelled_run_goes_on_to_the_same_rows(store: Store, films: Path, whole: list[tuple], stop_after: int) -> None:
    cancel = Cancel()
    seen: list[Progress] = []

    def listen(message: Progress) -> None:
        seen.append(message)
        if sum(m.step == "advance" for m in seen) == stop_after:
            cancel.set()

    first = ingest.index(store, films, progress=listen, cancel=cancel)
    assert first.cancelled
    assert not first.ok
    report = ingest.index(store, films)
    assert report.ok
    assert content(store) == whole
    if stop_after >= 4:
        assert report.media_seconds < 33


def test_rows_left_by_a_killed_run_are_cleared(store: Store, films: Path, whole: list[tuple]) -> None:
    """A kill between the rows and the ledger: the rows are there, the ledger does not know them."""
    real = Store.upsert
    calls = 0

    def dies(self: Store, table: str, keys: list[str], rows: list[dict]) -> None:
        nonlocal calls
        if table == "ledger" and rows and rows[0]["analyser"] != "container":
            calls += 1
            if calls == 3:
                raise KeyboardInterrupt
        real(self, table, keys, rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "upsert", dies)
        with pytest.raises(KeyboardInterrupt):
            ingest.index(store, films)
    fresh = Store.open(store.place)
    report = ingest.index(fresh, films)
    assert report.ok
    assert content(fresh) == whole


@pytest.mark.parametrize("write", range(1, 9))
def test_a_kill_at_any_write_of_the_register(store: Store, films: Path, whole: list[tuple], write: int) -> None:
    """Videos, places and titles are several commits: whichever is the last, the next run makes the rest."""
    count = 0

    def deadly(real: Callable[..., None]) -> Callable[..., None]:
        def wrapped(self: Store, table: str, *rest: object) -> None:
            nonlocal count
            count += 1
            if count == write:
                raise KeyboardInterrupt
            real(self, table, *rest)

        return wrapped

    with pytest.MonkeyPatch.context() as patch:
        for name in ("append", "upsert", "delete"):
            patch.setattr(Store, name, deadly(getattr(Store, name)))
        with pytest.raises(KeyboardInterrupt):
            ingest.index(store, films)
    fresh = Store.open(store.place)
    assert ingest.index(fresh, films).ok
    assert content(fresh) == whole


def test_many_processes_make_the_same_rows(store: Store, films: Path, whole: list[tuple], monkeypatch) -> None:
    # The workers are fresh interpreters: they learn of the stand-ins through the environment they import.
    monkeypatch.setattr(analysis, "STRETCH", 60.0)
    from cinescope.library import pool

    monkeypatch.setattr(pool, "_serve", fakes_serve)
    report = ingest.index(store, films, jobs=2)
    assert report.ok, report.problems
    assert content(store) == whole


def fakes_serve(pipe) -> None:
    analysers.CATALOGUE = dict(fakes.CATALOGUE)
    from cinescope.library.pool import _serve

    _serve(pipe)


def test_a_new_version_replaces_the_old(store: Store, films: Path, monkeypatch) -> None:
    ingest.index(store, films, only=["ear"])
    before = {r["source"] for r in store.rows("segments", ["source"])}
    monkeypatch.setattr(fakes.Ear, "version", "2")
    report = ingest.index(store, films, only=["ear"])
    assert len(report.indexed) == 2
    store.refresh()
    after = {r["source"] for r in store.rows("segments", ["source"])}
    assert {s.split(":")[0] for s in before} == {"container@1", "ear@1"}
    assert {s.split(":")[0] for s in after} == {"container@1", "ear@2"}
    report = ingest.index(store, films, only=["ear"], settings={"ear": {"flavour": "sour"}})
    assert len(report.indexed) == 2


def test_a_later_analyser_gets_the_stored_track(store: Store, films: Path, whole: list[tuple]) -> None:
    ingest.index(store, films, only=["eye"])
    ingest.index(store, films, only=["late"])
    late = [int(r[6].split()[0]) for r in content(store) if r[1].startswith("late@")]
    eyes = [r for r in content(store) if r[1].startswith("eye@") and r[6].startswith("seen")]
    assert sum(late) == len(eyes)


def test_one_broken_analyser_does_not_stop_the_others(store: Store, films: Path, monkeypatch) -> None:
    monkeypatch.setattr(analysers, "CATALOGUE", fakes.CATALOGUE | {"broken": "fakes:Broken"})
    report = ingest.index(store, films)
    assert not report.ok
    assert len(report.problems) == 2
    assert "broken failed at 4 s (RuntimeError: it broke)" in report.problems[0].what
    kinds = {r["source"].split("@")[0] for r in store.rows("segments", ["source"])}
    assert kinds >= {"eye", "ear", "late", "glance"}
    again = ingest.index(store, films)
    assert [p.what for p in again.problems] == [p.what for p in report.problems]


def test_moved_renamed_offline_gone_and_changed(store: Store, films: Path, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shutil.copytree(films, shelf)
    ingest.index(store, shelf, only=["ear"])
    ids = {r["name"]: r["video_id"] for r in store.rows("locations")}

    (shelf / "one.mp4").rename(shelf / "uno.mp4")
    report = ingest.index(store, shelf, only=["ear"])
    assert (report.moved, report.indexed, report.unchanged) == (1, (), 2)
    store.refresh()
    assert {r["name"]: r["video_id"] for r in store.rows("locations")} == {
        "uno.mp4": ids["one.mp4"],
        "two.mp4": ids["two.mp4"],
    }
    titles = {r["text"] for r in store.rows("segments", filter="kind = 'title'")}
    assert titles == {"uno", "two"}

    shelf.rename(tmp_path / "unplugged")
    report = ingest.index(store, shelf, only=["ear"])
    assert "there is no such file or folder" in report.problems[0].what
    store.refresh()
    assert {r["state"] for r in store.rows("locations")} == {"offline"}
    (tmp_path / "unplugged").rename(shelf)

    (shelf / "two.mp4").unlink()
    ingest.index(store, shelf, only=["ear"])
    store.refresh()
    assert {r["name"]: r["state"] for r in store.rows("locations")} == {"uno.mp4": "here", "two.mp4": "gone"}

    render(shelf / "uno.mp4", 3, 7)
    report = ingest.index(store, shelf, only=["ear"])
    assert any("its content changed since it was indexed" in w.what for w in report.warnings)
    assert len(report.indexed) == 1
    touched = shelf / "uno.mp4"
    os.utime(touched, ns=(1, 1))
    assert ingest.index(store, shelf, only=["ear"]).unchanged == 1


def test_bad_files_are_named_and_the_others_go_on(store: Store, films: Path, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    shutil.copytree(films, shelf)
    (shelf / "empty.mp4").write_bytes(b"")
    (shelf / "text.mp4").write_text("I am no video. " * 50)
    (shelf / "cut.mp4").write_bytes((films / "one.mp4").read_bytes()[:20_000])
    (shelf / "loop").symlink_to(shelf, target_is_directory=True)
    (shelf / "self.mp4").symlink_to(shelf / "self.mp4")
    (shelf / "broken.mp4").symlink_to(shelf / "nowhere.mp4")
    odd = os.path.join(os.fsencode(shelf), b"new\nline \xff.mp4")
    shutil.copy(films / "two.mp4", odd)
    report = ingest.index(store, shelf, only=["ear"])
    assert len(report.indexed) == 2
    problems = {Path(p.path).name: p.what for p in report.problems}
    assert set(problems) == {"empty.mp4", "text.mp4", "cut.mp4", "self.mp4", "broken.mp4"}
    assert problems["empty.mp4"] == "the file is empty"
    store.refresh()
    names = {r["name"] for r in store.rows("locations")}
    assert "new\\nline \\xff.mp4" in names
    assert not any("\n" in p.path for p in report.problems)


def test_a_file_that_changes_under_the_run(store: Store, tmp_path: Path) -> None:
    path = render(tmp_path / "grow.mp4", 12, 3)

    def grow(message: Progress) -> None:
        if message.step == "advance" and message.seconds == 2.0:
            with path.open("ab") as file:
                file.write(b"more")

    report = ingest.index(store, path, progress=grow)
    assert "it changed while it was being indexed" in report.problems[0].what
    store.refresh()
    assert store.count("segments") == 0
    assert store.count("videos") == 0
    assert ingest.index(store, path).ok


def test_a_second_writer_is_told(store: Store, films: Path) -> None:
    code = (
        "import sys, time\nfrom cinescope.library.store import Store\nfrom cinescope.library.lock import writing\n"
        "with writing(Store.open(sys.argv[1]), 'index'):\n    print('held', flush=True); time.sleep(30)\n"
    )
    import sys

    with subprocess.Popen([sys.executable, "-c", code, store.place], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(LibraryBusyError, match=f"index, process {other.pid} on"):
            ingest.index(store, films)
        other.kill()
    assert ingest.index(store, films, only=["ear"]).ok


def test_unknown_analysers_and_settings_are_usage_errors(store: Store, films: Path) -> None:
    with pytest.raises(BadQueryError, match="no analyser 'nose'"):
        ingest.index(store, films, only=["nose"])
    with pytest.raises(BadQueryError, match="does not take these settings"):
        ingest.index(store, films, settings={"ear": {"size": 3}})


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root, to mount a small disk")
def test_a_disk_that_fills_loses_nothing(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    film = render(tmp_path / "long.mp4", 120, 5)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        store = Store.create(str(disk / "lib"))
        with pytest.raises(LibraryError, match=r"the disk that holds .* is full: make room"):
            ingest.index(store, film)
        subprocess.run(["mount", "-o", "remount,size=50m", str(disk)], check=True)
        store = Store.open(store.place)
        before = store.count("segments")
        assert before > 0
        report = ingest.index(store, film)
        assert report.ok
        assert 0 < report.media_seconds < 120
        assert upkeep.verify(store) == []
    finally:
        store = None
        subprocess.run(["umount", "-l", str(disk)], check=False)
