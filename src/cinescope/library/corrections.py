"""Corrected words in machine rows. What a person wrote takes precedence, now and whenever rows are made anew.

A correction is a note: `about` are the words as the machine had them, `text` the right ones, its span where. It is
applied to the rows as they are written, so that search and export need not know of it.
"""

from __future__ import annotations

import re
from typing import Any

from cinescope.library.rows import text_columns
from cinescope.library.store import Store, quoted

CORRECTED = ("speech", "screen", "title", "chapter")


def pattern(words: str) -> re.Pattern[str]:
    """Matches the words whatever their case and the space between them, and only as whole words."""
    parts = [re.escape(w) for w in words.split()]
    return re.compile(r"(?<!\w)" + r"\s+".join(parts) + r"(?!\w)", re.IGNORECASE)


def apply_to_rows(store: Store, video_id: str, rows: list[dict[str, Any]]) -> None:
    """Correct fresh rows of one video, in place."""
    if not rows:
        return
    for note in sorted(
        store.rows("notes", filter=f"video_id = {quoted(video_id)} AND kind = 'correction'"),
        key=lambda n: n["created"],
    ):
        for row in rows:
            if touches(note, row):
                correct_row(row, note["about"], note["text"])


def touches(note: dict[str, Any], row: dict[str, Any]) -> bool:
    if row["kind"] not in CORRECTED:
        return False
    if note["start"] is None:
        return True
    # A title spans the whole video, so a correction of one moment is not about it.
    return row["kind"] != "title" and note["start"] < row["end"] and row["start"] < note["end"]


def correct_row(row: dict[str, Any], old: str, new: str) -> bool:
    """Replace the words in one row; whether they were there. The new words share the old ones' time."""
    find = pattern(old)
    if not old.strip() or not find.search(row["text"]):
        return False
    row["machine_text"] = row["machine_text"] or row["text"]
    row["words"] = _words(row["words"] or [], old, new)
    row.update(text_columns(find.sub(lambda _: new, row["text"]), row["language"]))
    return True


def _bare(word: str) -> str:
    return re.sub(r"^\W+|\W+$", "", word).casefold()


def _words(words: list[dict[str, Any]], old: str, new: str) -> list[dict[str, Any]]:
    wanted = [_bare(w) for w in old.split()]
    result: list[dict[str, Any]] = []
    at = 0
    while at < len(words):
        run = words[at : at + len(wanted)]
        if [_bare(w["text"]) for w in run] != wanted:
            result.append(words[at])
            at += 1
            continue
        start, end = run[0]["start"], run[-1]["end"]
        fresh = new.split()
        whole = sum(len(w) for w in fresh) or 1
        before = 0
        for word in fresh:
            first = start + (end - start) * before / whole
            before += len(word)
            result.append({"text": word, "start": first, "end": start + (end - start) * before / whole, "score": None})
        at += len(wanted)
    return result
