"""Passages by meaning, and both answers as one. Knows embedding spaces and ranks; nothing of how words are found.

The question is embedded by the model that made the vectors: vectors of two models are never compared. Words and
meaning are joined by reciprocal ranks (Cormack, Clarke & Buettcher 2009): a moment is worth the sum of 1 / (60 + its
rank) over the lists that it is in. Moments with all the words count more, those with some of them less.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cinescope.library import absence, schema
from cinescope.library.filters import Scope
from cinescope.library.matching import Text, Unit
from cinescope.library.row_sets import Rows
from cinescope.library.store import Store
from cinescope.types import Evidence, Moment, SearchResult, Span

if TYPE_CHECKING:
    from cinescope.features.backbones.text_encoder import EncoderMeta, TextEncoder

MEANING = "meaning"
EXACT = 50_000  # rows: below, all are compared (60 ms); from there on an index is asked (`upkeep.build_indexes`)
RANKS = 60  # Cormack et al.'s constant: how slowly a rank's worth falls
ALL_WORDS, SOME_WORDS = 1.5, 0.5  # how much a moment with all, or only some, of the words counts beside one by meaning
_NPROBES, _REFINE = 40, 10
_OF = ("speech", "screen")  # what text encoders are given
_COLUMNS = ["video_id", "source", "of", "start", "end", "text", "language"]
_encoders: dict[str, TextEncoder] = {}  # by space: a session takes a quarter of a second to make


@dataclass(frozen=True, slots=True)
class Near:
    """What a look by meaning gave, or in `why` why there was none (one sentence, "" where there was one)."""

    why: str = ""
    hits: tuple[tuple[Evidence, str], ...] = ()  # nearest first, each with its video's id; the score is the cosine
    size: int = 0  # passages looked through
    encoder: str = ""
    unread: str = ""  # what is in the library and could not be looked at, "" for nothing


def near(store: Store, text: str, scope: Scope, unwanted: Sequence[Unit], limit: int) -> Near:
    """The passages nearest to a text, at most `limit`, of those that the scope allows."""
    found = _encoder(store)
    if isinstance(found, str):
        return Near(found)
    meta = found.meta
    if not _readable(text, meta):
        return Near(f"the model {meta.name} reads {_listed(meta.languages)} only")
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
    vector = found.encode([text])[0]
    rows = _nearest(store, table, vector, rows_looked_at, limit + (limit if unwanted or scope.is_placed else 0))
    kept = [r for r in rows if 1.0 - r["_distance"] >= absence.floor(meta.name) and _allowed(r, scope, unwanted)]
    hits = tuple((_evidence(r), r["video_id"]) for r in kept[:limit])
    return Near("", hits, size, meta.name, _unread(store, meta))


def _nearest(store: Store, table: str, vector: Any, among: Rows, limit: int) -> list[dict[str, Any]]:
    nearest = {"column": "vector", "q": vector, "k": limit, "metric": "cosine", "nprobes": _NPROBES}
    nearest |= {"refine_factor": _REFINE}
    rows: list[dict[str, Any]] = store.reading(
        table,
        lambda data: (
            data.scanner(columns=[*_COLUMNS, "_distance"], nearest=nearest, **among.only(data)).to_table().to_pylist()
        ),
    )
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
    here = {space: width for space, width in store.spaces().items() if not space.startswith(("picture-", "sound-"))}
    if not here:
        return "nothing was indexed by meaning (cinescope models get minilm, then index again)"
    for space in here:
        if space in _encoders:
            return _encoders[space]
    from cinescope.features.backbones.text_encoder import TextEncoder, read_meta
    from cinescope.features.models import encoders

    usable = {meta.space: place for place in encoders().values() if (meta := read_meta(place)).space in here}
    if not usable:
        names = sorted({space.partition("@")[0] for space in here})
        return f"the model of these vectors is not on this machine (cinescope models get {names[0]})"
    space = next(iter(usable)) if len(usable) == 1 else _newest(store, list(usable))
    _encoders[space] = TextEncoder(usable[space])
    return _encoders[space]


def _newest(store: Store, among: list[str]) -> str:
    rows = store.rows("ledger", ["settings", "updated"], "analyser = 'meaning'")
    made = {
        s: max((r["updated"] for r in rows if f'"{s.partition("@")[2]}"' in r["settings"]), default="") for s in among
    }
    return max(among, key=lambda s: made[s])


def _readable(text: str, meta: EncoderMeta) -> bool:
    """Whether the model can read the question: a model of English alone gives Chinese sentences equal vectors."""
    if not meta.languages:
        return True
    letters = [c for c in text if c.isalpha()]
    latin = sum(unicodedata.name(c, "").startswith("LATIN") for c in letters)
    return not letters or meta.languages != ("en",) or 2 * latin > len(letters)


def _unread(store: Store, meta: EncoderMeta) -> str:
    """The languages of this library's videos that the model cannot read."""
    languages = store.derived(
        "languages", ["videos"], lambda: {str(r["language"]) for r in store.rows("videos", ["language"])}
    )
    other = sorted(code for code in languages if not meta.reads(code))
    return f"what is in {_listed(other)}, which {meta.name} cannot read" if other else ""


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


# --- both as one


def fused(words: SearchResult, found: Near, share: float, limit: int) -> SearchResult:
    """One result of both. `share`: how much of the question's words the best single row has, 0 to 1.

    Moments' scores are relative to the best one's. A passage that lies in a moment found by words is evidence for it.
    """
    worth: list[float] = []
    moments = list(words.moments)
    for rank, moment in enumerate(moments, 1):
        worth.append((ALL_WORDS if moment.score >= 0.5 else SOME_WORDS) / (RANKS + rank))
    by_words = len(moments)
    rank = 0
    for evidence, video_id in found.hits:
        same = _overlapping(moments, video_id, evidence.span)
        if same is None:
            rank += 1
            moments.append(Moment(video_id, evidence.span, 0.0, {}, (evidence,)))
            worth.append(1.0 / (RANKS + rank))
        elif MEANING not in {e.kind for e in moments[same].evidence}:
            rank += 1
            moments[same] = replace(moments[same], evidence=(*moments[same].evidence, evidence))
            worth[same] += 1.0 / (RANKS + rank)
    best = max(worth, default=1.0)
    rated = [
        _rated(moment, value / best, value, by_words > i)
        for i, (moment, value) in enumerate(zip(moments, worth, strict=True))
    ]
    order = sorted(range(len(rated)), key=lambda i: (-worth[i], i))
    says = absence.verdict(found.encoder, found.hits[0][0].score if found.hits else -1.0, share, found.size)
    absent = says is not None and says.absent
    return replace(
        words,
        moments=tuple(rated[i] for i in order[:limit]),
        note=_note(words, found, absent),
        total=words.total + len(moments) - by_words,
        looked_at=(*words.looked_at, MEANING),
        absent=absent,
    )


def _rated(moment: Moment, score: float, worth: float, has_words: bool) -> Moment:
    """The moment with its score shared out: what the words gave among their modalities, the rest to meaning."""
    by_meaning = next((e.score for e in moment.evidence if e.kind == MEANING), None)
    if by_meaning is None:
        whole = sum(moment.by_modality.values()) or 1.0
        return replace(moment, score=score, by_modality={k: score * v / whole for k, v in moment.by_modality.items()})
    if not has_words:
        return replace(moment, score=score, by_modality={MEANING: score})
    whole = sum(moment.by_modality.values()) or 1.0
    words = {k: score * 0.5 * v / whole for k, v in moment.by_modality.items()}
    return replace(moment, score=score, by_modality=words | {MEANING: score * 0.5})


def _overlapping(moments: list[Moment], video_id: str, span: Span) -> int | None:
    return next((i for i, m in enumerate(moments) if m.video_id == video_id and m.span.overlaps(span)), None)


def _note(words: SearchResult, found: Near, absent: bool) -> str:
    if absent:
        return "nothing like that in these videos" + ("; the nearest are shown" if found.hits or words.moments else "")
    if found.hits and not any(m.score >= 0.5 for m in words.moments):
        return "no moment has all the words; these come near in meaning"
    return words.note
