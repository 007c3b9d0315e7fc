"""Worlds: rendered clips. Without a folder those of the benchmark; else a specification file, or a folder of MP4s.

    {"label": "pair", "carriers": ["picture", "sound"]} with seed 7, clip 3
    -> key "7-00003", targets label "20", picture "2", sound "0", text "3", events (0.9 to 1.1 s,)

Targets: label; picture, sound, text, what each of them tells; events, their spans in seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cinescope.datasets.example import Dataset, Example, Target
from cinescope.datasets.worlds.rendering import SPEC, TRUTHS, clip
from cinescope.datasets.worlds.spec import VALUES, WorldSpec, read_json
from cinescope.datasets.worlds.truth import Truth, draw
from cinescope.types import BadQueryError, Clip, Span

BENCHMARK = Path(__file__).with_name("benchmark.json")
SPLITS = ("train", "val", "test")
COUNTS = {"train": 1000, "val": 200, "test": 500}
SEEDS = {"train": 1, "val": 2, "test": 3}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A clip that is rendered when it is asked for; costs nothing until then, and can be sent to another process."""

    spec: WorldSpec
    truth: Truth

    def __call__(self) -> Clip:
        return clip(self.spec, self.truth)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Worlds with the seeds and sizes that figures are told for. Frozen: see the file."""

    worlds: Mapping[str, WorldSpec]
    counts: Mapping[str, int]  # split -> clips
    runs: tuple[Mapping[str, int], ...]  # each: split -> seed


def benchmark(path: Path = BENCHMARK) -> Benchmark:
    data = read_json(path)
    try:
        worlds = {name: WorldSpec.from_json(spec, name) for name, spec in data["worlds"].items()}
        return Benchmark(worlds, data["counts"], tuple(data["runs"]))
    except (KeyError, TypeError) as error:
        raise BadQueryError(f"'{path}' is no benchmark of worlds", "it needs worlds, counts and runs") from error


def read(
    folder: Path | None = None,
    *,
    media: Path | None = None,
    split: str | None = None,
    world: str = "pair",
    run: int = 0,
    seeds: Mapping[str, int] | None = None,
    counts: Mapping[str, int] | None = None,
    **dials: Any,
) -> Dataset:
    """`folder`: nothing, a JSON file of one world or of a benchmark, or a folder that `cinescope world` has written.

    `world` and `run` choose in a benchmark; `seeds` and `counts` say the seed and the number of clips of each split;
    other settings are dials of the specification. A written folder has neither: it is as it is.
    """
    if folder is not None and not folder.exists():
        raise BadQueryError(f"there is no '{folder}'", "give a specification file, or a folder made by cinescope world")
    if folder is not None and folder.is_dir():
        if dials or seeds or counts:
            raise BadQueryError(f"the clips in '{folder}' are rendered already", "leave out dials, seeds and counts")
        made = _written(folder, media or folder)
    else:
        spec, seeds, counts = _chosen(folder, world, run, seeds, counts)
        made = rendered(spec.changed(**dials), seeds, counts)
    return made if split is None else made.split(split)


def rendered(spec: WorldSpec, seeds: Mapping[str, int], counts: Mapping[str, int]) -> Dataset:
    """Examples whose clips are rendered when they are asked for; split -> seed, split -> number of clips."""
    seen = [seeds[s] for s in counts if counts[s]]
    if len(set(seen)) < len(seen):
        raise BadQueryError("two splits with one seed would hold the same clips", "give each split its own seed")
    examples = []
    for split, count in counts.items():
        for index in range(count):
            truth = draw(spec, seeds[split], index)
            examples.append(_example(spec, truth.to_json(spec), split, clip=Rendered(spec, truth)))
    note = f"rendered: {spec.label} of {' and '.join(spec.carriers)}"
    return Dataset("worlds", tuple(examples), _targets(spec), notes=(note,))


def _chosen(
    folder: Path | None, world: str, run: int, seeds: Mapping[str, int] | None, counts: Mapping[str, int] | None
) -> tuple[WorldSpec, Mapping[str, int], Mapping[str, int]]:
    path = folder or BENCHMARK
    data = read_json(path)
    if "worlds" not in data:
        return WorldSpec.from_json(data, f"'{path.name}'"), {**SEEDS, **(seeds or {})}, counts or COUNTS
    found = benchmark(path)
    if world not in found.worlds:
        raise BadQueryError(f"'{path.name}' has no world '{world}'", f"it has {', '.join(found.worlds)}")
    if not 0 <= run < len(found.runs):
        raise BadQueryError(f"'{path.name}' has no run {run}", f"its runs are 0 to {len(found.runs) - 1}")
    return found.worlds[world], {**found.runs[run], **(seeds or {})}, counts or found.counts


def _written(folder: Path, media: Path) -> Dataset:
    if not (folder / SPEC).is_file():
        raise BadQueryError(f"'{folder}' is no world: looked for {SPEC}", "make one with cinescope world")
    spec = WorldSpec.from_json(read_json(folder / SPEC), f"'{folder / SPEC}'")
    try:
        lines = [json.loads(line) for line in (folder / TRUTHS).read_text(encoding="utf-8").splitlines()]
        examples = tuple(_example(spec, line, "", media=media / line["file"]) for line in lines)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadQueryError(f"'{folder / TRUTHS}' cannot be read", "make the world anew") from error
    absent = next((e.media for e in examples if e.media is not None and not e.media.is_file()), None)
    if absent is not None:
        raise BadQueryError(f"there is no '{absent}'", "make the world anew")
    return Dataset("worlds", examples, _targets(spec))


def _example(
    spec: WorldSpec, truth: Mapping[str, Any], split: str, clip: Rendered | None = None, media: Path | None = None
) -> Example:
    values = {m: str(v) for m, v in truth["values"].items()}
    events = tuple(Span(start, end) for start, end in truth["events"])
    return Example(
        key=truth["key"],
        split=split,
        clip=clip,
        media=media,
        # What a file holds as subtitles; a rendered clip brings its words with their times.
        texts={"speech": " ".join(text for text, _, _ in truth["words"])} if truth.get("words") else {},
        targets={"label": truth["label"], **values, "events": events},
        about={"signs": truth["signs"], "absent": truth["absent"]},
    )


def _targets(spec: WorldSpec) -> dict[str, Target]:
    told: dict[str, Target] = {m: Target("class", tuple(str(v) for v in range(VALUES))) for m in spec.modalities}
    return {"label": Target("class", spec.labels), **told, "events": Target("spans")}
