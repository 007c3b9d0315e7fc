"""Faults of texts: empty, the same or nearly the same, in two parts, with labels that contradict, told by length."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from cinescope.datasets.check_rows import some
from cinescope.datasets.example import Dataset, Example
from cinescope.datasets.faults import Fault, percent
from cinescope.datasets.near import alike_texts, normal

SAYS = 4  # words from which it is no accident that two people say the same
MOST_TEXTS = 60_000  # of which nearly the same ones are looked for


def check_texts(dataset: Dataset) -> Iterator[Fault]:
    for role in sorted({role for e in dataset.examples for role in e.texts}):
        having = [e for e in dataset.examples if role in e.texts]
        normals = [normal(e.texts[role]) for e in having]
        yield from _empty(dataset, role, having, normals)
        yield from _same(dataset, role, having, normals)
        yield from _nearly(dataset, role, having, normals)


def class_targets(dataset: Dataset) -> list[str]:
    return [name for name, target in dataset.targets.items() if target.kind == "class"]


def _empty(dataset: Dataset, role: str, having: Sequence[Example], normals: Sequence[str]) -> Iterator[Fault]:
    empty = [e for e, text in zip(having, normals, strict=True) if not text]
    empty += [e for e in dataset.examples if role not in e.texts]
    if empty:
        yield Fault(
            "empty-text",
            "doubtful" if len(empty) > 0.01 * len(dataset) else "note",
            f"{len(empty):,} of {len(dataset):,} rows have no words in '{role}'",
            "a model must be told that it is missing; leave them out where text is all there is",
            {"role": role, "rows": len(empty)},
            some(empty),
        )


def _same(dataset: Dataset, role: str, having: Sequence[Example], normals: Sequence[str]) -> Iterator[Fault]:
    """Texts that are the same but for case and punctuation."""
    told: dict[str, list[Example]] = defaultdict(list)
    for example, text in zip(having, normals, strict=True):
        if text.count(" ") + 1 >= SAYS:
            told[text].append(example)
    twice = {text: rows for text, rows in told.items() if len(rows) > 1}
    if not twice:
        return
    rows = sum(len(r) - 1 for r in twice.values())
    text, most = max(twice.items(), key=lambda t: len(t[1]))
    # A sentence about films is asked of many films: it is the same row only where the text is all there is to see.
    alone = all(_alone(e) for r in twice.values() for e in r)
    yield Fault(
        "same-text",
        "doubtful" if alone and rows > 0.01 * len(having) else "note",
        f"{rows:,} rows repeat the '{role}' of another ({percent(rows / len(having))}), "
        f"'{text[:60]}' {len(most)} times",
        "keep one of each, or keep them in one part" if alone else "",
        {"role": role, "rows": rows, "texts": len(twice)},
        some(most),
    )
    for name in class_targets(dataset):
        torn = [r for r in twice.values() if len({e.targets.get(name) for e in r if name in e.targets}) > 1]
        if torn and alone:
            yield Fault(
                "contradiction",
                "doubtful" if sum(map(len, torn)) > 0.02 * len(having) else "note",
                f"{len(torn):,} texts have more than one '{name}', such as '{normal(torn[0][0].texts[role])[:60]}'",
                "look which is right: nobody can be right on both from the words alone",
                {"role": role, "texts": len(torn)},
                some(torn[0]),
            )
    yield from _across(role, [(a, b) for r in twice.values() for a, b in _crossing(r)], having, "the same", alone)


def _alone(example: Example) -> bool:
    """Whether words are what a model sees of it: no media, no span, no features, and a label to be told."""
    return (
        example.media is None
        and example.clip is None
        and example.span is None
        and not example.given
        and not example.candidates
        and not {"question", "query"} & set(example.texts)
        and any(isinstance(v, str | float) for v in example.targets.values())
    )


def _crossing(rows: Sequence[Example]) -> list[tuple[Example, Example]]:
    """Each row that is in another part than the first of the same."""
    return [(rows[0], e) for e in rows[1:] if e.split != rows[0].split]


def _across(
    role: str, pairs: Sequence[tuple[Example, Example]], having: Sequence[Example], how: str, alone: bool
) -> Iterator[Fault]:
    parts: dict[tuple[str, str], list[tuple[Example, Example]]] = defaultdict(list)
    for a, b in pairs:
        if a.split and b.split and a.split != b.split:
            parts[min(a.split, b.split), max(a.split, b.split)].append((a, b))
    for (one, other), shared in parts.items():
        size = min(sum(e.split == part for e in having) for part in (one, other))
        small = one if sum(e.split == one for e in having) == size else other
        rows = {(a if a.split == small else b).key for a, b in shared}
        share = len(rows) / size
        yield Fault(
            "split-texts",
            ("ruinous" if share >= 0.05 else "doubtful") if alone and share >= 0.01 else "note",
            f"{len(rows):,} rows of '{small}' ({percent(share)}) have {how} '{role}' as rows of "
            f"'{other if small == one else one}'",
            "leave them out of one part" if alone else "the same sentence on other videos: to know, no harm",
            {"role": role, "splits": [one, other], "rows": len(rows), "share": share},
            (shared[0][0].key, shared[0][1].key),
        )


def _nearly(dataset: Dataset, role: str, having: Sequence[Example], normals: Sequence[str]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for i, text in enumerate(normals):
        if text.count(" ") + 1 >= SAYS:
            first.setdefault(text, i)
    kept = list(first.values())[:MOST_TEXTS]
    pairs = alike_texts([normals[i] for i in kept])
    if not pairs:
        return
    found = [(having[kept[i]], having[kept[j]]) for i, j, _ in pairs]
    rows = len({b.key for _, b in found})
    alone = all(_alone(e) for pair in found for e in pair)
    yield Fault(
        "alike-texts",
        "doubtful" if alone and rows > 0.05 * len(having) else "note",
        f"{rows:,} rows nearly repeat the '{role}' of another: '{found[0][0].texts[role].strip()[:60]}' and "
        f"'{found[0][1].texts[role].strip()[:60]}'",
        "keep them in one part" if alone else "",
        {"role": role, "rows": rows, "texts": len(kept)},
        (found[0][0].key, found[0][1].key),
    )
    yield from _across(role, found, having, "nearly the same", alone)


def lengths(examples: Sequence[Example]) -> Iterator[tuple[str, np.ndarray]]:
    """What is measured of texts without reading them: (what, (N,) numbers, NaN where there is none)."""
    for role in sorted({role for e in examples for role in e.texts}):
        words = [len(e.texts[role].split()) if role in e.texts else np.nan for e in examples]
        yield f"the number of words of '{role}'", np.array(words, np.float64)
        letters = [len(e.texts[role]) if role in e.texts else np.nan for e in examples]
        yield f"the number of letters of '{role}'", np.array(letters, np.float64)
