"""Near spellings of words that occur nowhere. Knows edit distances; suggests, and changes no query."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cinescope.library import lookup
from cinescope.library.matching import Unit
from cinescope.library.normal import tokens
from cinescope.library.store import Store

if TYPE_CHECKING:
    from cinescope.library.row_sets import Rows

SHORTEST = 3  # letters; almost every word is near a shorter one
MOST = 5
_ROWS = 100  # rows whose words are looked at, for one word


def edits(word: str) -> int:
    """How many letters may differ: one up to five letters, two from there on (Lucene's fuzziness AUTO)."""
    return 1 if len(word) <= 5 else 2


def spellings(store: Store, units: Iterable[Unit], rows: Rows) -> tuple[str, ...]:
    """Words that occur in these rows and are near a word of the units that does not, nearest first.

    `rows` are of `segments`. Nothing for Chinese, Japanese and Korean: there a pair of
    characters that differs is another word.
    """
    from rapidfuzz.distance import OSA

    found: dict[str, tuple[int, int, str]] = {}
    for word in dict.fromkeys(t.form for u in units for t in u.sequences[0] if not t.cjk and t.whole):
        if len(word) < SHORTEST or word.isdigit():
            continue
        # The index counts a swap of two neighbours as two edits; for people it is one.
        for distance in sorted({edits(word), 2}) if len(word) > SHORTEST else (1,):
            written: dict[str, Counter[str]] = defaultdict(Counter)
            for text in lookup.near(store, word, distance, rows, _ROWS):
                for token in tokens(text):
                    written[token.form][text[token.start : token.end]] += 1
            if word in written:
                break
            far = {form: OSA.distance(word, form, score_cutoff=edits(word)) for form in written}
            close = [form for form in written if far[form] <= edits(word) and len(form) >= SHORTEST]
            for form in close:
                surface, _ = written[form].most_common(1)[0]
                found[form] = (far[form], -written[form].total(), surface)
            if close:
                break
    return tuple(found[form][2] for form in sorted(found, key=lambda form: (*found[form][:2], form))[:MOST])
