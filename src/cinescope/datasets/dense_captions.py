"""Captions with their times, as ActivityNet Captions and YouCook2 publish them. Knows neither's file names.

{"v_uqiMw7tQ1Cc": {"duration": 55.15, "timestamps": [[0.28, 55.15], [13.79, 54.32]],
                   "sentences": ["A weight lifting tutorial is given.", "  The coach helps the guy in red ..."]}}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from cinescope.datasets.example import Example, Target
from cinescope.datasets.gathering import Gathering
from cinescope.datasets.published import number, stretch, value_of
from cinescope.types import BadQueryError

Each = Literal["caption", "video"]
TARGETS: dict[Each, dict[str, Target]] = {
    "caption": {"caption": Target("text")},
    "video": {"events": Target("spans"), "paragraph": Target("text")},
}


def add_video(
    rows: Gathering,
    part: str,
    video: str,
    entry: Mapping[str, Any],
    where: str,
    each: Each = "caption",
    names: Sequence[str] = (),
    group: str = "",
) -> None:
    """One video's captions: an example for each with its span, or one for all with `about["sentences"]`.

    Where the publisher keeps the captions to himself, one example without targets.
    """
    if each not in TARGETS:
        raise BadQueryError(f"each is caption or video, not '{each}'")
    if not isinstance(entry, dict):
        raise BadQueryError(f"{where}, {video}: not an object", "is this the file?")
    about: dict[str, Any] = {"duration": number(value_of(entry, "duration", f"{where}, {video}"), f"{where}, {video}")}
    times, said = (entry.get(name, []) for name in ("timestamps", "sentences"))
    if not isinstance(times, list) or not isinstance(said, list) or len(times) != len(said):
        raise BadQueryError(f"{where}, {video}: not as many timestamps as sentences", "correct this entry")
    group = group or video
    key = f"{part}/{video}"
    if not said or all(str(s) == "None" for s in said):
        rows.add(Example(key, part, group=group, about=about), names)
        return
    spans, captions = [], []
    for i, (pair, sentence) in enumerate(zip(times, said, strict=True)):
        at = f"{where}, {video}, caption {i}"
        if not isinstance(pair, list) or len(pair) != 2:
            raise BadQueryError(f"{at}: {pair} is no pair of times", "correct this entry")
        spans.append(stretch(pair[0], pair[1], at))
        captions.append(str(sentence).strip())
    if each == "video":
        targets = {"events": tuple(spans), "paragraph": (" ".join(captions),)}
        about |= {"sentences": tuple(captions)}
        rows.add(Example(key, part, targets=targets, group=group, about=about), names)
        return
    for i, (span, caption) in enumerate(zip(spans, captions, strict=True)):
        example = Example(
            f"{key}/{i}", part, span=span, targets={"caption": (caption,)}, group=group, order=span.start, about=about
        )
        rows.add(example, names)
