"""What a person types in the search field. Knows the query language, nothing about tables or videos.

red car                 both words, in any order; moments with only some of them come after, and it is said
"red car"               these words in this order, in exactly this form
-red   -"red car"       not where this is said or written
in:speech  in:screen  in:title  in:note      what to look at
video:talk.mp4  folder:2024  tag:beach  collection:"for mum"  lang:en        which videos
date:2024-05  date:2024-01..2024-03          when it was recorded (or the file made)
before:2024-05-01  after:10:00               a date, or a place in the video (10:00, 90s, 1m30s)
length:<5m  length:10m-1h                    how long the video is
camera:pan  faces:2+  loudness:<-30  sound:music  brightness:dark  colour:red  sharpness:sharp  quality:good
                                             while this is seen or heard (track_values.py says which values there are)
-tag:draft  -in:screen                       filters are turned round by a minus, except those of time
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from cinescope.library.normal import normalised, tokens
from cinescope.library.track_values import ALIASES, EXAMPLES, TRACK_FILTERS, TrackFilterName, parsed
from cinescope.types import BadQueryError
from cinescope.types.span import parse_time

FilterName = Literal["video", "folder", "collection", "tag", "date", "in", "lang", "before", "after", "length"]
AnyFilterName = FilterName | TrackFilterName
FILTERS: tuple[AnyFilterName, ...] = (
    "video", "folder", "collection", "tag", "date", "in", "lang", "before", "after", "length", *TRACK_FILTERS,
)  # fmt: skip
LONGEST_QUERY = 8_000  # characters
MOST_WORDS = 1_000

_QUOTES = '"“”„‟«»「」『』＂'
_DASHES = "-−–－"  # autocorrection turns a hyphen into a dash
_FILTER = re.compile(rf"({'|'.join([*FILTERS, *ALIASES])}):", re.IGNORECASE)
_INNER_QUOTE = str.maketrans(dict.fromkeys(_QUOTES, "'"))  # cuts a word like any apostrophe
_TIME_ONLY = ("date", "before", "after")


@dataclass(frozen=True, slots=True)
class Term:
    """A word or a phrase. `text` is as typed, without quotes, and holds at least one letter or digit."""

    text: str
    quoted: bool = False
    negated: bool = False

    def __str__(self) -> str:
        return ("-" if self.negated else "") + (f'"{self.text}"' if self.quoted else self.text)


@dataclass(frozen=True, slots=True)
class Filter:
    name: AnyFilterName
    value: str
    negated: bool = False

    def __str__(self) -> str:
        value = f'"{self.value}"' if any(c.isspace() for c in self.value) else self.value
        return f"{'-' if self.negated else ''}{self.name}:{value}"


@dataclass(frozen=True, slots=True)
class Query:
    terms: tuple[Term, ...] = ()
    filters: tuple[Filter, ...] = ()

    @property
    def wanted(self) -> tuple[Term, ...]:
        return tuple(t for t in self.terms if not t.negated)

    @property
    def unwanted(self) -> tuple[Term, ...]:
        return tuple(t for t in self.terms if t.negated)

    def values(self, name: AnyFilterName, negated: bool = False) -> list[str]:
        return [f.value for f in self.filters if f.name == name and f.negated == negated]

    def __str__(self) -> str:
        """The query as it was understood; parsing it gives an equal query."""
        return " ".join(str(part) for part in (*self.terms, *self.filters))


def parse(text: str, filters: Iterable[Filter] = ()) -> Query:
    """The query behind the text, with filters given by other means added. BadQueryError where it asks for nothing."""
    if len(text) > LONGEST_QUERY:
        raise BadQueryError(
            f"the query is {len(text):,} characters long, at most {LONGEST_QUERY:,} can be looked for",
            "search for a few words of it",
        )
    terms: list[Term] = []
    found: list[Filter] = []
    for negated, name, quoted, value in _parts(text):
        if name:
            found.append(_checked(Filter(name, value, negated)))
        elif normalised(value):
            terms.append(Term(value, quoted, negated))
    terms = list(dict.fromkeys(terms))
    query = Query(tuple(terms), tuple(dict.fromkeys([*found, *(_checked(f) for f in filters)])))
    words = sum(1 for term in terms for _ in tokens(term.text))
    if words > MOST_WORDS:
        raise BadQueryError(
            f"the query has {words:,} words, at most {MOST_WORDS:,} can be looked for", "search for a few of them"
        )
    if not query.wanted and not query.filters:
        if query.terms:
            raise BadQueryError(
                "the query only says what not to find", f"add what to look for: word {_shortened(str(query))}"
            )
        what = (
            f"'{_shortened(text.strip())}' has no letters or digits to look for"
            if text.strip()
            else "the query is empty"
        )
        raise BadQueryError(what, 'write a few words, for example: red car "on the beach" -night')
    return query


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:60] + "…"


def _parts(text: str) -> Iterable[tuple[bool, AnyFilterName | Literal[""], bool, str]]:
    """(negated, filter name or "", quoted, value) of each part, in order."""
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        negated = False
        while at < len(text) and (text[at] in _DASHES or (text[at] in _QUOTES and not _closing(text, at))):
            negated = negated or text[at] in _DASHES
            at += 1
        match = _FILTER.match(text, at)
        said = match[1].lower() if match else ""
        name: AnyFilterName | Literal[""] = ALIASES.get(said, said)  # type: ignore[assignment]
        at = match.end() if match else at
        close = _closing(text, at)
        quoted = close > 0
        end = close if quoted else _word_end(text, at)
        value = " ".join(text[at + quoted : end].split())
        yield negated, name, quoted, value.strip(_QUOTES).translate(_INNER_QUOTE)
        at = end + quoted


def _closing(text: str, at: int) -> int:
    """Where the quotation that opens here closes; 0 when none opens, or it never closes: then the mark is literal."""
    if at >= len(text) or text[at] not in _QUOTES:
        return 0
    return next((i for i in range(at + 1, len(text)) if text[i] in _QUOTES), 0)


def _word_end(text: str, at: int) -> int:
    return next((i for i in range(at, len(text)) if text[i].isspace()), len(text))


def _checked(item: Filter) -> Filter:
    """The filter, if its value can mean something."""
    if not item.value.strip():
        raise BadQueryError(
            f"{item.name}: needs a value", f"write it without a blank, for example {_EXAMPLES[item.name]}"
        )
    if item.name in _TIME_ONLY:
        if item.negated:
            raise BadQueryError(f"{item.name}: cannot be turned round by a minus", "use before: and after:")
        if item.name == "date":
            days(item.value)
        else:
            when(item.value)
    if item.name == "length" or item.name in TRACK_FILTERS:
        parsed(item.name, item.value)
    return item


_EXAMPLES: dict[str, str] = {
    "video": "video:talk.mp4",
    "folder": "folder:2024",
    "collection": "collection:holiday",
    "tag": "tag:beach",
    "date": "date:2024-05",
    "in": "in:speech",
    "lang": "lang:en",
    "before": "before:2024-05-01 or before:10:00",
    "after": "after:2024-05-01 or after:10:00",
    **EXAMPLES,
}
_DATE = re.compile(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?(?:[T ].*)?")


def day_range(text: str) -> tuple[str, str] | None:
    """`2024`, `2024-05`, `2024-05-01` -> its first day and the day after its last, ISO; None for what is no date."""
    match = _DATE.fullmatch(text.strip())
    if not match or not 1800 <= int(match[1]) <= 2999:
        return None
    year, month, day = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        return None
    if day:
        after = first + timedelta(days=1)
    elif month:
        after = date(year + month // 12, month % 12 + 1, 1)
    else:
        after = date(year + 1, 1, 1)
    return first.isoformat(), after.isoformat()


def days(text: str) -> tuple[str, str]:
    """The value of `date:`, also `2024-01..2024-03`: first day and the day after the last. Either end may be open."""
    first, dots, last = (part.strip() for part in text.partition(".."))
    begin = day_range(first) if first else ("0000-01-01", "")
    end = day_range(last) if last else ("", "9999-12-31")
    if not dots:
        end = begin
    if begin is None or end is None or (dots and not first and not last):
        raise BadQueryError(f"'{text}' is not a date", "write 2024, 2024-05, 2024-05-01 or 2024-01..2024-03")
    if begin[0] >= end[1]:
        raise BadQueryError(f"date:{text} ends before it begins", "write the earlier date first")
    return begin[0], end[1]


def when(text: str) -> str | float:
    """The value of `before:` and `after:`: an ISO day where it is a date, seconds in the video where it is a time."""
    range_ = day_range(text)
    if range_:
        return range_[0]
    try:
        return parse_time(text)
    except BadQueryError:
        raise BadQueryError(
            f"'{text}' is neither a date nor a time", "write a date (2024-05-01) or a place in the video (10:00, 90s)"
        ) from None
