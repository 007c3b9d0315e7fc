"""Nouns and analyser states as bytes for the tables and back: JSON and arrays, never pickles."""

from __future__ import annotations

import base64
import io
import json
from dataclasses import asdict
from typing import Any

import numpy as np

from cinescope.types import Chapter, Segment, Source, Span, Stream, Video, Word


def video_json(video: Video) -> str:
    return json.dumps(asdict(video), ensure_ascii=False, default=str)


def json_video(text: str) -> Video:
    raw = json.loads(text)
    raw["streams"] = tuple(Stream(**s) for s in raw["streams"])
    raw["chapters"] = tuple(Chapter(Span(**c["span"]), c["title"]) for c in raw["chapters"])
    raw["warnings"] = tuple(raw["warnings"])
    return Video(**raw)


def segment_json(segment: Segment) -> dict[str, Any]:
    """JSON values; bytes in `data` become base64."""
    raw = asdict(segment)
    raw["data"] = {
        k: {"__bytes__": base64.b64encode(v).decode()} if isinstance(v, bytes) else v for k, v in segment.data.items()
    }
    return raw


def json_segment(raw: dict[str, Any]) -> Segment:
    data = {
        k: base64.b64decode(v["__bytes__"]) if isinstance(v, dict) and "__bytes__" in v else v
        for k, v in raw["data"].items()
    }
    return Segment(
        span=Span(**raw["span"]),
        kind=raw["kind"],
        source=Source(**raw["source"]),
        text=raw["text"],
        words=tuple(Word(w["text"], Span(**w["span"]), w["score"]) for w in raw["words"]),
        language=raw["language"],
        who=raw["who"],
        score=raw["score"],
        box=tuple(raw["box"]) if raw["box"] is not None else None,
        data=data,
    )


def pack(state: dict[str, Any]) -> bytes:
    """A state of JSON values and numpy arrays, nested as they like. TypeError for anything else."""
    arrays: list[np.ndarray] = []

    def plain(value: Any) -> Any:
        if isinstance(value, np.ndarray):
            arrays.append(value)
            return {"__array__": len(arrays) - 1}
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, dict):
            return {str(k): plain(v) for k, v in value.items()}
        if isinstance(value, list | tuple):
            return [plain(v) for v in value]
        if isinstance(value, str | int | float | bool) or value is None:
            return value
        raise TypeError(f"an analyser's state holds JSON values and numpy arrays, got {type(value).__name__}")

    text = json.dumps(plain(state), ensure_ascii=False)
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        json=np.frombuffer(text.encode(), np.uint8),
        **{f"a{i}": a for i, a in enumerate(arrays)},  # type: ignore[arg-type]
    )
    return buffer.getvalue()


def unpack(packed: bytes) -> dict[str, Any]:
    if not packed:
        return {}
    with np.load(io.BytesIO(packed), allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}

    def full(value: Any) -> Any:
        if isinstance(value, dict):
            if set(value) == {"__array__"}:
                return arrays[f"a{value['__array__']}"]
            return {k: full(v) for k, v in value.items()}
        if isinstance(value, list):
            return [full(v) for v in value]
        return value

    result: dict[str, Any] = full(json.loads(arrays["json"].tobytes().decode()))
    return result
