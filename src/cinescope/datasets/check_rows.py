"""Faults of the rows themselves: splits that overlap, order, labels that are rare, unknown or contradictory.

Knows what an Example says; opens no media.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np

from cinescope.datasets.example import Dataset, Example
from cinescope.datasets.faults import Fault, Severity, percent

FEW = 10  # examples of a label below which neither training nor measuring means much
UNEVEN = 0.8  # share of one label from which accuracy hides what happens to the others
PER_SPLIT = 0.95  # share of a part's groups in the other part from which that is how it was meant


def check_rows(dataset: Dataset) -> Iterator[Fault]:
    yield from missing_media(dataset)
    yield from overlaps(dataset)
    for name, target in dataset.targets.items():
        yield from unknown_labels(dataset, name)
        if target.kind == "class":
            yield from label_counts(dataset, name)
            yield from sorted_rows(dataset, name)
        elif target.kind == "choice":
            yield from choices(dataset, name)
        elif target.kind == "score":
            yield from scores(dataset, name)
        elif target.kind == "spans":
            yield from stretches(dataset, name)
    yield from order_in_groups(dataset)


def some(examples: Sequence[Example], most: int = 5) -> tuple[str, ...]:
    return tuple(e.key for e in examples[:most])


def missing_media(dataset: Dataset) -> Iterator[Fault]:
    if not dataset.missing:
        return
    all_rows = len(dataset.missing) + len(dataset)
    share = len(dataset.missing) / all_rows
    severity: Severity = "ruinous" if not len(dataset) else "doubtful" if share >= 0.01 else "note"
    yield Fault(
        "missing-media",
        severity,
        f"the media of {len(dataset.missing):,} of {all_rows:,} rows are missing ({percent(share)}), "
        f"such as '{dataset.missing[0].what}'",
        "fetch them, or say in your report on how many rows you measured",
        {"missing": len(dataset.missing), "rows": all_rows},
        tuple(m.key for m in dataset.missing[:5]),
    )


def overlaps(dataset: Dataset) -> Iterator[Fault]:
    """The same group, media or text in two parts."""
    parts: dict[str, list[Example]] = defaultdict(list)
    for example in dataset.examples:
        if example.split:
            parts[example.split].append(example)
    for one, other in combinations(parts, 2):
        yield from _shared_groups(one, parts[one], other, parts[other])
        yield from _shared_media(one, parts[one], other, parts[other])


def _shared_groups(one: str, a: Sequence[Example], other: str, b: Sequence[Example]) -> Iterator[Fault]:
    shared = {e.group for e in a if e.group} & {e.group for e in b if e.group}
    if not shared:
        return
    small, few, big = (one, a, other) if len(a) <= len(b) else (other, b, one)
    groups = {e.group for e in few}
    held = [e for e in few if e.group in shared]
    meant = len(shared) >= PER_SPLIT * len(groups)
    yield Fault(
        "split-groups",
        "doubtful" if meant else "ruinous",
        f"'{small}' and '{big}' share {len(shared):,} of the {len(groups):,} groups of '{small}', such as "
        f"'{min(shared)}' (a source video, a speaker, a dialogue): {percent(len(held) / len(few))} of its rows",
        "split by group for results on new ones"
        + (", or say that these are known to the model" if meant else ", or leave these rows out of one part"),
        {"splits": [one, other], "shared": len(shared), "groups": len(groups), "rows": len(held)},
        some(held),
    )


def _shared_media(one: str, a: Sequence[Example], other: str, b: Sequence[Example]) -> Iterator[Fault]:
    known = defaultdict(list)
    for example in a:
        if example.media is not None:
            known[example.media].append(example)
    held = [
        e
        for e in b
        if e.media is not None
        and any(e.span is None or f.span is None or e.span.overlaps(f.span) for f in known.get(e.media, ()))
    ]
    if held:
        yield Fault(
            "split-media",
            "ruinous",
            f"{len(held):,} rows of '{other}' show what rows of '{one}' show, such as "
            f"'{Path(held[0].media or '').name}'",
            "leave them out of one part",
            {"splits": [one, other], "rows": len(held)},
            some(held),
        )


def unknown_labels(dataset: Dataset, name: str) -> Iterator[Fault]:
    target = dataset.targets[name]
    without = [e for e in dataset.examples if name not in e.targets]
    if without and len(without) < len(dataset):
        parts = Counter(e.split for e in without)
        whole = [p for p, n in parts.items() if p and n == sum(e.split == p for e in dataset.examples)]
        kept = len(without) - sum(parts[p] for p in whole)
        if whole:
            said = ", ".join(f"'{p}'" for p in whole)
            yield Fault("no-target", "note", f"no row of {said} has the target '{name}': its publisher keeps it")
        if kept:
            yield Fault(
                "no-target",
                "doubtful",
                f"{kept:,} rows have no '{name}'",
                "leave them out, or find out why",
                {"rows": kept},
                some([e for e in without if e.split not in whole]),
            )
    elif without:
        yield Fault("no-target", "ruinous", f"no row has the target '{name}'", "is this the part that is kept secret?")
    if target.kind not in ("class", "classes") or not target.labels:
        return
    known = set(target.labels)
    strange = [e for e in dataset.examples if set(_labels(e, name)) - known]
    if strange:
        label = next(iter(set(_labels(strange[0], name)) - known))
        yield Fault(
            "unknown-label",
            "ruinous",
            f"{len(strange):,} rows have a '{name}' that is none of its labels, such as '{label}'",
            "correct the label, or declare it",
            {"rows": len(strange)},
            some(strange),
        )


def _labels(example: Example, name: str) -> tuple[str, ...]:
    value = example.targets.get(name)
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def label_counts(dataset: Dataset, name: str) -> Iterator[Fault]:
    """Labels that are alone, rare, everywhere, or in one part only."""
    labelled = [e for e in dataset.examples if name in e.targets]
    if not labelled:
        return
    counts = Counter(str(e.targets[name]) for e in labelled)
    label, most = counts.most_common(1)[0]
    if len(counts) == 1:
        yield Fault(
            "one-label", "ruinous", f"every row has the '{name}' '{label}'", "there is nothing to learn", dict(counts)
        )
        return
    share = most / len(labelled)
    if share >= UNEVEN or share >= 3 / len(counts) + 0.2:
        yield Fault(
            "imbalance",
            "doubtful" if share >= UNEVEN else "note",
            f"{percent(share)} of the rows have the '{name}' '{label}': always saying it is right so often",
            "compare with that; measure macro or weighted F1; balance the sampling",
            {"majority": share, "label": label, "counts": dict(counts.most_common())},
        )
    rare = sorted((n, one) for one in dataset.targets[name].labels if (n := counts.get(one, 0)) < FEW)
    if rare:
        said = ", ".join(f"'{one}' {n}" for n, one in rare[:4])
        yield Fault(
            "rare-labels",
            "note",
            f"{len(rare)} of the {len(dataset.targets[name].labels)} labels of '{name}' have fewer than {FEW} "
            f"rows ({said})",
            "their results are by chance: put them together, or find more",
            {one: n for n, one in rare},
        )
    parts: dict[str, set[str]] = defaultdict(set)
    for example in labelled:
        parts[example.split].add(str(example.targets[name]))
    if "train" in parts:
        for part, there in parts.items():
            new = sorted(there - parts["train"])
            if new and part:
                held = [e for e in labelled if e.split == part and e.targets[name] in new]
                yield Fault(
                    "unseen-labels",
                    "ruinous" if len(held) > 0.01 * sum(e.split == part for e in labelled) else "doubtful",
                    f"{len(new)} labels of '{name}' are in '{part}' and not in 'train', such as '{new[0]}'",
                    "no model can know them",
                    {"labels": new[:20], "rows": len(held)},
                    some(held),
                )


def runs(labels: np.ndarray) -> tuple[int, float, float]:
    """(runs there are, runs to expect by chance, z). Barton and David 1957; any number of labels."""
    count = len(labels)
    if count < 3:
        return count, float(count), 0.0
    sizes = np.unique(labels, return_counts=True)[1].astype(np.float64)
    there = 1 + int((labels[1:] != labels[:-1]).sum())
    two, three = (sizes**2).sum(), (sizes**3).sum()
    expected = (count * (count + 1) - two) / count
    variance = (two * (two + count * (count + 1)) - 2 * count * three - count**3) / (count**2 * (count - 1))
    return there, float(expected), float((there - expected) / np.sqrt(variance)) if variance > 1e-12 else 0.0


def sorted_rows(dataset: Dataset, name: str) -> Iterator[Fault]:
    """Rows of one label stand together: then the first rows are no sample of all."""
    parts: dict[str, list[str]] = {"": []}  # all of them, then each part
    for example in dataset.examples:
        if name in example.targets:
            for part in {"", example.split}:
                parts.setdefault(part, []).append(str(example.targets[name]))
    for part, values in parts.items():
        labels = np.unique(values, return_inverse=True)[1]
        there, expected, z = runs(labels)
        classes = len(set(values))
        complete = there == classes
        if classes < 2 or z > (-3 if complete else -5) or there > expected / 2:
            continue
        of = f" of '{part}'" if part else ""
        figures = {"rows": len(values), "runs": there, "expected": round(expected, 1), "z": round(z, 1)}
        yield Fault(
            "sorted-rows",
            "doubtful",
            f"the rows{of} are {'sorted' if complete else 'nearly sorted'} by '{name}': {there:,} runs of one label in "
            f"{len(values):,} rows, {expected:,.0f} to expect by chance (z {z:,.0f})",
            "shuffle before you take a part of them; never split by position",
            figures,
        )
        if not part:
            return


def order_in_groups(dataset: Dataset) -> Iterator[Fault]:
    """Rows of a group that do not stand in their order, as where ids were sorted as texts (`_10` before `_2`)."""
    groups: dict[str, list[Example]] = defaultdict(list)
    for example in dataset.examples:
        if example.group:
            groups[example.group].append(example)
    ordered = [g for g in groups.values() if len({e.order for e in g}) > 1]
    wrong = [g for g in ordered if any(a.order > b.order for a, b in pairwise(g))]
    if wrong:
        group = wrong[0]
        first = next(i for i, (a, b) in enumerate(pairwise(group)) if a.order > b.order)
        yield Fault(
            "group-order",
            "note",
            f"in {len(wrong):,} of {len(ordered):,} groups the rows do not stand in their order: "
            f"'{group[first].key}' comes before '{group[first + 1].key}'",
            "a model of neighbours needs them by `order`, which is a number",
            {"groups": len(wrong), "of": len(ordered)},
            (group[first].key, group[first + 1].key),
        )


def choices(dataset: Dataset, name: str) -> Iterator[Fault]:
    """Right answers that are known by their place or by their length."""
    asked = [e for e in dataset.examples if name in e.targets and e.candidates]
    out = [e for e in asked if not 0 <= e.targets[name] < len(e.candidates)]
    if out:
        yield Fault(
            "choice-range", "ruinous", f"the right answer of {len(out):,} rows is no candidate", "", {}, some(out)
        )
    asked = [e for e in asked if e not in out] if out else asked
    if len(asked) < 50:
        return
    chance = float(np.mean([1 / len(e.candidates) for e in asked]))
    place, times = Counter(e.targets[name] for e in asked).most_common(1)[0]
    lengths = [[len(c) for c in e.candidates] for e in asked]
    right = np.array([e.targets[name] for e in asked])
    longest = np.mean([row[r] == max(row) and row.count(max(row)) == 1 for row, r in zip(lengths, right, strict=True)])
    shortest = np.mean([row[r] == min(row) and row.count(min(row)) == 1 for row, r in zip(lengths, right, strict=True)])
    for said, share in (
        (f"candidate {place}", times / len(asked)),
        ("the longest candidate", float(longest)),
        ("the shortest candidate", float(shortest)),
    ):
        if share > chance + 0.1:
            yield Fault(
                "choice-bias",
                "ruinous" if share >= 0.8 else "doubtful",
                f"always choosing {said} is right in {percent(share)} of the rows, chance {percent(chance)}",
                "shuffle the candidates, and compare with this choice",
                {"share": share, "chance": chance},
            )


def scores(dataset: Dataset, name: str) -> Iterator[Fault]:
    values = [(e, e.targets[name]) for e in dataset.examples if name in e.targets]
    odd = [e for e, v in values if not np.isfinite(v)]
    if odd:
        yield Fault("bad-score", "ruinous", f"{len(odd):,} rows have a '{name}' that is no number", "", {}, some(odd))
    if len(values) > 1 and len({v for _, v in values}) == 1:
        yield Fault("one-label", "ruinous", f"every row has the '{name}' {values[0][1]:g}", "there is nothing to learn")


def stretches(dataset: Dataset, name: str) -> Iterator[Fault]:
    empty = [e for e in dataset.examples if any(s.duration <= 0 for s in e.targets.get(name, ()))]
    if empty:
        yield Fault(
            "empty-spans",
            "doubtful",
            f"{len(empty):,} rows have a stretch of no length in '{name}'",
            "no answer overlaps it: leave it out",
            {"rows": len(empty)},
            some(empty),
        )
    late = [
        e
        for e in dataset.examples
        if isinstance(end := e.about.get("duration"), int | float)
        and any(s.end > end + 1.0 for s in e.targets.get(name, ()))
    ]
    if late:
        yield Fault(
            "late-spans",
            "doubtful",
            f"{len(late):,} rows have a stretch in '{name}' that ends after the video does",
            "cut it at the end, and look whether the videos are the right ones",
            {"rows": len(late)},
            some(late),
        )
