"""What an open library keeps in memory is never older than its tables."""

from __future__ import annotations

import shutil
from pathlib import Path

import shelf

from cinescope.library.known import Known
from cinescope.library.search import search
from cinescope.library.store import Store


def test_what_was_derived_is_made_again_when_a_table_changes(tmp_path: Path) -> None:
    store = shelf.new(tmp_path)
    made = []

    def make() -> int:
        made.append(store.count("videos"))
        return made[-1]

    assert [store.derived("n", ["videos"], make) for _ in range(3)] == [0, 0, 0]
    shelf.add_video(Store.open(store.place), "v1", "/films/a.mp4")  # another process
    assert store.derived("n", ["videos"], make) == 0  # as it was opened
    store.refresh()
    assert [store.derived("n", ["videos"], make) for _ in range(3)] == [1, 1, 1]
    assert made == [0, 1]


def test_a_reader_sees_what_another_writes(tmp_path: Path) -> None:
    reader, writer = shelf.new(tmp_path), Store(str(tmp_path / "lib"))
    shelf.add_video(writer, "aaaa1", "/films/one/a.mp4")
    shelf.add(writer, "aaaa1", [(0, 1, "red car")])
    shelf.with_indexes(writer)
    assert len(search(reader, "red folder:one").moments) == 1
    shelf.add_video(writer, "aaaa2", "/films/one/b.mp4")
    shelf.add(writer, "aaaa2", [(0, 1, "red car")])
    assert len(search(reader, "red folder:one").moments) == 2
    shelf.with_indexes(writer)
    writer.delete("segments", "video_id = 'aaaa1'")
    assert [m.video_id for m in search(reader, "red folder:one").moments] == ["aaaa2"]
    shelf.write(writer, "tag", "aaaa2", "sea")
    assert [m.video_id for m in search(reader, "red tag:sea").moments] == ["aaaa2"]
    assert "no video has the tag" in search(reader, "red tag:night").note


def test_a_library_that_was_made_anew_at_the_same_place(tmp_path: Path) -> None:
    """The session that a store keeps must not answer from files that are gone."""
    reader = shelf.new(tmp_path)
    shelf.add_video(reader, "aaaa1", "/films/a.mp4")
    shelf.add(reader, "aaaa1", [(0, 1, "red car")])
    assert len(search(reader, "red").moments) == 1
    for number, word in enumerate(("blue", "green")):
        shutil.rmtree(reader.folder)
        other = Store.create(reader.place)
        shelf.add_video(other, f"bbbb{number}", f"/films/{word}.mp4")
        shelf.add(other, f"bbbb{number}", [(0, 1, f"{word} car")])
        assert [m.video_id for m in search(reader, "car").moments] == [f"bbbb{number}"]
        assert not search(reader, "red").moments


def test_names_of_every_kind_are_known(tmp_path: Path) -> None:
    store = shelf.new(tmp_path)
    shelf.add_video(store, "abcd1", "/films/2024/Holiday/Beach Day.mp4", title="Straße am Meer", recorded="2024-05-03")
    shelf.add_video(store, "abcd2", "/films/2024/work/talk.final.mp4", recorded="2024-06-01")
    shelf.add_video(store, "ef012", "/films/old/talk.mp4", changed="2019-01-01")
    known = Known.read(store)
    for value, found in {
        "abcd": {"abcd1", "abcd2"},
        "beach day.MP4": {"abcd1"},
        "BEACH DAY": {"abcd1"},
        "beach-day": {"abcd1"},
        "straße am meer": {"abcd1"},
        "Strasse am Meer": {"abcd1"},
        "/films/old/talk.mp4": {"ef012"},
        "talk": {"ef012"},
        "tal*": {"abcd2", "ef012"},
        "final": {"abcd2"},
        "nothing": set(),
        "t": set(),
    }.items():
        assert known.called(value) == found, value
    for value, found in {
        "/films": {"abcd1", "abcd2", "ef012"},
        "/films/2024/": {"abcd1", "abcd2"},
        "/film": set(),
        "holiday": {"abcd1"},
        "2024/HOLIDAY": {"abcd1"},
        "2024/hol": set(),
        "day.mp4": set(),
    }.items():
        assert known.below(value) == found, value
    assert known.between("2024-05-03", "2024-06-01") == {"abcd1"}
    assert known.between("", "2024-05-03") == {"ef012"}
