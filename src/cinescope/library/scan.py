"""Rows whose words match, read one by one: for a library whose first index run has not made its indexes yet.

Knows what a question asks for, and scores with the same formula.
"""

from __future__ import annotations

import math
from itertools import takewhile

from cinescope.library.matching import Text
from cinescope.library.normal import Token
from cinescope.library.question import COLUMNS, STEM_WEIGHT, Found, Question, Row
from cinescope.library.stemming import stem
from cinescope.library.store import Store

# BM25 as Lance has it (k1, b).
_K1, _B = 1.2, 0.75


def scan(store: Store, question: Question, limit: int, every: bool) -> Found:
    """What `lookup.look_up` gives, rows with an unwanted unit left out."""
    import pyarrow.compute as pc

    units, needed = question.units, question.needed
    where = f"({question.where}) AND plain != ''" if question.where else "plain != ''"
    table = store.table("segments", [*COLUMNS, "plain"], where)
    if not len(table):
        return Found([], True)
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
        if not has_needed or (every and has_needed != needed) or any(text.find(u) for u in question.unwanted):
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
        row["_typed"] = any(exact for exact, _ in counts)
    best = sorted((row for row, _ in rows), key=lambda r: -r["_score"])
    return Found(best[:limit], len(best) <= limit)


def _begin(token: Token) -> str:
    """Letters that every form of the word begins with: a quick sieve before the words are looked at."""
    if token.cjk or not token.whole or len(token.form) < 4:
        return token.form[:2]
    shared = takewhile(lambda two: two[0] == two[1], zip(token.form, stem(token.form), strict=False))
    return "".join(letter for letter, _ in shared)[:3]
