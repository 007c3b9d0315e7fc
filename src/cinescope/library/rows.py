"""Segments as table rows and back. Knows the columns; knows nothing about where rows come from or go."""

from __future__ import annotations

import json
from typing import Any

from cinescope.library.normal import normalised, pairs, stem_text
from cinescope.types import Segment, Source, Span, Word

PERSON = "person"  # the source of rows that mirror what people wrote, so that it is searched with the rest


def text_columns(text: str, language: str) -> dict[str, str]:
    """The text and what the other word indexes see of it."""
    return {"text": text, "plain": normalised(text), "stems": stem_text(text, language), "pairs": pairs(text)}


def segment_row(video_id: str, seq: int, segment: Segment) -> dict[str, Any]:
    return {
        "video_id": video_id,
        "source": segment.source.key,
        "seq": seq,
        "kind": segment.kind,
        "start": segment.span.start,
        "end": segment.span.end,
        **text_columns(segment.text, segment.language),
        "machine_text": "",
        "words": [{"text": w.text, "start": w.span.start, "end": w.span.end, "score": w.score} for w in segment.words],
        "language": segment.language,
        "who": segment.who,
        "score": segment.score,
        "box": list(segment.box) if segment.box is not None else None,
        "data": json.dumps(segment.data, ensure_ascii=False, sort_keys=True) if segment.data else "",
    }


def row_segment(row: dict[str, Any]) -> Segment:
    """The segment behind a row of `segments`. Its source carries the key only; the ledger has version and settings."""
    analyser, _, rest = row["source"].partition("@")
    version = rest.rpartition(":")[0] or rest
    return Segment(
        span=Span(row["start"], row["end"]),
        kind=row["kind"],
        source=Source(analyser, version),
        text=row["text"],
        words=tuple(Word(w["text"], Span(w["start"], w["end"]), w["score"]) for w in row["words"] or ()),
        language=row["language"],
        who=row["who"],
        score=row["score"],
        box=tuple(min(1.0, max(0.0, v)) for v in row["box"]) if row["box"] else None,  # type: ignore[arg-type]
        data=json.loads(row["data"]) if row["data"] else {},
    )
