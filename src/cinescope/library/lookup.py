"""Rows of `segments` whose words match. Knows the word indexes and their queries; nothing about moments or filters.

A score is the BM25 of the unstemmed index plus a share of the stemmed one's, so that the form that was typed comes
first. While a library has no word index yet (its first index run is going on) the rows are read and scored here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby, takewhile
from typing import Any

from cinescope.library.matching import Text, Unit
from cinescope.library.normal import Token, run_pairs
from cinescope.library.stemming import stem
from cinescope.library.store import Store

COLUMNS = ["video_id", "source", "kind", "start", "end", "text", "words", "language"]
# What another form of the word counts, beside the form that was typed.
STEM_WEIGHT = 0.3
# Phrases (and other units of several words) of a query that the index is asked for; more are checked row by row.
# Lance's query engine recurses through clauses: thousands overflow its stack and end the process.
MOST_CLAUSES = 32
# Rows without an index that are read for near spellings.
_MOST_FRESH = 20_000
# BM25 as Lance has it (k1, b), for the rows that are scored here.
_K1, _B = 1.2, 0.75

Row = dict[str, Any]


def indexed(store: Store) -> bool:
    """Whether the word indexes are there. Without them Lance cuts words by other rules, and its answer is wrong."""
    names = store.reading("segments", lambda data: {field for i in data.describe_indices() for field in i.field_names})
    return {"plain", "stems", "pairs"} <= names


def look_up(
    store: Store,
    units: Sequence[Unit],
    needed: frozenset[int],
    unwanted: Sequence[Unit],
    where: str | None,
    limit: int,
    every: bool,
) -> list[Row]:
    """At most `limit` rows, best first, with the column `_score`.

    `every`: rows that have all needed units; else rows with any of them, and at least one quoted one where a unit is
    quoted. Rows with an unwanted unit are left out. Units that are not needed add to the score only.
    """
    if not indexed(store):
        return _scanned(store, units, needed, unwanted, where, limit, every)
    query = _query(units, needed, unwanted, every)
    return store.rows("segments", [*COLUMNS, "_score"], where, full_text_query=query, limit=limit)


def _query(units: Sequence[Unit], needed: frozenset[int], unwanted: Sequence[Unit], every: bool) -> Any:
    """Few clauses however many words: Lance reads all rows that are not in its index yet once for each clause."""
    from lance.query import BooleanQuery, Occur

    clauses: list[tuple[Any, Any]] = []
    words = [u.word for u in units if u.word]
    needed_words = [units[i].word for i in sorted(needed) if units[i].word]
    others = [units[i] for i in sorted(needed) if not units[i].word][:MOST_CLAUSES]
    if every:
        clauses += [(Occur.MUST, _clause(unit)) for unit in others]
        if needed_words:
            clauses.append((Occur.MUST, _words(needed_words, every=True)))
        # So that of two words in another form the one in the typed form counts; and stop words count a little.
        if len(words) > 1 or not needed_words:
            clauses += [(Occur.SHOULD, _words(words, every=False))] if words else []
    else:
        quoted = [_clause(u) for u in others if u.quoted]
        if quoted:
            clauses.append((Occur.MUST, _any(quoted)))
        clauses += [(Occur.SHOULD, _clause(u, loose=True)) for u in others if not u.quoted]
        if needed_words:
            clauses.append((Occur.SHOULD, _words(needed_words, every=False)))
    clauses += [(Occur.MUST_NOT, _clause(unit)) for unit in unwanted if not unit.word][:MOST_CLAUSES]
    if unwanted_words := [u.word for u in unwanted if u.word]:
        clauses.append((Occur.MUST_NOT, _words(unwanted_words, every=False)))
    return clauses[0][1] if len(clauses) == 1 else BooleanQuery(clauses)


def in_query(units: Sequence[Unit]) -> frozenset[int]:
    """Numbers of the needed units that a query of `look_up` asks the index for; the rest is for the caller to check."""
    others = [i for i, unit in enumerate(units) if not unit.word][:MOST_CLAUSES]
    return frozenset(i for i, unit in enumerate(units) if unit.word or i in others)


def _any(queries: list[Any]) -> Any:
    from lance.query import BooleanQuery, Occur

    return queries[0] if len(queries) == 1 else BooleanQuery([(Occur.SHOULD, q) for q in queries])


def _words(words: list[str], every: bool) -> Any:
    """Rows with every word, or any of them, in the typed form or (where the text may be English) another one."""
    from lance.query import FullTextOperator, MatchQuery

    joined = " ".join(words)
    operator = FullTextOperator.AND if every else FullTextOperator.OR
    typed = MatchQuery(joined, "plain", operator=operator)
    return _any([typed, MatchQuery(joined, "stems", boost=STEM_WEIGHT, operator=operator)])


def _clause(unit: Unit, loose: bool = False) -> Any:
    """The query for a unit that is no single word; `loose`: some of a CJK unit's pairs are enough."""
    from lance.query import MatchQuery

    if loose and unit.bigrams:
        return MatchQuery(" ".join(sorted(unit.bigrams)), "pairs")
    return _any([_sequence(sequence) for sequence in unit.sequences])


def _sequence(sequence: tuple[Token, ...]) -> Any:
    """Words in order. Where scripts mix, each script's part by its own index; their order is looked at afterwards."""
    from lance.query import BooleanQuery, MatchQuery, Occur, PhraseQuery

    parts: list[Any] = []
    for cjk, run in groupby(sequence, lambda t: t.cjk):
        found = list(run)
        if len(found) == 1 and (cjk or found[0].whole):
            parts.append(MatchQuery(found[0].form, "pairs" if cjk else "plain"))
        elif cjk:
            parts.append(PhraseQuery(run_pairs("".join(t.form for t in found)), "pairs"))
        else:
            parts.append(PhraseQuery(" ".join(t.form for t in found), "plain"))
    return parts[0] if len(parts) == 1 else BooleanQuery([(Occur.MUST, p) for p in parts])


def near(store: Store, word: str, distance: int, where: str | None, limit: int) -> list[str]:
    """Texts of at most `limit` rows with words at most `distance` edits away from a folded word."""
    from lance.query import MatchQuery

    query = MatchQuery(word, "plain", fuzziness=distance)
    found = store.rows("segments", ["text"], where, full_text_query=query, limit=limit) if indexed(store) else []
    # The index knows no words of rows that were written after it; they are few, unless it is not there at all.
    fresh = store.reading("segments", lambda data: _fresh_rows(data, _and(where, "text != ''"), _MOST_FRESH))
    return [row["text"] for row in found] + fresh


def _fresh_rows(data: Any, where: str | None, limit: int) -> list[str]:
    """Texts of rows that are in no word index yet."""
    done = {f for i in data.describe_indices() if "plain" in i.field_names for s in i.segments for f in s.fragment_ids}
    fresh = [fragment for fragment in data.get_fragments() if fragment.fragment_id not in done]
    if not fresh:
        return []
    table = data.scanner(columns=["text"], filter=where, fragments=fresh, limit=limit).to_table()
    texts: list[str] = table["text"].to_pylist()
    return texts


def _and(*conditions: str | None) -> str | None:
    return " AND ".join(f"({c})" for c in conditions if c) or None


# --- without an index


def _scanned(
    store: Store,
    units: Sequence[Unit],
    needed: frozenset[int],
    unwanted: Sequence[Unit],
    where: str | None,
    limit: int,
    every: bool,
) -> list[Row]:
    import pyarrow.compute as pc

    table = store.table("segments", [*COLUMNS, "plain"], _and(where, "plain != ''"))
    if not len(table):
        return []
    plain = table["plain"]
    may = None
    for start in {_begin(t) for u in units for s in u.sequences for t in (s if u.bigrams else s[:1])}:
        has = pc.match_substring(plain, start)
        may = has if may is None else pc.or_(may, has)
    average = pc.mean(pc.count_substring(plain, " ")).as_py() + 1.0
    rows: list[tuple[Row, list[tuple[int, int]]]] = []  # with (exact, inflected) counts of each unit
    for row in table.filter(may).to_pylist():
        text = Text(row["text"], row["language"])
        match = text.match(units)
        has_needed = needed & {i for i, share in match.covered.items() if share == 1.0 or not every}
        if not has_needed or (every and has_needed != needed) or any(text.find(u) for u in unwanted):
            continue
        quoted = {i for i in needed if units[i].quoted}
        if quoted and not quoted & has_needed:
            continue
        of_units = [match.places.get(i, []) for i in range(len(units))]
        rows.append((row, [(sum(o.exact for o in places), len(places)) for places in of_units]))
    idf = [
        math.log(1 + (len(table) - n + 0.5) / (n + 0.5))
        for n in (sum(1 for _, counts in rows if counts[i][1]) for i in range(len(units)))
    ]
    for row, counts in rows:
        size = _K1 * (1 - _B + _B * (row["plain"].count(" ") + 1) / average)
        row["_score"] = sum(
            idf[i] * (1 + _K1) * (exact / (exact + size) + STEM_WEIGHT * every_form / (every_form + size))
            for i, (exact, every_form) in enumerate(counts)
        )
    return sorted((row for row, _ in rows), key=lambda r: -r["_score"])[:limit]


def _begin(token: Token) -> str:
    """Letters that every form of the word begins with: a quick sieve before the words are looked at."""
    if token.cjk or not token.whole or len(token.form) < 4:
        return token.form[:2]
    shared = takewhile(lambda two: two[0] == two[1], zip(token.form, stem(token.form), strict=False))
    return "".join(letter for letter, _ in shared)[:3]
