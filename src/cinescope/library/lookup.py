"""Rows of `segments` whose words match. Knows the word indexes and their queries; nothing about moments or filters.

A score is the BM25 of the unstemmed index plus a share of the stemmed one's, so that the form that was typed comes
first. While a library has no word index yet (its first index run is going on), `scan.py` reads the rows instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from cinescope.library.matching import Unit
from cinescope.library.normal import Token, run_pairs
from cinescope.library.question import COLUMNS, MOST_CLAUSES, STEM_WEIGHT, Found, Question, Row
from cinescope.library.scan import scan
from cinescope.library.store import Store

if TYPE_CHECKING:
    from cinescope.library.row_sets import Rows

# Rows without an index that are read for near spellings.
_MOST_FRESH = 20_000


def indexed(store: Store) -> bool:
    """Whether the word indexes are there. Without them Lance cuts words by other rules, and its answer is wrong."""
    names = store.reading("segments", lambda data: {field for i in data.describe_indices() for field in i.field_names})
    return {"plain", "stems", "pairs"} <= names


def look_up(store: Store, question: Question, limit: int, every: bool, strict: bool = False) -> Found:
    """About `limit` rows.

    `every`: rows that have all needed units; else rows with any of them, and at least one quoted one where a unit is
    quoted. Rows with an unwanted unit are left out when `strict`; otherwise the caller looks at them: that is much
    quicker when the unwanted word is a common one.
    """
    if not indexed(store):
        return scan(store, question, limit, every)
    return store.reading("segments", lambda data: _asked(data, question, limit, every, strict))


def _asked(data: Any, question: Question, limit: int, every: bool, strict: bool) -> Found:
    """Ask the indexes one after the other for row numbers, then read the best rows.

    One query for each index, not one for all: Lance follows the best rows only within a single query (two of the
    commonest words in a million rows: 2 x 20 ms, but 360 ms as one query of both indexes).
    """
    scores: dict[int, float] = {}
    typed: set[int] = set()
    complete = True
    for query, other_forms in _queries(question, every):
        if other_forms and len(scores) >= limit:
            continue  # enough rows have the very words
        asked = _without(query, question.unwanted) if strict else query
        table = data.scanner(
            columns=["_rowid", "_score"], full_text_query=asked, limit=limit, **question.rows.only(data)
        ).to_table()
        complete = complete and len(table) < limit
        for row_id, score in zip(table["_rowid"].to_pylist(), table["_score"].to_pylist(), strict=True):
            scores[row_id] = scores.get(row_id, 0.0) + score
            if not other_forms:
                typed.add(row_id)
    best = sorted(scores, key=lambda i: -scores[i])[:limit]
    if not best:
        return Found([], complete)
    rows: list[Row] = [
        row | {"_score": scores[row_id], "_typed": row_id in typed}
        for row_id, row in _read(data, question, best).items()
    ]
    return Found(sorted(rows, key=lambda r: -r["_score"]), complete and len(best) == len(scores))


def _read(data: Any, question: Question, row_ids: list[int]) -> dict[int, Row]:
    """These rows by number; what an earlier look has read is not read again."""
    version, kept = data.version, question.read
    fresh = [i for i in row_ids if (version, i) not in kept]
    if fresh:
        held = question.rows.held(data, fresh)
        columns = COLUMNS if held is None else ["text", "words"]
        table = data.to_table(columns=[*columns, "_rowid"], filter=f"_rowid IN ({', '.join(map(str, fresh))})")
        for row in table.to_pylist():
            kept[version, row["_rowid"]] = row if held is None else held[row["_rowid"]] | row
    return {i: kept[version, i] for i in row_ids}


def _queries(question: Question, every: bool) -> list[tuple[Any, bool]]:
    """(query, whether it finds other forms of the words) of each question to an index; scores add up."""
    from lance.query import BooleanQuery, FullTextOperator, MatchQuery, Occur

    words, others = " ".join(question.words), question.others
    operator = FullTextOperator.AND if every else FullTextOperator.OR
    typed = MatchQuery(words, "plain", operator=operator)
    other_forms = MatchQuery(words, "stems", boost=STEM_WEIGHT, operator=operator)
    if every and others:
        clauses = [(Occur.MUST, _clause(unit)) for unit in others]
        if words:
            clauses.append((Occur.MUST, _any([typed, other_forms])))
        return [(clauses[0][1] if len(clauses) == 1 else BooleanQuery(clauses), False)]
    quoted = [(_clause(unit), False) for unit in others if unit.quoted]
    if quoted:
        return quoted
    return [(typed, False), (other_forms, True)] * bool(words) + [(_clause(u, loose=True), False) for u in others]


def _without(query: Any, unwanted: Sequence[Unit]) -> Any:
    from lance.query import BooleanQuery, MatchQuery, Occur

    clauses = [(Occur.MUST, query)]
    clauses += [(Occur.MUST_NOT, _clause(unit)) for unit in unwanted if not unit.word][:MOST_CLAUSES]
    if words := " ".join(unit.word for unit in unwanted if unit.word):
        clauses += [(Occur.MUST_NOT, MatchQuery(words, column)) for column in ("plain", "stems")]
    return BooleanQuery(clauses)


def _any(queries: list[Any]) -> Any:
    from lance.query import BooleanQuery, Occur

    return queries[0] if len(queries) == 1 else BooleanQuery([(Occur.SHOULD, q) for q in queries])


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


def near(store: Store, word: str, distance: int, rows: Rows, limit: int) -> list[str]:
    """Texts of at most `limit` rows with words at most `distance` edits away from a folded word."""
    from lance.query import MatchQuery

    query = MatchQuery(word, "plain", fuzziness=distance)

    def read(data: Any) -> list[str]:
        found = data.scanner(columns=["text"], full_text_query=query, limit=limit, **rows.only(data)).to_table()
        texts: list[str] = found["text"].to_pylist()
        return texts

    found = store.reading("segments", read) if indexed(store) else []
    # The index knows no words of rows that were written after it; they are few, unless it is not there at all.
    return found + store.reading("segments", lambda data: _fresh_rows(data, rows, _MOST_FRESH))


def _fresh_rows(data: Any, rows: Rows, limit: int) -> list[str]:
    """Texts of rows that are in no word index yet."""
    done = {f for i in data.describe_indices() if "plain" in i.field_names for s in i.segments for f in s.fragment_ids}
    fresh = [fragment for fragment in data.get_fragments() if fragment.fragment_id not in done]
    if not fresh:
        return []
    table = data.scanner(
        columns=["text"], filter="text != ''", fragments=fresh, limit=limit, **rows.only(data)
    ).to_table()
    texts: list[str] = table["text"].to_pylist()
    return texts
