"""Faults of the media themselves: broken, empty, silent, black, the same twice, in two parts, told by their length.

Opens each file once; what it saw is kept as a short print. Knows the readers of media; knows no labels' meaning.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cinescope.datasets.check_features import told_by
from cinescope.datasets.check_rows import some
from cinescope.datasets.check_texts import class_targets
from cinescope.datasets.example import Dataset, Example
from cinescope.datasets.faults import Fault
from cinescope.datasets.linear_reading import fold_of
from cinescope.datasets.media_prints import MediaPrint, print_of
from cinescope.datasets.near import alike_rows
from cinescope.types import CinescopeError

ALIKE_PICTURES = 0.985  # cosine of the small pictures without their mean
ALIKE_SOUNDS = 0.998
_LATE = 0.5  # seconds that a stretch may go on after its file ends


@dataclass(frozen=True, slots=True)
class Looked:
    faults: list[Fault]
    looked: str


def check_media(dataset: Dataset, most: int | None, tell: Callable[[int, int], object]) -> Looked:
    rows: dict[object, list[Example]] = defaultdict(list)
    for example in dataset.examples:
        if example.media is not None or example.clip is not None:
            rows[example.media or (example.key,)].append(example)
    firsts = [group[0] for group in rows.values()]
    chosen = firsts
    if most is not None and len(firsts) > most:
        chosen = [firsts[i] for i in np.unique(np.linspace(0, len(firsts) - 1, most).astype(int))] if most else []
    prints: list[tuple[Example, MediaPrint]] = []
    broken: list[tuple[Example, str]] = []
    for done, example in enumerate(chosen):
        try:
            prints.append((example, print_of(example)))
        except CinescopeError as error:
            broken.append((example, error.what))
        tell(done + 1, len(chosen))
    faults = [
        *_broken(broken, len(chosen)),
        *_contents(prints),
        *_same_bytes(rows, prints),
        *_alike(prints),
        *_late(rows, prints),
        *_telling(dataset, prints),
    ]
    looked = f"{len(chosen):,} of {len(firsts):,} media were opened"
    return Looked(faults, looked + ("" if len(chosen) == len(firsts) else " (--all opens all)"))


def _broken(broken: Sequence[tuple[Example, str]], of: int) -> Iterator[Fault]:
    if broken:
        yield Fault(
            "broken-media",
            "ruinous" if len(broken) > 0.05 * of else "doubtful",
            f"{len(broken):,} of {of:,} media cannot be read: {broken[0][1]}",
            "fetch them again, or leave their rows out",
            {"broken": len(broken), "of": of},
            some([e for e, _ in broken]),
        )


def _contents(prints: Sequence[tuple[Example, MediaPrint]]) -> Iterator[Fault]:
    for check, what, found in (
        ("empty-media", "have no length", [e for e, p in prints if p.duration is not None and p.duration <= 0]),
        ("silent-media", "are silent from end to end", [e for e, p in prints if p.silent]),
        ("black-media", "show one dark colour throughout", [e for e, p in prints if p.black]),
    ):
        if found:
            yield Fault(
                check,
                "doubtful" if check == "empty-media" or len(found) > 0.01 * len(prints) else "note",
                f"{len(found):,} of {len(prints):,} media {what}",
                "look at some; leave out what is an accident of recording",
                {"media": len(found), "of": len(prints)},
                some(found),
            )


def _same_bytes(rows: dict[object, list[Example]], prints: Sequence[tuple[Example, MediaPrint]]) -> Iterator[Fault]:
    """Files with the same bytes: by size among all of them, then by their content."""
    sizes: dict[int, list[Path]] = defaultdict(list)
    for place in rows:
        if isinstance(place, Path) and place.is_file():
            sizes[place.stat().st_size].append(place)
    same: dict[bytes, list[Example]] = defaultdict(list)
    for paths in sizes.values():
        for path in paths if len(paths) > 1 else ():
            same[_digest(path)].append(rows[path][0])
    for example, seen in prints:
        if example.media is None and seen.content:
            same[seen.content].append(example)
    yield from _twins("same-media", "are the same file", [g for g in same.values() if len(g) > 1])


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").digest()


def _alike(prints: Sequence[tuple[Example, MediaPrint]]) -> Iterator[Fault]:
    for kind, least in (("picture", ALIKE_PICTURES), ("sound", ALIKE_SOUNDS)):
        seen = [(e, v) for e, p in prints if (v := p.picture if kind == "picture" else p.sound) is not None]
        if len(seen) < 2:
            continue
        pairs = alike_rows(np.stack([v for _, v in seen]).astype(np.float32), least)
        groups: dict[int, int] = {}
        for i, j, _ in pairs:  # later to the first that it is like
            groups[j] = min(groups.get(i, i), groups.get(j, j), i)
        twins: dict[int, list[Example]] = defaultdict(list)
        for j, i in groups.items():
            twins[i].append(seen[j][0])
        said = "look nearly the same" if kind == "picture" else "sound nearly the same"
        yield from _twins(f"alike-{kind}s", said, [[seen[i][0], *others] for i, others in twins.items()])


def _twins(check: str, said: str, groups: Sequence[Sequence[Example]]) -> Iterator[Fault]:
    """One fault for all, and one for those that are in two parts."""
    if not groups:
        return
    extra = sum(len(g) - 1 for g in groups)
    torn = [g for g in groups if len({str(dict(e.targets)) for e in g}) > 1]
    yield Fault(
        check,
        "doubtful" if check == "same-media" else "note",
        f"{extra:,} media {said} as another"
        + (f"; {len(torn):,} of these groups have different targets" if torn else ""),
        "keep one of each, or keep them in one part",
        {"media": extra, "groups": len(groups), "contradicting": len(torn)},
        some(torn[0] if torn else groups[0]),
    )
    across = [g for g in groups if len({e.split for e in g if e.split}) > 1]
    if across:
        parts = Counter(tuple(sorted({e.split for e in g})) for g in across).most_common(1)[0][0]
        yield Fault(
            f"split-{check}",
            "ruinous" if check == "same-media" else "doubtful",
            f"{len(across):,} media of '{parts[0]}' {said} as media of '{parts[1]}'",
            "leave them out of one part",
            {"groups": len(across), "splits": list(parts)},
            some(across[0]),
        )


def _late(rows: dict[object, list[Example]], prints: Sequence[tuple[Example, MediaPrint]]) -> Iterator[Fault]:
    ends = {e.media: p.end for e, p in prints if e.media is not None and p.end is not None}
    late = [(e, end) for p, end in ends.items() for e in rows[p] if e.span is not None and e.span.end > end + _LATE]
    if late:
        first, end = late[0]
        yield Fault(
            "late-stretch",
            "doubtful",
            f"{len(late):,} rows speak of a stretch that ends after their file does: '{first.key}' to "
            f"{first.span.end if first.span else 0:g} s, and the file ends at {end:g} s",
            "are these the right files, and whole?",
            {"rows": len(late)},
            some([e for e, _ in late]),
        )


def _telling(dataset: Dataset, prints: Sequence[tuple[Example, MediaPrint]]) -> Iterator[Fault]:
    """How long, how large, how loud, of which rate: what should say nothing of the label."""
    for name in class_targets(dataset):
        seen = [(e, p) for e, p in prints if name in e.targets and e.span is None]
        if not seen:
            continue
        examples = [e for e, _ in seen]
        labels = np.unique([str(e.targets[name]) for e in examples], return_inverse=True)[1]
        sides = [
            (what, np.array([np.nan if (v := p.figures.get(what)) is None else v for _, p in seen], np.float64))
            for what in sorted({w for _, p in seen for w in p.figures})
        ]
        yield from told_by(sides, name, examples, labels, fold_of([e.group for e in examples]))
