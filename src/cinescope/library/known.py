"""What filters need to know of every video: names, places, days. Knows `videos` and `locations`, nothing of queries.

Read once and kept until one of the tables changes; what a filter asks for is put in order at the first time.
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from cinescope.library.normal import normalised
from cinescope.library.store import Store

_ID = re.compile(r"[0-9a-f]{4,}")
_RECORDED = re.compile(r"(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?")
_MOST_NAMED = 5


class Known:
    def __init__(self, videos: list[dict[str, Any]], locations: list[dict[str, Any]]) -> None:
        self.ids = [v["id"] for v in videos]
        self.durations: dict[str, float | None] = {v["id"]: v["duration"] for v in videos}  # None where nobody knows
        self._titles = {v["id"]: v["title"] or "" for v in videos}
        self._recorded = {v["id"]: v["recorded"] or "" for v in videos}
        self._paths: dict[str, list[bytes]] = {v["id"]: [] for v in videos}
        self._changed: dict[str, int] = {}
        self._shown: dict[str, list[str]] = {v["id"]: [] for v in videos}
        for place in locations:
            video_id, changed = place["video_id"], place["modified_ns"]
            if video_id in self._paths:
                self._paths[video_id].append(bytes(place["path"]))
                self._shown[video_id].append(place["name"])
            if changed:
                self._changed[video_id] = min(changed, self._changed.get(video_id, changed))
        self._days: dict[str, str] = {}

    @classmethod
    def read(cls, store: Store) -> Known:
        """As the tables are now."""

        def made() -> Known:
            return cls(
                store.rows("videos", ["id", "title", "recorded", "duration"]),
                store.rows("locations", ["video_id", "path", "name", "modified_ns"]),
            )

        return store.derived("known videos", ["videos", "locations"], made)

    def names(self, video_id: str) -> list[str]:
        """File names, their stems, and the title."""
        files = [os.path.basename(os.fsdecode(path)) for path in self._paths[video_id]] + self._shown[video_id]
        stems = [os.path.splitext(file)[0] for file in files]
        return [n for n in dict.fromkeys([*files, *stems, self._titles[video_id]]) if n]

    def day(self, video_id: str) -> str:
        """ISO day on which it was recorded, or on which its oldest file was last changed; "" where neither is known."""
        if video_id not in self._days:
            recorded = _RECORDED.match(self._recorded.get(video_id, ""))
            changed = self._changed.get(video_id)
            if recorded:
                day = f"{recorded[1]}-{recorded[2] or '01'}-{recorded[3] or '01'}"
            else:
                day = datetime.fromtimestamp(changed / 1e9).date().isoformat() if changed else ""
            self._days[video_id] = day
        return self._days[video_id]

    def between(self, first: str, after: str) -> set[str]:
        """Videos of the days from `first` on and before `after`, ISO."""
        found, when = self._by_day
        return set(found[bisect_left(when, first) : bisect_left(when, after)])

    def called(self, value: str) -> set[str]:
        """By id (four digits or more of it), path, file name, stem or title, with * and ?; else by a part of these."""
        folded = value.casefold()
        if _ID.fullmatch(folded):
            by_id = {v for v in self.ids if v.startswith(folded)}
            if by_id:
                return by_id
        ways: tuple[Callable[[], set[str]], ...] = (
            lambda: self._by_path.get(os.fsencode(os.path.abspath(value)), set()),
            lambda: self._by_name.get(folded, set()),
            lambda: self._by_words.get(normalised(value), set()),
            lambda: self._with_names(lambda name: fnmatchcase(name, folded)) if set("*?") & set(folded) else set(),
            lambda: self._with_names(lambda name: folded in name) if len(folded) > 1 else set(),
        )
        for way in ways:
            found = way()
            if found:
                return set(found)
        return set()

    def below(self, value: str) -> set[str]:
        """By folder: a path, or the name of folders one inside the other (`2024/holiday`) anywhere in a path."""
        folder = os.fsencode(os.path.abspath(os.path.expanduser(value)))
        prefix = folder.rstrip(b"/") + b"/"
        found: set[str] = set().union(*(v for holder, v in self._by_folder.items() if holder.startswith(prefix)))
        inner = "/" + value.strip("/").casefold() + "/"
        if found or len(inner) == 2:
            return found
        return found.union(*(v for holder, v in self._by_folder.items() if inner in os.fsdecode(holder).casefold()))

    def without(self, name: str, value: str) -> str:
        """Why a filter fits nothing."""
        if not self.ids:
            return "there are no videos in this library yet"
        if name == "date":
            return f"no video here is from {value}"
        if name == "length":
            return f"no video here is of length:{value}"
        if name == "folder":
            folders = {os.path.dirname(os.fsdecode(path)) for paths in self._paths.values() for path in paths}
            return f"no video here is in the folder '{value}'" + near_names(value, folders)
        return f"no video here is called '{value}'" + near_names(
            value, {n for v in self.ids for n in self.names(v) if n}
        )

    # --- in order, at the first time

    @cached_property
    def _by_day(self) -> tuple[list[str], list[str]]:
        """Ids by day, and their days."""
        days = sorted((self.day(v), v) for v in self.ids)
        return [v for _, v in days], [day for day, _ in days]

    @cached_property
    def _by_path(self) -> dict[bytes, set[str]]:
        return _grouped((path, v) for v in self.ids for path in self._paths[v])

    @cached_property
    def _by_folder(self) -> dict[bytes, set[str]]:
        """By the folder that the file is in, a slash at its end."""
        return _grouped((path[: path.rfind(b"/") + 1], v) for v in self.ids for path in self._paths[v])

    @cached_property
    def _by_name(self) -> dict[str, set[str]]:
        return _grouped((name.casefold(), v) for v in self.ids for name in self.names(v))

    @cached_property
    def _by_words(self) -> dict[str, set[str]]:
        """Names as words, capitals, accents and signs aside."""
        return _grouped(
            (words, v) for name, found in self._by_name.items() if (words := normalised(name)) for v in found
        )

    def _with_names(self, fits: Callable[[str], bool]) -> set[str]:
        return set().union(*(found for name, found in self._by_name.items() if fits(name)))


def _grouped(pairs: Iterable[tuple[Any, str]]) -> dict[Any, set[str]]:
    found: dict[Any, set[str]] = defaultdict(set)
    for key, video_id in pairs:
        found[key].add(video_id)
    return dict(found)


def near_names(value: str, names: Iterable[str]) -> str:
    """`; near it: ...`, or a few of the names there are."""
    listed = sorted(set(names))
    if not listed:
        return ""
    from rapidfuzz import fuzz, process

    close = process.extract(value, listed, scorer=fuzz.WRatio, processor=str.casefold, limit=3, score_cutoff=70)
    if close:
        return f"; near it: {', '.join(name for name, _, _ in close)}"
    more = ", …" if len(listed) > _MOST_NAMED else ""
    return f"; there are: {', '.join(listed[:_MOST_NAMED])}{more}"
