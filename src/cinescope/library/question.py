"""What the word look-up is asked and what it answers. Knows nothing about indexes or tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cinescope.library.matching import Unit

if TYPE_CHECKING:
    from cinescope.library.row_sets import Rows
    from cinescope.library.scope import Scope

COLUMNS = ["video_id", "source", "kind", "start", "end", "text", "words", "language"]
# What another form of the word counts, beside the form that was typed.
STEM_WEIGHT = 0.3
# Phrases (and other units of several words) of a query that the index is asked for; more are checked row by row.
# Lance's query engine recurses through clauses: thousands overflow its stack and end the process.
MOST_CLAUSES = 32
Row = dict[str, Any]


@dataclass(frozen=True)
class Question:
    """What to look up: the units, which of them (by number) an answer needs, what it must not have, and where."""

    units: tuple[Unit, ...]
    needed: frozenset[int]
    unwanted: tuple[Unit, ...]
    scope: Scope
    rows: Rows  # the scope's, of `segments`
    read: dict[tuple[int, int], Row] = field(default_factory=dict)  # by the table's version and the row's number

    @cached_property
    def where(self) -> str | None:
        """The scope as a Lance filter: for what is read without an index."""
        return self.scope.predicate()

    @property
    def words(self) -> list[str]:
        return [self.units[i].word for i in sorted(self.needed) if self.units[i].word]

    @property
    def others(self) -> list[Unit]:
        """Units of several words, or of scripts that are indexed by pairs."""
        return [self.units[i] for i in sorted(self.needed) if not self.units[i].word][:MOST_CLAUSES]

    @property
    def asked(self) -> frozenset[int]:
        """Numbers of the units that the index is asked for; the rest is for the caller to check."""
        others = self.others
        return frozenset(i for i, unit in enumerate(self.units) if unit.word or unit in others)


@dataclass(frozen=True)
class Found:
    rows: list[Row]  # best first, with `_score`, and `_typed`: False where only other forms of the words matched
    complete: bool  # whether there are no more
