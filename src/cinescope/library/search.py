"""A query in, moments out. Composes parsing, filters, the word indexes and merging; knows none of their insides.

What is looked at: every row of `segments` that has a text: speech, screen, labels of trained models,
chapters, titles, notes and tags.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from cinescope.library.beside import Beside
from cinescope.library.filters import is_plain_name, keyword_filters, scope_of
from cinescope.library.known import Known
from cinescope.library.lookup import look_up
from cinescope.library.matching import Match, Text, Unit, needed, units_of
from cinescope.library.moments import GAP, Group, Hit, hits_of_row, merged, scored, without_repeats
from cinescope.library.query import Query, parse
from cinescope.library.question import Question, Row
from cinescope.library.row_sets import Rows
from cinescope.library.scope import Scope
from cinescope.library.spelling import spellings
from cinescope.library.store import Store
from cinescope.types import BadQueryError, SearchResult

if TYPE_CHECKING:
    from cinescope.library.hybrid import Near

# The kinds of rows that have a text of their own; what a query without `in:` looks at.
TEXT_KINDS = ("speech", "screen", "label", "chapter", "title", "note", "tag")
_ANALYSED = ("speech", "screen")
_ASKED_FOR = ("label",)  # of models that a person trained: nobody misses them where there are none
_NONE_KNOWN = {
    "speech": "no words are known that are said in these videos",
    "screen": "no words are known that are written in these videos",
}
PICTURE = "picture"  # found by what is seen, not by a text (`seen.py`)
_FIRST_ROWS = 32
_MOST_ROWS = 4096
_NAMED = 5  # words that occur nowhere: so many are named, and near spellings looked up for


def search(
    store: Store,
    query: str,
    *,
    limit: int = 10,
    videos: Sequence[str] = (),
    folder: str | os.PathLike[str] = "",
    collection: str = "",
    tag: str = "",
    date: str = "",
    kinds: Sequence[str] = (),
    before: str = "",
    after: str = "",
    language: str = "",
    length: str | Sequence[str] = "",
    camera: str | Sequence[str] = "",
    faces: str | int | Sequence[str] = "",
    loudness: str | Sequence[str] = "",
    sound: str | Sequence[str] = "",
    brightness: str | Sequence[str] = "",
    colour: str | Sequence[str] = "",
    sharpness: str | Sequence[str] = "",
    quality: str | Sequence[str] = "",
    gap: float = GAP,
    meaning: Literal["auto", "yes", "no"] = "auto",
) -> SearchResult:
    """The best moments for a query (`query.py` describes the language); the keywords are the filters of the same name.

    `meaning`: whether passages that mean the same without the words count too. "auto" leaves them out where words are
    in quotes, and is quiet about what a library without them lacks.

    `kinds` is `in:`, `language` is `lang:`, `gap` the seconds between hits that are still one moment. Scores: see
    `moments.scored`. A query of filters only lists rows by time, the newest video first; where filters on what was seen
    and heard (`camera` to `quality`) are among them, the stretches of these. BadQueryError for a query that asks for
    nothing; a query that finds nothing is a result whose `note` says why.
    """
    if limit < 1:
        raise BadQueryError(f"a search for {limit} moments finds nothing", "ask for at least one")
    given = {
        "video": videos,
        "folder": folder,
        "collection": collection,
        "tag": tag,
        "date": date,
        "in": kinds,
        "before": before,
        "after": after,
        "lang": language,
        "length": length,
        "camera": camera,
        "faces": str(faces) if isinstance(faces, int) else faces,
        "loudness": loudness,
        "sound": sound,
        "brightness": brightness,
        "colour": colour,
        "sharpness": sharpness,
        "quality": quality,
    }
    asked = parse(query, keyword_filters(given))
    store.refresh("segments", "notes", "videos", "locations")
    scope = scope_of(store, asked)
    looked_at = _looked_at(store, scope)
    empty = SearchResult((), str(asked), looked_at=looked_at, not_looked_at=scope.not_looked_at)
    if scope.none:
        return replace(empty, note=scope.none)
    absent = [k for k in scope.kinds if k not in looked_at and k != PICTURE]
    missing = f"no video here has a track called '{absent[0]}'" if absent else ""
    odd = next((v for v in (*scope.languages, *scope.not_languages, *scope.not_kinds) if not is_plain_name(v)), None)
    if odd is not None:
        return replace(empty, note=f"nothing here is called '{_shortened(odd)}'")
    if not asked.wanted and not (scope.kinds or scope.languages) and any(not c.negated for c in scope.tracks):
        from cinescope.library import track_filters

        found = track_filters.listing(store, asked, scope, Known.read(store), limit)
        return replace(found, not_looked_at=scope.not_looked_at)
    pictures = (PICTURE,) if PICTURE in scope.kinds else ()
    if not looked_at and not (pictures and asked.wanted):
        why = "pictures are found by words: add what is to be seen" if pictures else missing
        return replace(empty, note=why or "there is no text in this library yet: index some videos first")
    scope = replace(scope, kinds=(*looked_at, *pictures) if scope.kinds else ())
    if not asked.wanted:
        from cinescope.library.listing import listing

        result = listing(store, asked, scope, limit, looked_at)
    else:
        by_words = _Search(store, asked, scope, limit, gap)
        quoted = any(t.quoted for t in asked.wanted) and bool(looked_at)
        wants_meaning = meaning == "yes" or (meaning == "auto" and not quoted)
        by_meaning = Beside(by_words.meant) if wants_meaning else None
        result = by_words.result(looked_at)
        if by_meaning is not None:
            result = _with_meaning(by_words, result, by_meaning.result())
        if scope.tracks:
            from cinescope.library import track_filters

            result = replace(result, moments=track_filters.with_evidence(result.moments, scope.tracks))
        result = replace(result, not_looked_at=(*result.not_looked_at, *_unheard(scope, looked_at)))
    result = replace(result, not_looked_at=(*result.not_looked_at, *scope.not_looked_at))
    return replace(result, note="; ".join(n for n in (missing, result.note) if n))


def _looked_at(store: Store, scope: Scope) -> tuple[str, ...]:
    """The wanted kinds that there are rows of. What people and files say (titles, notes) counts even where none is."""
    if scope.kinds:
        return tuple(k for k in scope.kinds if is_plain_name(k) and _some(store, k))
    wanted = [k for k in TEXT_KINDS if k not in scope.not_kinds]
    return (
        tuple(k for k in wanted if k not in (*_ANALYSED, *_ASKED_FOR) or _some(store, k))
        if store.count("segments")
        else ()
    )


def _unheard(scope: Scope, looked_at: Sequence[str]) -> tuple[str, ...]:
    """What a question in words could not be looked for in, and why; nothing of what was filtered away."""
    if scope.kinds:
        return ()
    missing = [k for k in _ANALYSED if k not in looked_at and k not in scope.not_kinds]
    by_name = "sounds: found by kind (sound:applause) or by example (--like), not by words"
    return (*(f"{k}: {_NONE_KNOWN[k]}" for k in missing), *(() if scope.tracks else (by_name,)))


def _some(store: Store, kind: str) -> bool:
    there: dict[str, bool] = store.derived("kinds that there are", ["segments"], dict)
    if kind not in there:
        there[kind] = bool(store.rows("segments", ["kind"], f"kind = '{kind}'", limit=1))
    return there[kind]


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"


def _with_meaning(asked: _Search, result: SearchResult, looks: Sequence[Near]) -> SearchResult:
    from cinescope.library import fusion

    missed = tuple(f"{look.kind}: {look.why or look.unread}" for look in looks if look.why or look.unread)
    return replace(fusion.fused(result, looks, asked.share, asked.limit), not_looked_at=missed)


class _Search:
    """One query with words, step by step."""

    def __init__(self, store: Store, query: Query, scope: Scope, limit: int, gap: float) -> None:
        self.store = store
        self.query = query
        self.scope = scope
        self.limit = limit
        self.gap = gap
        self.units = units_of(query.wanted)
        self.needed = needed(self.units)
        self.unwanted = units_of(query.unwanted)
        self.rows = Rows(store, "segments", scope)
        self.question = Question(self.units, self.needed, self.unwanted, scope, self.rows)
        self.asked = self.question.asked
        self.share = 0.0  # how much of what is needed the best row has; known once there is a result

    def result(self, looked_at: tuple[str, ...]) -> SearchResult:
        groups, more = self.groups()
        self.share = max((self._share(hit) for group in groups for hit in group.hits), default=0.0)
        ranked = scored(groups, self.needed)
        shown = ranked[: self.limit]
        absent = [
            self.units[i] for i in sorted(self.needed) if not any(i in hit.covered for g in groups for hit in g.hits)
        ]
        return SearchResult(
            tuple(moment for moment, _ in shown),
            str(self.query),
            note=self._note([full for _, full in shown], absent),
            spellings=spellings(self.store, absent[:_NAMED], self.rows) if absent else (),
            total=len(ranked),
            more=more,
            looked_at=looked_at,
        )

    def meant(self) -> list[Near]:
        """What means or shows the same. Reads other tables than the words: both may go on at the same time."""
        from cinescope.library import hybrid, seen

        text = " ".join(term.text for term in self.query.wanted)
        most = max(self.limit, _FIRST_ROWS)
        near = hybrid.near(self.store, text, self.scope, self.unwanted, most)
        return [near, *seen.look(self.store, text, self.scope, self.unwanted, most)]

    def _share(self, hit: Hit) -> float:
        return sum(hit.covered.get(i, 0.0) for i in self.needed) / len(self.needed)

    def _note(self, full: list[bool], absent: list[Unit]) -> str:
        named = ", ".join(f"'{_shortened(u.text)}'" for u in absent[:_NAMED]) + (" …" if len(absent) > _NAMED else "")
        if not full:
            words = " ".join(str(t) for t in self.query.terms)
            filtered = " with these filters" if self.query.filters else ""
            return f"nothing here matches {_shortened(words)}{filtered}"
        if absent:
            return f"nothing here has {named}; these moments have the other words"
        if not any(full):
            return "no moment has all the words; these have some of them"
        if not all(full):
            return f"moments after the first{f' {sum(full)}' if sum(full) > 1 else ''} have only some of the words"
        return ""

    def groups(self) -> tuple[list[Group], bool]:
        """Moments to be, and whether there may be more than were looked at."""
        groups, rows, more = self._grown([], every=True)
        several = len(self.needed) > 1 and len(groups) < self.limit
        if several or (not groups and any(self.units[i].bigrams for i in self.needed)):
            groups, _, more = self._grown(rows, every=False)
        return groups, more

    def _grown(self, before: list[Row], every: bool) -> tuple[list[Group], list[Row], bool]:
        """Look up rows until they make enough moments; `before`: rows found by a narrower look."""
        fetch = max(_FIRST_ROWS, 4 * self.limit)
        strict = False
        while True:
            found = look_up(self.store, self.question, fetch, every, strict)
            known = {_key(r) for r in before}
            both = before + [r for r in found.rows if _key(r) not in known]
            hits = [h for r in before for h in self._hits(r, True)]
            hits += [h for r in both[len(before) :] for h in self._hits(r, every)]
            groups = [g for g in merged(without_repeats(hits), self.needed, self.gap) if self._answers(g)]
            if found.complete or len(groups) > self.limit or fetch >= _MOST_ROWS:
                return groups, both, not found.complete
            if self.unwanted and not strict:
                strict = True
            else:
                fetch = min(_MOST_ROWS, fetch * 4)

    def _hits(self, row: Row, every: bool) -> list[Hit]:
        text = Text(row["text"], row["language"])
        if any(text.find(unit) for unit in self.unwanted):
            return []
        match = text.match(self.units)
        if every:
            # The index has seen the words; only the order of mixed scripts is left to be looked at here.
            missed = self.needed - {i for i, share in match.covered.items() if share == 1.0}
            if any(_mixed(self.units[i]) or i not in self.asked for i in missed):
                return []
            match = Match(match.covered | dict.fromkeys(missed, 1.0), match.places)
        if not row["_typed"]:
            # One word in the typed form and another inflected: better than both inflected.
            exact = sum(any(o.exact for o in match.places.get(i, ())) for i in self.needed)
            row = row | {"_score": row["_score"] * (1 + exact / len(self.needed))}
        if not self.needed & match.covered.keys():
            return []
        return [hit for hit in hits_of_row(row, match) if self.scope.allows(hit.video_id, hit.span)]

    def _answers(self, group: Group) -> bool:
        """What is in quotes must be there; so must, of a moment with some of the words, at least one of them."""
        return group.covered([i for i in self.needed if self.units[i].quoted]) >= 1.0


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["video_id"], row["source"], row["start"], row["end"], row["text"]


def _mixed(unit: Unit) -> bool:
    return all(len({t.cjk for t in sequence}) > 1 for sequence in unit.sequences)
