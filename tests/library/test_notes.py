"""What people write takes precedence and survives re-indexing."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_upkeep import SOURCE, add_video

from cinescope.library import corrections, notes
from cinescope.library.rows import segment_row
from cinescope.library.store import Store
from cinescope.types import BadQueryError, Segment, Span, Word

VIDEO = "a" * 32


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store.create(str(tmp_path / "lib"))
    add_video(store, VIDEO, ["we sail to Grease tomorrow", "the grease islands", "nothing here"])
    return store


def texts(store: Store) -> list[str]:
    store.refresh()
    rows = store.rows("segments", filter="kind = 'speech'")
    return [r["text"] for r in sorted(rows, key=lambda r: r["start"])]


def test_correct_everywhere_and_take_back(store: Store) -> None:
    assert notes.correct(store, VIDEO, "grease", "Greece") == 2
    assert texts(store) == ["we sail to Greece tomorrow", "the Greece islands", "nothing here"]
    (note,) = notes.listed(store, VIDEO, "correction")
    assert (note.about, note.text) == ("grease", "Greece")
    notes.remove(store, note.id)
    assert texts(store) == ["we sail to Grease tomorrow", "the grease islands", "nothing here"]


def test_correct_in_one_place_only(store: Store) -> None:
    assert notes.correct(store, VIDEO, "Grease", "Greece", Span(0, 0.5)) == 1
    assert texts(store)[:2] == ["we sail to Greece tomorrow", "the grease islands"]
    with pytest.raises(BadQueryError, match="are not found between"):
        notes.correct(store, VIDEO, "Grease", "Greece", Span(2, 3))


def test_corrections_are_applied_to_fresh_rows(store: Store) -> None:
    notes.correct(store, VIDEO, "grease", "Greece")
    words = tuple(Word(w, Span(i, i + 1)) for i, w in enumerate(["to", "grease,", "now"]))
    row = segment_row(VIDEO, 7, Segment(Span(0, 3), "speech", SOURCE, text="to grease, now", words=words))
    corrections.apply_to_rows(store, VIDEO, [row])
    assert row["text"] == "to Greece, now"
    assert row["machine_text"] == "to grease, now"
    assert [w["text"] for w in row["words"]] == ["to", "Greece", "now"]
    assert row["words"][1]["start"] == 1.0


def test_words_inside_words_are_left(store: Store) -> None:
    with pytest.raises(BadQueryError):
        notes.correct(store, VIDEO, "reas", "x")


def test_tags_notes_names_collections(store: Store) -> None:
    first = notes.add(store, "tag", VIDEO, "holiday")
    assert notes.add(store, "tag", VIDEO, "Holiday").id == first.id
    notes.add(store, "note", VIDEO, "ask Anna about this", Span(1, 2))
    notes.add(store, "collection", VIDEO, "summer")
    notes.name(store, VIDEO, "speaker-1", "Ann")
    notes.name(store, VIDEO, "speaker-1", "Anna")
    assert [n.text for n in notes.listed(store, VIDEO, "name")] == ["Anna"]
    store.refresh()
    mirrored = store.rows("segments", filter="source = 'person'")
    assert {(r["kind"], r["text"]) for r in mirrored} == {("tag", "holiday"), ("note", "ask Anna about this")}
    notes.remove(store, first.id)
    store.refresh()
    assert store.count("segments", "source = 'person'") == 1
    with pytest.raises(BadQueryError, match="needs a text"):
        notes.add(store, "tag", VIDEO, "  ")


def test_mirrors_are_mended(store: Store) -> None:
    note = notes.add(store, "note", VIDEO, "one")
    store.delete("segments", "source = 'person'")
    notes.mirror_missing(store)
    store.refresh()
    assert store.count("segments", "source = 'person'") == 1
    store.delete("notes", f"id = '{note.id}'")
    notes.mirror_missing(store)
    store.refresh()
    assert store.count("segments", "source = 'person'") == 0


def test_a_correction_of_a_moment_leaves_the_title(store: Store) -> None:
    title = segment_row(VIDEO, 9, Segment(Span(0, 10), "title", SOURCE, text="Grease holiday"))
    store.append("segments", [title])
    notes.correct(store, VIDEO, "Grease", "Greece", Span(0, 0.5))
    store.refresh()
    assert [r["text"] for r in store.rows("segments", filter="kind = 'title'")] == ["Grease holiday"]
    notes.correct(store, VIDEO, "Grease", "Greece")
    store.refresh()
    assert [r["text"] for r in store.rows("segments", filter="kind = 'title'")] == ["Greece holiday"]
