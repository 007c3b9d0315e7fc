"""The mistakes worth looking at, and what is kept of them so that a page can play them. Knows examples, no page."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.api.answers import Kind, Said
from cinescope.datasets.example import Example
from cinescope.types import CinescopeError, Clip

MOST = 24  # mistakes on a page
EXAMPLES = "examples.jsonl"
_HIGH = 96  # pixels: a contact strip
_PICTURES = 5
_SOUND = 6.0  # seconds at most, of clips that are in no file


def worst(rows: Sequence[Said], kind: Kind, most: int = MOST) -> list[Said]:
    """The surest mistakes, or the largest errors; a row that several runs got wrong comes once."""
    if kind == "class":
        wrong = [r for r in rows if r.said != r.true and not math.isnan(r.probability)]
        ordered = sorted(wrong, key=lambda r: (-r.probability, r.key))
    elif kind == "score":
        ordered = sorted(rows, key=lambda r: (-abs(r.said - r.true), r.key))
    else:
        return []
    return list({r.key: r for r in reversed(ordered)}.values())[::-1][:most]


def write_examples(place: Path, examples: Sequence[Example], wanted: Sequence[str] = ()) -> None:
    """examples.jsonl in `place`: where each measured row is to be found. Of the rows `wanted` (keys) that are in no
    file, a contact strip and their sound are kept beside it."""
    shown = set(wanted)
    with open(place / EXAMPLES, "w", encoding="utf-8") as out:
        for example in examples:
            line: dict[str, Any] = {"key": example.key}
            if example.group:
                line["group"] = example.group
            if example.order:
                line["order"] = example.order
            if example.media is not None:
                line["media"] = str(example.media.absolute())
            if example.span is not None:
                line["start"], line["end"] = example.span.start, example.span.end
            if example.texts:
                line["texts"] = {role: text[:1000] for role, text in example.texts.items()}
            if example.key in shown and example.media is None and example.clip is not None:
                line |= _kept(place, example, len(list((place / "errors").glob("*"))))
            out.write(json.dumps(line, ensure_ascii=False) + "\n")


def _kept(place: Path, example: Example, number: int) -> Mapping[str, str]:
    """{"strip": ..., "sound": ...} of what was written, by path below `place`."""
    assert example.clip is not None
    try:
        clip = example.clip()
    except CinescopeError:
        return {}  # it could be read for measuring: the page does without
    folder = place / "errors"
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    strip = contact_strip(clip)
    if strip is not None:
        from cinescope.media.pictures import picture_bytes

        (folder / f"{number}.jpg").write_bytes(picture_bytes(strip))
        found["strip"] = f"errors/{number}.jpg"
    if clip.waveform is not None and clip.waveform.data.size:
        (folder / f"{number}.wav").write_bytes(wav_bytes(clip))
        found["sound"] = f"errors/{number}.wav"
    return found


def poster(path: Path, start: float | None = None, end: float | None = None) -> bytes | None:
    """A small JPEG of the middle of a stretch of a film, for players that have not begun; None where there is none."""
    from cinescope.features.clips import load_clip, whole_span
    from cinescope.media import probe
    from cinescope.media.pictures import picture_bytes
    from cinescope.types import FrameNeed, Needs, Span

    try:
        span = Span(start, end) if start is not None and end is not None else whole_span(path, probe(path))
        middle = span.start + span.duration / 2
        clip = load_clip(path, Needs(frames=FrameNeed(None, 320)), Span(middle, middle + 0.5))
    except CinescopeError:
        return None  # the page plays what the browser can play
    return picture_bytes(clip.frames.data[0]) if clip.frames is not None and len(clip.frames) else None


def contact_strip(clip: Clip) -> np.ndarray | None:
    """(96, W, 3): up to five pictures of a clip side by side; None where it has none."""
    import cv2

    if clip.frames is None or not len(clip.frames):
        return None
    data = clip.frames.data
    chosen = np.unique(((np.arange(_PICTURES) + 0.5) * len(data) / _PICTURES).astype(int))
    pictures = []
    for picture in data[chosen]:
        colour = np.repeat(picture, 3, 2) if picture.shape[2] == 1 else picture
        wide = max(1, round(colour.shape[1] * _HIGH / colour.shape[0]))
        small = cv2.resize(np.ascontiguousarray(colour), (wide, _HIGH), interpolation=cv2.INTER_AREA)
        pictures.append(np.pad(small, ((0, 0), (0, 3), (0, 0)), constant_values=255))
    return np.concatenate(pictures, 1)[:, :-3]


def wav_bytes(clip: Clip) -> bytes:
    """The first seconds of a clip's sound, mixed to one channel, as a WAV of 16 bits."""
    import io
    import wave

    assert clip.waveform is not None
    rate = clip.waveform.sample_rate
    mono = clip.waveform.data.mean(0)[: round(_SOUND * rate)]
    held = io.BytesIO()
    with wave.open(held, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((np.clip(mono, -1, 1) * 32767).astype("<i2").tobytes())
    return held.getvalue()
