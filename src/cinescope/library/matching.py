"""Which words of a text a query means, and where they stand. Knows words and offsets, nothing about tables or ranks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, pairwise
from typing import NamedTuple

from cinescope.library.normal import Token, is_stemmed, tokens
from cinescope.library.query import Term
from cinescope.library.stemming import stem

# English words that say nothing about what is looked for: they add to a moment's score, their absence costs nothing.
_STOP_WORDS = """
    a an and are as at be but by do does for from had has have he her his how i in is it its me my of on or our she
    so that the their them they this to was we were what when where which who will with you your
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())


@dataclass(frozen=True)
class Unit:
    """One word or phrase of a query: the sequences of tokens that count as it, the way it was typed first."""

    text: str
    sequences: tuple[tuple[Token, ...], ...]
    quoted: bool

    @cached_property
    def word(self) -> str:
        """The folded word where the unit is a single one that may be inflected, else ""."""
        first = self.sequences[0]
        return first[0].form if len(first) == 1 and not self.quoted and not first[0].cjk and first[0].whole else ""

    @cached_property
    def bigrams(self) -> frozenset[str]:
        """Neighbouring CJK characters of an unquoted unit of three or more: half of them are a partial match."""
        runs = ["".join(t.form for t in run) for cjk, run in groupby(self.sequences[0], lambda t: t.cjk) if cjk]
        found = frozenset(run[i : i + 2] for run in runs for i in range(len(run) - 1))
        return found if not self.quoted and len(found) > 1 else frozenset()

    @property
    def is_stop_word(self) -> bool:
        return self.word in STOP_WORDS


class Occurrence(NamedTuple):
    start: int  # character offsets in the text, [start, end)
    end: int
    exact: bool  # this form, not another with the same stem


@dataclass(frozen=True)
class Match:
    """What of a query stands in one text."""

    covered: dict[int, float]  # number of the unit -> how much of it is there, 0 to 1
    places: dict[int, list[Occurrence]]

    @property
    def offsets(self) -> tuple[tuple[int, int], ...]:
        """The places of all units, by start, overlapping ones joined."""
        return joined((o.start, o.end) for found in self.places.values() for o in found)


def joined(ranges: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    result: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if result and start < result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return tuple(result)


def unit_of(term: Term) -> Unit:
    typed = tuple(tokens(term.text))
    sequences = [typed]
    if len(typed) > 1 and not term.quoted and not any(t.cjk or not t.whole for t in typed):
        # e-mail is also email, O'Brien also OBrien; a@b.c and 3.14 are not one word
        between = {term.text[a.end : b.start] for a, b in pairwise(typed)}
        if between <= {"-", "'", "’", "‐", "‑"}:
            sequences.append((Token("".join(t.form for t in typed), typed[0].start, typed[-1].end),))
    return Unit(term.text, tuple(sequences), term.quoted)


def units_of(terms: Iterable[Term]) -> tuple[Unit, ...]:
    """One unit a term; terms that mean the same (`Car car`) once."""
    units: dict[tuple[tuple[str, ...], bool], Unit] = {}
    for term in terms:
        unit = unit_of(term)
        units.setdefault((tuple(t.form for t in unit.sequences[0]), unit.quoted), unit)
    return tuple(units.values())


def needed(units: Sequence[Unit]) -> frozenset[int]:
    """Numbers of the units that a full answer has: all but the stop words, or all where there are only stop words."""
    content = frozenset(i for i, unit in enumerate(units) if not unit.is_stop_word)
    return content or frozenset(range(len(units)))


class Text:
    """A text cut into words once, to be asked about several units."""

    def __init__(self, text: str, language: str = "") -> None:
        self.tokens = list(tokens(text))
        self.stemmed = is_stemmed(language)

    @cached_property
    def forms(self) -> dict[str, list[int]]:
        """Token form -> positions."""
        result: dict[str, list[int]] = {}
        for i, token in enumerate(self.tokens):
            result.setdefault(token.form, []).append(i)
        return result

    @cached_property
    def stems(self) -> dict[str, list[int]]:
        result: dict[str, list[int]] = {}
        if self.stemmed:
            for form, places in self.forms.items():
                if not self.tokens[places[0]].cjk:
                    result.setdefault(stem(form), []).extend(places)
        return result

    def find(self, unit: Unit) -> list[Occurrence]:
        """Where the whole unit stands, by start."""
        found: dict[tuple[int, int], bool] = {}
        for sequence in unit.sequences:
            for start, end in self._sequence(sequence):
                found[start, end] = True
        if unit.word:
            for i in self.stems.get(stem(unit.word), ()):
                found.setdefault((self.tokens[i].start, self.tokens[i].end), False)
        return [Occurrence(start, end, exact) for (start, end), exact in sorted(found.items())]

    def find_partly(self, unit: Unit) -> tuple[float, list[Occurrence]]:
        """The share of a CJK unit's pairs that stand in the text, where it is at least half, and their places."""
        if not unit.bigrams:
            return 0.0, []
        places = []
        seen = set()
        for a, b in pairwise(self.tokens):
            if a.cjk and b.cjk and a.form + b.form in unit.bigrams:
                seen.add(a.form + b.form)
                places.append(Occurrence(a.start, b.end, False))
        share = len(seen) / len(unit.bigrams)
        return (min(share, 0.99), places) if share >= 0.5 else (0.0, [])

    def match(self, units: Sequence[Unit]) -> Match:
        covered: dict[int, float] = {}
        places: dict[int, list[Occurrence]] = {}
        for i, unit in enumerate(units):
            share, found = 1.0, self.find(unit)
            if not found:
                share, found = self.find_partly(unit)
            if found:
                covered[i], places[i] = share, found
        return Match(covered, places)

    def _sequence(self, sequence: tuple[Token, ...]) -> Iterable[tuple[int, int]]:
        if any(not t.whole for t in sequence):
            yield from self._unspaced(sequence)
            return
        size = len(sequence)
        for i in self.forms.get(sequence[0].form, ()):
            if i + size <= len(self.tokens) and all(
                self.tokens[i + k].form == sequence[k].form for k in range(1, size)
            ):
                yield self.tokens[i].start, self.tokens[i + size - 1].end

    def _unspaced(self, sequence: tuple[Token, ...]) -> Iterable[tuple[int, int]]:
        """Thai and its like: the runs are not cut into words here, so a word is a piece of a run."""
        wanted = " ".join(t.form for t in sequence)
        for token in self.tokens:
            at = token.form.find(wanted) if not token.whole else -1
            while at >= 0:
                if len(token.form) == token.end - token.start:
                    yield token.start + at, token.start + at + len(wanted)
                else:
                    yield token.start, token.end
                at = token.form.find(wanted, at + 1)
