"""Passages by meaning. Knows embedding spaces; nothing of how words are found, nor of how the answers become one.

The question is embedded by the model that made the vectors: vectors of two models are never compared. Where a library
has those of several, the newest whose model is here are looked at.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cinescope.library import absence, schema
from cinescope.library.beside import Beside
from cinescope.library.matching import STOP_WORDS, Text, Unit
from cinescope.library.normal import tokens
from cinescope.library.row_sets import Rows
from cinescope.library.scope import Scope
from cinescope.library.store import Store
from cinescope.types import Evidence, Span

if TYPE_CHECKING:
    from cinescope.features.backbones.text_encoder import EncoderMeta, TextEncoder

MEANING = "meaning"
EXACT = 50_000  # rows: below, all are compared (60 ms); from there on an index is asked (`upkeep.build_indexes`)
# Partitions that are looked through, and how many times as many candidates as wanted are compared exactly. A million
# vectors, 120 questions: recall@10 0.996 alone, 0.996, 0.997 and 0.993 where half, 1% and 0.1% of the rows are kept.
_NPROBES, _REFINE = 160, 2
_NO_TEXTS = ("picture-", "picture:", "sound-")  # spaces of what is seen and heard
_OF = ("speech", "screen")  # what text encoders are given
_COLUMNS = ["video_id", "source", "of", "start", "end", "language"]
_encoders: dict[str, TextEncoder] = {}  # by space: a session takes a quarter of a second to make


@dataclass(frozen=True, slots=True)
class Near:
    """What a look by meaning gave, or in `why` why there was none (one sentence, "" where there was one)."""

    why: str = ""
    hits: tuple[tuple[Evidence, str], ...] = ()  # nearest first, each with its video's id; the score is the cosine
    size: int = 0  # passages looked through
    encoder: str = ""
    unread: str = ""  # what is in the library and could not be looked at, "" for nothing
    strength: float = -1.0  # of the best passage as an answer (`absence.strengths`)
    kind: str = MEANING  # of its evidence


def near(store: Store, text: str, scope: Scope, unwanted: Sequence[Unit], limit: int) -> Near:
    """The passages nearest to a text, at most `limit`, of those that the scope allows."""
    found = _encoder(store)
    if isinstance(found, str):
        return Near(found)
    meta = found.meta
    if not readable(text, meta.languages):
        return Near(f"the model {meta.name} reads {listed(meta.languages)} only")
    kinds = [k for k in (scope.kinds or _OF) if k in _OF and k not in scope.not_kinds]
    if not kinds:
        return Near("only speech and screen text are embedded")
    table = schema.vector_table(meta.space)
    narrowed = replace(scope, kinds=tuple(kinds) if len(kinds) < len(_OF) else (), not_kinds=())
    rows_looked_at = Rows(store, table, narrowed, kind_column="of")
    store.refresh(table)
    size = store.reading(table, rows_looked_at.count)
    if not size:
        return Near("nothing was indexed by meaning where this search looks")
    without = without_each_word(text) if meta.name in absence.CALIBRATIONS else []
    vector = found.encode([text])[0]
    # The rest is only needed once the passages are there.
    others = Beside(lambda: found.encode(without))
    fetch = max(limit + (limit if unwanted or scope.is_placed else 0), absence.PASSAGES)
    rows = nearest_rows(store, table, vector, rows_looked_at, fetch)
    kept = [r for r in rows if 1.0 - r["_distance"] >= absence.floor(meta.name) and _allowed(r, scope, unwanted)]
    hits = tuple((_evidence(r), r["video_id"]) for r in kept[:limit])
    strength = _strength(vector, others.result(), kept[: absence.PASSAGES])
    return Near("", hits, size, meta.name, _unread(store, meta), strength)


def without_each_word(text: str) -> list[str]:
    """The question without each of its words in turn, stop words never; nothing where it has one word only."""
    words = [t for t in tokens(text) if t.form not in STOP_WORDS and len(t.form) > 1]
    if len(words) < 2:
        return []
    return [" ".join((text[: t.start] + text[t.end :]).split()) for t in words[: absence.WORDS]]


def _strength(vector: Any, without: Any, rows: list[dict[str, Any]]) -> float:
    """Of the best of these passages; -1 where there is none. `without`: the question's vectors without each word."""
    if not rows:
        return -1.0
    import numpy as np

    passages = np.stack([r["vector"] for r in rows])
    return float(absence.strengths(vector, without, passages, [r["text"] for r in rows]).max())


def nearest_rows(store: Store, table: str, vector: Any, among: Rows, limit: int) -> list[dict[str, Any]]:
    nearest = {"column": "vector", "q": vector, "k": limit, "metric": "cosine", "nprobes": _NPROBES}
    nearest |= {"refine_factor": _REFINE}

    def read(data: Any) -> list[dict[str, Any]]:
        near = {"nearest": nearest, **among.only(data)}
        found = data.scanner(columns=["text", "vector", "_rowid", "_distance"], **near).to_table()
        row_ids = found["_rowid"].to_pylist()
        if not row_ids:
            return []
        held = among.held(data, row_ids)
        if held is None:
            others = data.to_table(columns=[*_COLUMNS, "_rowid"], filter=f"_rowid IN ({', '.join(map(str, row_ids))})")
            held = {row["_rowid"]: row for row in others.to_pylist()}
        # As arrays: a list of Python's numbers for each vector would cost more than the search.
        vectors = found["vector"].combine_chunks().flatten().to_numpy().reshape(len(found), len(vector))
        rows = found.drop(["vector"]).to_pylist()
        return [held[row["_rowid"]] | row | {"vector": v} for row, v in zip(rows, vectors, strict=True)]

    rows = store.reading(table, read)
    return sorted(rows, key=lambda r: r["_distance"])


def _allowed(row: dict[str, Any], scope: Scope, unwanted: Sequence[Unit]) -> bool:
    if not scope.allows(row["video_id"], Span(row["start"], max(row["start"], row["end"]))):
        return False
    text = Text(row["text"], row["language"]) if unwanted else None
    return text is None or not any(text.find(unit) for unit in unwanted)


def _evidence(row: dict[str, Any]) -> Evidence:
    span = Span(row["start"], max(row["start"], row["end"]))
    return Evidence(
        MEANING, span, row["text"], row["source"], score=1.0 - row["_distance"], language=row["language"]
    )  # fmt: skip


def _encoder(store: Store) -> TextEncoder | str:
    """The encoder of the newest space whose model is here, or why there is none."""
    # What pictures look and sounds sound like (`likeness.py`) lies beside the texts' vectors, and is no text.
    here = [space for space in store.spaces() if not space.startswith(_NO_TEXTS)]
    if not here:
        return "nothing was indexed by meaning (cinescope models get minilm, then index again)"
    if len(here) == 1 and here[0] in _encoders:
        return _encoders[here[0]]
    from cinescope.features.backbones.text_encoder import TextEncoder, read_meta
    from cinescope.features.models import encoders

    places = {meta.space: place for place in encoders().values() if (meta := read_meta(place))}
    usable = [space for space in here if space in places or space in _encoders]
    if not usable:
        names = sorted({space.partition("@")[0] for space in here})
        return f"the model of these vectors is not on this machine (cinescope models get {names[0]})"
    space = usable[0] if len(usable) == 1 else newest(store, "meaning", usable)
    if space not in _encoders:
        _encoders[space] = TextEncoder(places[space], threads=1)
    return _encoders[space]


def newest(store: Store, analyser: str, among: list[str]) -> str:
    """Of several spaces that one analyser filled, the one that was written to last."""
    rows = store.rows("ledger", ["settings", "updated"], f"analyser = '{analyser}'")
    made = {
        s: max((r["updated"] for r in rows if f'"{s.rpartition("@")[2]}"' in r["settings"]), default="") for s in among
    }
    return max(among, key=lambda s: made[s])


def readable(text: str, languages: tuple[str, ...]) -> bool:
    """Whether a model of these languages (() for all) can read the question: one of English alone gives Chinese
    sentences equal vectors."""
    letters = [c for c in text if c.isalpha()]
    latin = sum(unicodedata.name(c, "").startswith("LATIN") for c in letters)
    return not letters or languages != ("en",) or 2 * latin > len(letters)


def _unread(store: Store, meta: EncoderMeta) -> str:
    """The languages of this library's videos that the model cannot read."""
    languages = store.derived(
        "languages", ["videos"], lambda: {str(r["language"]) for r in store.rows("videos", ["language"])}
    )
    other = sorted(code for code in languages if not meta.reads(code))
    return f"what is in {listed(other)}, which {meta.name} cannot read" if other else ""


def listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
