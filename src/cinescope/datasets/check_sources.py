"""Classes whose rows all come from one source: then a model may know the source again, and no figure tells.

A source is the group of a row (film, speaker), else the file it is a stretch of, else what its header says, else its
file's name without the numbering. The last two are guesses, and are said to be. Opens no media.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from cinescope.datasets.example import Dataset, Example
from cinescope.datasets.faults import Fault

ONE_SOURCE = "one-source"
_NUMBERING = re.compile(r"(?:[\W_]+[a-z]{1,4})?[\W_]*\d+\W*$", re.IGNORECASE)
# Names that cameras, programs and people give to everything.
_ANY = {
    "img", "dsc", "vid", "mov", "pxl", "gopr", "clip", "video", "movie", "film", "image", "picture", "photo",
    "frame", "scene", "shot", "rec", "recording", "audio", "sound", "track", "sample", "file", "take", "part",
    "segment", "untitled", "output", "cut",
}  # fmt: skip
_TELLS = 4  # letters that a name must have beside its class to tell a source


def check_sources(dataset: Dataset, headers: Mapping[Path, str] | None = None) -> Iterator[Fault]:
    """`headers`: file -> what it says of where it was recorded, "" where it says nothing."""
    for name, target in dataset.targets.items():
        if target.kind == "class":
            yield from one_source(dataset, name, headers or {})


def one_source(dataset: Dataset, name: str, headers: Mapping[Path, str]) -> Iterator[Fault]:
    labelled = [e for e in dataset.examples if e.targets.get(name) is not None]
    if all(e.group == str(e.targets[name]) for e in labelled):
        return  # the source is what is to be told: who speaks, who is seen
    classes: dict[str, list[tuple[Example, str, str]]] = defaultdict(list)
    for example in labelled:
        label = str(example.targets[name])
        classes[label].append((example, *source_of(example, label, headers)))
    known: dict[str, set[str]] = defaultdict(set)
    for label, rows in classes.items():
        for _, source, _ in rows:
            known[source].add(label)
    if len(classes) < 2:
        return
    if len(known) == 1 and "" not in known and not any(how for rows in classes.values() for *_, how in rows):
        yield Fault(
            ONE_SOURCE,
            "note",
            f"all {len(labelled):,} rows are of one source, '{next(iter(known))}': how well a model does on others "
            "is not known",
            "add rows of other sources",
            {"classes": 0, "of": len(classes)},
        )
        return
    alone = {
        label: rows
        for label, rows in classes.items()
        if len(rows) > 1 and len({s for _, s, _ in rows}) == 1 and rows[0][1] and known[rows[0][1]] == {label}
    }
    if not alone:
        return
    label, rows = max(alone.items(), key=lambda item: len(item[1]))
    _, source, how = rows[0]
    which = f"all {len(rows):,} rows of '{label}' are of one source, '{source}'{how}"
    if len(alone) > 1:
        which = (
            f"the rows of {len(alone):,} of {len(classes):,} classes are of one source each, such as all {len(rows):,} "
            f"of '{label}' of '{source}'{how}"
        )
    yield Fault(
        ONE_SOURCE,
        "doubtful",
        f"{which}, so a model may know the source again and not the class, and accuracy says little",
        "add rows of other sources",
        {"classes": len(alone), "of": len(classes)},
        tuple(e.key for e, _, _ in rows[:5]),
    )


def source_of(example: Example, label: str, headers: Mapping[Path, str]) -> tuple[str, str]:
    """(the source, how it is known where that is a guess); "" where nothing tells it."""
    if example.group:
        return example.group, ""
    if example.media is not None and example.span is not None:
        return example.media.name, ""
    if example.media is None:
        return "", ""
    if said := headers.get(example.media, ""):
        return said, " (by what the files say of themselves)"
    return stem_of(example.media.stem, label), " (by their names)"


def stem_of(name: str, label: str) -> str:
    """`hall` of `hall_3` and `hall-take2`; "" where only the class, a number or a word for anything is left."""
    stem = _NUMBERING.sub("", name).strip(" _-.")
    said = _letters(stem)
    # `esc_dog_1` beside `esc_cat_1` is how people number their clips: the class in the name tells no two films apart.
    told = said.replace(_letters(label), "")
    return "" if len(told) < _TELLS or told in _ANY else stem if told == said else told


def _letters(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalpha())
