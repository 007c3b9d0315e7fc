"""Which rows a look may give. Knows columns and spans; not how a query says it (filters.py does)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cinescope.library.store import one_of, quoted
from cinescope.types import Span

if TYPE_CHECKING:
    from cinescope.library.stretches import Stretches
    from cinescope.library.track_values import TrackFilterName

# Spans of tags that are written into the predicate; more of them are looked at afterwards, row by row.
_MOST_SPANS = 100


@dataclass(frozen=True, eq=False)
class Condition:
    """One filter: where it holds, and in which videos that is known."""

    name: TrackFilterName
    negated: bool
    stretches: Stretches
    seen: frozenset[str]

    def allows(self, video_id: str, span: Span) -> bool:
        return self.stretches.overlap(video_id, span) != self.negated


@dataclass(frozen=True)
class Scope:
    """What a query looks at. `none` says why nothing can match; "" when something may."""

    videos: frozenset[str] | None = None  # None: all
    within: tuple[dict[str, list[Span] | None], ...] = ()  # of each tag: where; None: the whole video
    outside: dict[str, list[Span]] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    not_kinds: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    not_languages: tuple[str, ...] = ()
    begin: float | None = None  # seconds in the video
    end: float | None = None
    tracks: tuple[Condition, ...] = ()  # on what was seen and heard
    not_looked_at: tuple[str, ...] = ()  # of these: what is not known of every video
    none: str = ""

    @property
    def is_placed(self) -> bool:
        """Whether only some stretches of the videos count."""
        return bool(self.within or self.outside or self.tracks) or self.begin is not None or self.end is not None

    def allows(self, video_id: str, span: Span) -> bool:
        """Whether a hit there counts: it overlaps every wanted stretch and begins before the end, after the begin."""
        if self.begin is not None and span.start < self.begin:
            return False
        if self.end is not None and span.start >= self.end:
            return False
        if any(span.overlaps(s) for s in self.outside.get(video_id, ())):
            return False
        for where in self.within:
            spans = where.get(video_id, [])
            if spans is not None and not any(span.overlaps(s) for s in spans):
                return False
        return all(condition.allows(video_id, span) for condition in self.tracks)

    def predicate(self) -> str | None:
        """A Lance filter that keeps every row that may count."""
        parts = []
        if self.videos is not None:
            parts.append(one_of("video_id", sorted(self.videos)))
        for where in self.within:
            parts += _overlap(where)
        if self.kinds:
            parts.append(one_of("kind", self.kinds))
        if self.not_kinds:
            parts.append(f"NOT {one_of('kind', self.not_kinds)}")
        if self.languages:
            parts.append(_spoken(self.languages))
        if self.not_languages:
            parts.append(f"NOT {_spoken(self.not_languages)}")
        # `end` is a word of the filter language, hence the quotes.
        if self.begin is not None:
            parts.append(f"`end` >= {self.begin!r}")
        if self.end is not None:
            parts.append(f"start < {self.end!r}")
        return " AND ".join(parts) or None


def _overlap(where: dict[str, list[Span] | None]) -> list[str]:
    spans = [(video, span) for video, of_video in where.items() for span in of_video or ()]
    if not spans or len(spans) > _MOST_SPANS:
        return []
    whole = [video for video, of_video in where.items() if of_video is None]
    conditions = [one_of("video_id", whole)] if whole else []
    conditions += [f"(video_id = {quoted(v)} AND start <= {s.end!r} AND `end` >= {s.start!r})" for v, s in spans]
    return [f"({' OR '.join(conditions)})"]


def _spoken(languages: Iterable[str]) -> str:
    either = [f"language = {quoted(code)} OR language LIKE {quoted(code + '-%')}" for code in languages]
    return f"({' OR '.join(either)})"
