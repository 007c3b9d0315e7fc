"""Removing for good, readers beside writers, copies, checks, versions."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest

from cinescope.library import notes, schema, upkeep
from cinescope.library.lock import writing
from cinescope.library.rows import segment_row
from cinescope.library.store import Store
from cinescope.types import LibraryError, Segment, Source, Span, Video

SOURCE = Source("transcript", "1", {})


def add_video(store: Store, video_id: str, texts: list[str], jpegs: list[bytes] = []) -> None:  # noqa: B006
    """A video as an index run leaves it: one line of speech a second, and pictures."""
    from cinescope.library.codec import video_json

    empty = dict.fromkeys(("title", "recorded", "language", "added", "problem"), "")
    probe = video_json(Video(video_id, 10.0, ()))
    store.append("videos", [empty | {"id": video_id, "duration": 10.0, "probe": probe}])
    store.append(
        "segments",
        [segment_row(video_id, i, Segment(Span(i, i + 1), "speech", SOURCE, text=t)) for i, t in enumerate(texts)],
    )
    made_by = {"video_id": video_id, "source": SOURCE.key}
    store.append("thumbs", [made_by | {"seq": i, "time": float(i), "jpeg": j} for i, j in enumerate(jpegs)])
    entry = made_by | {"analyser": "transcript", "version": "1", "settings": "{}", "inputs": "", "problem": ""}
    entry |= {"done_until": 10.0, "next_seq": max(len(texts), len(jpegs)), "complete": True, "state": b""}
    store.append("ledger", [entry | {"updated": ""}])


def found_in(folder: Path, markers: list[bytes]) -> set[bytes]:
    blobs = [p.read_bytes() for p in folder.rglob("*") if p.is_file()]
    return {m for m in markers if any(m in b for b in blobs)}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.create(str(tmp_path / "lib"))


def test_remove_leaves_no_byte_and_readers_go_on(store: Store) -> None:
    random = np.random.default_rng(0)
    picture = b"\xff\xd8" + random.bytes(5000)
    add_video(store, "a" * 32, ["the qqmarkerone speaks", "and qqmarkertwo"], [picture])
    for i in range(3):
        add_video(store, f"{i}" * 32, [f"word{n} stays here" for n in range(20)], [random.bytes(900)])
    notes.add(store, "note", "a" * 32, "a private qqmarkerthree")
    notes.add(store, "tag", "a" * 32, "qqmarkerfour")
    upkeep.tidy(store)
    markers = [b"qqmarkerone", b"qqmarkertwo", b"qqmarkerthree", b"qqmarkerfour", picture[100:400], b"a" * 32]
    assert found_in(store.folder, markers) == set(markers), "the search itself must be able to find them"

    reader = Store.open(store.place)
    assert reader.count("segments") == 2 + 60 + 2
    report = upkeep.remove(store, ["a" * 32])
    assert report.videos == 1
    assert report.rows == 1 + 4 + 1 + 2 + 1
    assert found_in(store.folder, markers) == set()
    assert len(reader.rows("segments")) == 60
    assert upkeep.verify(store) == []


def test_remove_the_last_video(store: Store) -> None:
    add_video(store, "b" * 32, ["qqonly"])
    upkeep.tidy(store)
    upkeep.remove(store, ["b" * 32])
    assert found_in(store.folder, [b"qqonly"]) == set()
    assert store.count("segments") == 0
    add_video(store, "c" * 32, ["again"])
    upkeep.tidy(store)


def test_readers_never_fail_while_a_writer_appends_and_cleans(store: Store) -> None:
    add_video(store, "r" * 32, [f"first {i}" for i in range(50)])
    upkeep.tidy(store)
    stop = threading.Event()
    failures: list[BaseException] = []
    reads = 0

    def read() -> None:
        nonlocal reads
        from lance.query import MatchQuery

        reader = Store.open(store.place)
        while not stop.is_set():
            try:
                reader.refresh("segments")
                query = MatchQuery("first", "plain")
                found = reader.rows("segments", ["seq", "_score"], f"video_id = '{'r' * 32}'", full_text_query=query)
                assert len(found) == 50
                reads += 1
            except BaseException as error:  # noqa: BLE001
                failures.append(error)
                return

    thread = threading.Thread(target=read)
    thread.start()
    for n in range(12):
        add_video(store, f"{n:032d}", [f"more {n}"])
        if n % 3 == 0:
            upkeep.remove(store, [f"{n:032d}"])
        else:
            upkeep.purge(store)
    stop.set()
    thread.join()
    assert not failures, failures
    assert reads > 3


def test_backup_and_restore(store: Store, tmp_path: Path) -> None:
    add_video(store, "d" * 32, ["kept words"])
    upkeep.tidy(store)
    archive = tmp_path / "copy.tar"
    assert upkeep.backup(store, archive) > 0
    upkeep.remove(store, ["d" * 32])
    upkeep.restore(archive, tmp_path / "other")
    other = Store.open(str(tmp_path / "other"))
    assert [r["text"] for r in other.rows("segments")] == ["kept words"]
    assert upkeep.verify(other) == []
    with pytest.raises(LibraryError, match="there is a library"):
        upkeep.restore(archive, tmp_path / "other")
    bad = tmp_path / "bad.tar"
    bad.write_bytes(b"no archive")
    with pytest.raises(LibraryError, match="cannot be restored"):
        upkeep.restore(bad, tmp_path / "third")
    evil = tmp_path / "evil.tar"
    with tarfile.open(evil, "w") as tar:
        info = tarfile.TarInfo("../escaped")
        tar.addfile(info)
    with pytest.raises(LibraryError):
        upkeep.restore(evil, tmp_path / "third")
    assert not (tmp_path / "escaped").exists()
    assert not (tmp_path / "third").exists()


def test_versions(store: Store) -> None:
    assert upkeep.upgrade(store.place) == (schema.VERSION, schema.VERSION)
    store.upsert("meta", ["key"], [{"key": "schema_version", "value": str(schema.VERSION + 1)}])
    with pytest.raises(LibraryError, match="newer Cinescope"):
        Store.open(store.place)
    with pytest.raises(LibraryError, match="newer version"):
        upkeep.upgrade(store.place)
    with pytest.raises(LibraryError, match="there is no library"):
        Store.open(store.place + "x")


def test_upgrade_walks_every_step(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    walked = []
    first = schema.VERSION
    monkeypatch.setattr(schema, "VERSION", first + 2)
    monkeypatch.setattr(upkeep, "UPGRADES", {first: lambda s: walked.append(1), first + 1: lambda s: walked.append(2)})
    with pytest.raises(LibraryError, match="library upgrade"):
        Store.open(store.place)
    assert upkeep.upgrade(store.place) == (first, first + 2)
    assert walked == [1, 2]
    assert Store.open(store.place).schema_version() == first + 2


def test_verify_names_what_is_wrong(store: Store) -> None:
    add_video(store, "e" * 32, ["one", "two"])
    assert upkeep.verify(store) == []
    store.append("segments", [segment_row("e" * 32, 1, Segment(Span(1, 2), "speech", SOURCE, text="two"))])
    store.append("segments", [segment_row("e" * 32, 9, Segment(Span(1, 2), "speech", SOURCE, text="left"))])
    store.append("segments", [segment_row("f" * 32, 0, Segment(Span(1, 2), "speech", SOURCE, text="whose"))])
    problems = "\n".join(upkeep.verify(store))
    assert "row 1 of" in problems
    assert "is there twice" in problems
    assert "left by an interrupted run" in problems
    assert "unknown video ffffffff" in problems


def test_verify_sees_a_damaged_file(store: Store) -> None:
    add_video(store, "e" * 32, ["one", "two"])
    victim = next(iter((store.folder / "segments.lance" / "data").glob("*.lance")))
    victim.write_bytes(b"\0" * victim.stat().st_size)
    fresh = Store.open(store.place)
    assert any("segments cannot be read whole" in p for p in upkeep.verify(fresh))


@pytest.mark.parametrize(("rights", "said"), [(0o555, "cannot be written"), (0o000, "cannot be entered")])
def test_a_folder_without_permission_is_one_sentence(rights: int, said: str) -> None:
    """Tried as an unprivileged user: root may do anything anywhere."""
    code = (
        "import os, sys, filelock, lance\n"
        "from cinescope.library.store import Store\nfrom cinescope.library import upkeep\n"
        "from cinescope.types import LibraryError\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "try:\n    upkeep.compact(Store.open(sys.argv[1]))\n"
        "except LibraryError as e: print('SAID', e)\n"
    )
    # Not pytest's own folder: that is closed to others, and another pytest may change its rights meanwhile.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        store = Store.create(f"{folder}/lib")
        store.folder.chmod(rights)
        done = subprocess.run([sys.executable, "-c", code, store.place], capture_output=True, text=True, check=False)
        store.folder.chmod(0o755)
    assert "SAID" in done.stdout, done.stderr[-800:]
    assert said in done.stdout
    assert "Traceback" not in done.stderr


def test_lock_names_its_holder_and_is_freed(store: Store) -> None:
    with writing(store, "index"):
        held = json.loads((store.folder / "writer.json").read_text())
        assert held["what"] == "index"
    assert not (store.folder / "writer.json").exists()
    with writing(store, "again"):
        pass
