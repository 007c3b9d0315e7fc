"""What people write: tags, notes, corrected words, names, collections. Apart from machine rows; survives re-indexing.

Notes and tags are mirrored as rows of `segments` with the source "person", so that their words are searched with the
rest; the table `notes` is what counts.
"""

from __future__ import annotations

import getpass
import uuid
from typing import Any, Literal

from cinescope.library.clock import now
from cinescope.library.corrections import CORRECTED, correct_row, touches
from cinescope.library.lock import cleaning
from cinescope.library.rows import PERSON, text_columns
from cinescope.library.store import Store, one_of, quoted
from cinescope.types import BadQueryError, Note, Span

NoteKind = Literal["tag", "note", "correction", "name", "collection"]
_MIRRORED = ("note", "tag")


def add(
    store: Store,
    kind: NoteKind,
    video_id: str,
    text: str,
    span: Span | None = None,
    about: str = "",
    author: str = "",
) -> Note:
    """Write a note. The same tag or collection twice is one. BadQueryError for an empty text."""
    text = text.strip()
    if not text:
        raise BadQueryError(f"a {kind} needs a text", "write some words")
    if kind in ("tag", "collection"):
        for note in listed(store, video_id, kind):
            if note.text.casefold() == text.casefold() and note.span == span:
                return note
    note = Note(uuid.uuid4().hex, video_id, kind, text, span, author or _author(), now(), about)
    with cleaning(store):
        store.append("notes", [_row(note)])
        if kind in _MIRRORED:
            store.append("segments", [_mirror(store, note)])
    return note


def listed(store: Store, video_id: str | None = None, kind: NoteKind | None = None) -> list[Note]:
    """By video, then time of writing."""
    wanted = []
    if video_id is not None:
        wanted.append(f"video_id = {quoted(video_id)}")
    if kind is not None:
        wanted.append(f"kind = {quoted(kind)}")
    store.refresh("notes")
    found = [_note(r) for r in store.rows("notes", filter=" AND ".join(wanted) or None)]
    return sorted(found, key=lambda n: (n.video_id, n.created, n.id))


def remove(store: Store, note_id: str) -> Note:
    """Take a note back; a correction's words become the machine's again. BadQueryError when there is none."""
    store.refresh("notes")
    rows = store.rows("notes", filter=f"id = {quoted(note_id)}")
    if not rows:
        raise BadQueryError(f"there is no note {note_id}", "cinescope note --list shows them")
    note = _note(rows[0])
    with cleaning(store):
        store.delete("notes", f"id = {quoted(note_id)}")
        if note.kind in _MIRRORED:
            of_video = f"video_id = {quoted(note.video_id)}"
            store.delete("segments", f"source = '{PERSON}' AND {of_video} AND who = {quoted(note.id)}")
        if note.kind == "correction":
            _correct_again(store, note)
    return note


def name(store: Store, video_id: str, who: str, text: str) -> Note:
    """Name a speaker or person id of a video; the newest name counts."""
    for old in listed(store, video_id, "name"):
        if old.about == who:
            store.delete("notes", f"id = {quoted(old.id)}")
    return add(store, "name", video_id, text, about=who)


def correct(store: Store, video_id: str, old: str, new: str, at: Span | None = None) -> int:
    """Write the right words for wrong ones, everywhere in the video or only within `at`; the rows changed.

    BadQueryError when the old words are nowhere there.
    """
    note = {"start": at.start if at else None, "end": at.end if at else None}
    rows = [r for r in _correctable(store, video_id) if touches(note, r)]
    changed = [r for r in rows if correct_row(r, old, new.strip())]
    if not changed:
        where = f"between {at.start:.1f} and {at.end:.1f} s" if at else "in this video"
        raise BadQueryError(f"the words '{old}' are not found {where}", "look at them with: cinescope show VIDEO")
    # The note first: should this process die here, the rows are corrected when they are made anew.
    add(store, "correction", video_id, new, at, about=old)
    with cleaning(store):
        _replace(store, changed)
    return len(changed)


def mirror_missing(store: Store) -> None:
    """Mirror notes that a killed command wrote but did not mirror, and drop mirrors of notes that are gone."""
    wanted = {n.id: n for n in listed(store) if n.kind in _MIRRORED}
    store.refresh("segments")
    have = {r["who"] for r in store.rows("segments", ["who"], f"source = '{PERSON}'")}
    store.append("segments", [_mirror(store, n) for i, n in wanted.items() if i not in have])
    if stale := have - set(wanted):
        store.delete("segments", f"source = '{PERSON}' AND {one_of('who', stale)}")


def _author() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""


def _row(note: Note) -> dict[str, Any]:
    return {
        "id": note.id,
        "video_id": note.video_id,
        "kind": note.kind,
        "text": note.text,
        "start": note.span.start if note.span else None,
        "end": note.span.end if note.span else None,
        "author": note.author,
        "created": note.created,
        "about": note.about,
    }


def _note(row: dict[str, Any]) -> Note:
    span = Span(row["start"], row["end"]) if row["start"] is not None else None
    return Note(row["id"], row["video_id"], row["kind"], row["text"], span, row["author"], row["created"], row["about"])


def _mirror(store: Store, note: Note) -> dict[str, Any]:
    span = note.span
    if span is None:
        videos = store.rows("videos", ["duration"], f"id = {quoted(note.video_id)}")
        span = Span(0.0, max(0.0, (videos[0]["duration"] or 0.0) if videos else 0.0))
    return {
        "video_id": note.video_id,
        "source": PERSON,
        "seq": 0,
        "kind": note.kind,
        "start": span.start,
        "end": span.end,
        **text_columns(note.text, ""),
        "machine_text": "",
        "words": [],
        "language": "",
        "who": note.id,
        "score": None,
        "box": None,
        "data": "",
    }


def _correctable(store: Store, video_id: str) -> list[dict[str, Any]]:
    store.refresh("segments")
    return store.rows("segments", filter=f"video_id = {quoted(video_id)} AND {one_of('kind', CORRECTED)}")


def _correct_again(store: Store, taken_back: Note) -> None:
    """Put the machine's words back, then apply the corrections that still stand."""
    from cinescope.library.corrections import apply_to_rows

    rows = [r for r in _correctable(store, taken_back.video_id) if r["machine_text"]]
    for row in rows:
        row.update(text_columns(row["machine_text"], row["language"]) | {"machine_text": ""})
        row["words"] = _spread(row)
    store.refresh("notes")
    apply_to_rows(store, taken_back.video_id, rows)
    _replace(store, rows)


def _spread(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Word times for a text whose own were replaced: by the share of characters."""
    if not row["words"]:
        return []
    start, end = row["words"][0]["start"], row["words"][-1]["end"]
    texts = row["text"].split()
    whole = sum(map(len, texts)) or 1
    before, words = 0, []
    for text in texts:
        first = start + (end - start) * before / whole
        before += len(text)
        words.append({"text": text, "start": first, "end": start + (end - start) * before / whole, "score": None})
    return words


def _replace(store: Store, rows: list[dict[str, Any]]) -> None:
    store.upsert("segments", ["video_id", "source", "seq"], rows)
