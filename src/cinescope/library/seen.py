"""What is seen, by words: the pictures nearest to a question. Knows picture models' spaces; nothing of passages.

The question is embedded by the text half of the model whose picture half made the vectors. Where a library has vectors
of several models, the newest whose model is here are looked at, and which videos they leave out is said. Nothing is
said about how near is near enough: that differs between models, and a rank is all that is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cinescope.library import schema
from cinescope.library.hybrid import Near, listed, nearest_rows, newest, readable
from cinescope.library.matching import Text, Unit
from cinescope.library.row_sets import Rows
from cinescope.library.scope import Scope
from cinescope.library.store import Store, quoted
from cinescope.types import Evidence, Span

if TYPE_CHECKING:
    from cinescope.features.backbones.picture_encoder import PictureEncoder, PictureMeta

PICTURE = "picture"
_SPACES = "picture:"  # how the names of their spaces begin
_ANALYSER = "picture_meaning"
_NEIGHBOURS = 2.0  # seconds: nearer to a better one it is the same scene, and would only crowd the answer
_FETCHED = 4  # times as many rows as are wanted, since many are neighbours
_encoders: dict[str, PictureEncoder] = {}  # by space: a session takes a second to make


def look(store: Store, text: str, scope: Scope, unwanted: Sequence[Unit], limit: int) -> list[Near]:
    """One look, whose hits are at most `limit` pictures, the nearest first; none where pictures were not asked for."""
    if (scope.kinds and PICTURE not in scope.kinds) or PICTURE in scope.not_kinds:
        return []
    found = _encoder(store)
    if isinstance(found, str):
        return [Near(found, kind=PICTURE)]
    meta = found.meta
    if not readable(text, meta.languages):
        return [Near(f"the model {meta.name} reads {listed(meta.languages)} only", kind=PICTURE)]
    table = schema.vector_table(meta.space)
    among = Rows(store, table, replace(scope, kinds=(), not_kinds=()), kind_column="of")
    store.refresh(table)
    size = store.reading(table, among.count)
    vector = found.texts([text])[0]
    if not size or not vector.any():
        return [Near("no picture was indexed where this search looks", kind=PICTURE)]
    rows = nearest_rows(store, table, vector, among, _FETCHED * limit)
    hits = _without_neighbours([r for r in rows if scope.allows(r["video_id"], _span(r))])[:limit]
    kept = [r for r in hits if not unwanted or not _said(store, r, unwanted)]
    evidence = tuple(
        (Evidence(PICTURE, _span(r), "", r["source"], score=1.0 - r["_distance"]), r["video_id"]) for r in kept
    )
    return [Near("", evidence, size, meta.name, _unseen(store, meta), kind=PICTURE)]


def _span(row: dict[str, Any]) -> Span:
    return Span(row["start"], max(row["start"], row["end"]))


def _without_neighbours(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, nearest first, less those beside a better one in the same video."""
    kept: dict[str, list[Span]] = {}
    found = []
    for row in rows:
        beside = kept.setdefault(row["video_id"], [])
        if all(span.gap(_span(row)) >= _NEIGHBOURS for span in beside):
            beside.append(_span(row))
            found.append(row)
    return found


def _said(store: Store, row: dict[str, Any], unwanted: Sequence[Unit]) -> bool:
    """Whether what is not wanted is said or written while the picture stands."""
    span = _span(row)
    where = f"video_id = {quoted(row['video_id'])} AND start < {span.end!r} AND `end` > {span.start!r} AND text <> ''"
    texts = store.rows("segments", ["text", "language"], where)
    return any(Text(r["text"], r["language"]).find(unit) for r in texts for unit in unwanted)


def _encoder(store: Store) -> PictureEncoder | str:
    """The model of the newest pictures whose model is here, or why there is none."""
    from cinescope.features import models

    here = [space for space in store.spaces() if space.startswith(_SPACES)]
    if not here:
        if not models.picture_models():
            return "no picture model here (cinescope models get clip, then index again)"
        return "no pictures were indexed by meaning (index again)"
    if len(here) == 1 and here[0] in _encoders:
        return _encoders[here[0]]
    from cinescope.features.backbones.picture_encoder import PictureEncoder, read_meta

    places = {meta.space: place for place in models.picture_models().values() if (meta := read_meta(place))}
    usable = [space for space in here if space in places or space in _encoders]
    if not usable:
        names = sorted({space.removeprefix(_SPACES).rpartition("@")[0] for space in here})
        typed = names[0].replace("--", "/", 1)
        return f"the model of these vectors is not on this machine (cinescope models get {typed})"
    space = usable[0] if len(usable) == 1 else newest(store, _ANALYSER, usable)
    if space not in _encoders:
        _encoders.clear()  # one is enough: its weights are hundreds of megabytes
        _encoders[space] = PictureEncoder(places[space])
    return _encoders[space]


def _unseen(store: Store, meta: PictureMeta) -> str:
    """How many videos this model has not seen, "" where it has seen all."""

    def count() -> str:
        rows = store.rows("ledger", ["video_id", "settings"], f"analyser = '{_ANALYSER}' AND complete")
        seen = {r["video_id"] for r in rows if f'"{meta.version}"' in r["settings"]}
        videos = store.count("videos")
        missing = videos - len(seen)
        if missing <= 0:
            return ""
        return f"{missing} of {videos} videos were not looked at with {meta.name} (index again)"

    return store.derived(f"unseen by {meta.space}", ["ledger", "videos"], count)
