"""A truth as a `Clip`, or as an MP4 with subtitles. Knows nothing of labels."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cinescope.datasets.worlds import pictures, sounds, words
from cinescope.datasets.worlds.spec import WorldSpec
from cinescope.datasets.worlds.truth import Truth, draw
from cinescope.media import VideoWriter
from cinescope.types import BadQueryError, CinescopeError, Clip, Cue, Frames, Span, SubtitleTrack, Waveform

SPEC, TRUTHS = "world.json", "truths.jsonl"


def clip(spec: WorldSpec, truth: Truth) -> Clip:
    """What is there of the truth; a modality that it lacks is None."""
    there = [m for m in spec.modalities if m not in truth.absent]
    times = np.arange(spec.frames, dtype=np.float64) / spec.rate
    return Clip(
        Span(0.0, spec.seconds),
        Frames(pictures.frames(spec, truth), times) if "picture" in there else None,
        Waveform(sounds.waveform(spec, truth)[None], spec.sample_rate, 0.0) if "sound" in there else None,
        words.words(spec, truth) if "text" in there else (),
        name=truth.key,
        frame_durations=(1 / spec.rate,) * spec.frames if "picture" in there else (),
    )


def write(path: Path, spec: WorldSpec, truth: Truth, subtitles: bool = True) -> None:
    """The clip as a file; its words are a subtitle track. CinescopeError where nothing of it can be seen or heard."""
    made = clip(spec, truth)
    if made.frames is None and made.waveform is None:
        raise CinescopeError(f"'{truth.key}' has neither picture nor sound to write")
    cues = tuple(Cue(word.span, word.text) for word in made.words)
    with VideoWriter(
        path,
        spec.size if made.frames is not None else None,
        spec.rate,
        (spec.sample_rate, 1) if made.waveform is not None else None,
        [SubtitleTrack(cues, "en")] if cues and subtitles else [],
        options={"crf": "16"} if made.frames is not None else None,
    ) as out:
        if made.frames is not None:
            for picture, time in zip(made.frames.data, made.frames.times, strict=True):
                out.picture(picture, float(time), 1 / spec.rate)
        if made.waveform is not None:
            out.sound(made.waveform)


def render(
    folder: Path,
    spec: WorldSpec,
    count: int,
    seed: int = 0,
    subtitles: bool = True,
    tell: Callable[[int, int], object] | None = None,
) -> list[Path]:
    """`count` clips as MP4 files, their truths in truths.jsonl, and the specification in world.json.

    BadQueryError where the folder holds a world already, or clips would have nothing to be seen or heard.
    """
    if count < 1 or seed < 0:
        raise BadQueryError(f"{count} clips of seed {seed} cannot be made", "give 1 clip or more and a seed from 0 on")
    if (folder / SPEC).exists():
        raise BadQueryError(f"'{folder}' holds a world already", "give another folder")
    truths = [draw(spec, seed, index) for index in range(count)]
    empty = [t for t in truths if not {"picture", "sound"} & (set(spec.modalities) - set(t.absent))]
    if empty:
        raise BadQueryError(
            f"'{empty[0].key}' would have neither picture nor sound, and a film needs one",
            "lower the dial missing, or add a modality",
        )
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for done, truth in enumerate(truths):
        paths.append(folder / f"{truth.key}.mp4")
        write(paths[-1], spec, truth, subtitles)
        if tell is not None:
            tell(done + 1, count)
    lines = [json.dumps({**t.to_json(spec), "words": _said(spec, t), "file": f"{t.key}.mp4"}) for t in truths]
    (folder / TRUTHS).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / SPEC).write_text(json.dumps(spec.to_json(), indent=1) + "\n", encoding="utf-8")
    return paths


def _said(spec: WorldSpec, truth: Truth) -> list[tuple[str, float, float]]:
    """(word, start, end) in seconds; none where the clip has no text."""
    there = "text" in spec.modalities and "text" not in truth.absent
    return [(w.text, w.span.start, w.span.end) for w in words.words(spec, truth)] if there else []
