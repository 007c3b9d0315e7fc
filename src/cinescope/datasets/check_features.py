"""Faults of what a model is given: features that know the label, columns that are it, lengths that tell it, NaN.

Reads the label from each by simple means, on groups that were not fitted on. Knows no media.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePath

import numpy as np

from cinescope.datasets.check_rows import some
from cinescope.datasets.check_texts import class_targets, lengths
from cinescope.datasets.example import Dataset, Example
from cinescope.datasets.faults import Fault, percent
from cinescope.datasets.linear_reading import (
    by_chance,
    fold_of,
    majority,
    read_by_one,
    read_linearly,
    read_words,
    thinned,
)

READS = 0.85  # accuracy from which features are suspected to know the label
ABOVE = 0.15  # above what an honest reading gets
FEWEST = 40  # rows below which reading says nothing
MOST_LABELS = 100
_SIDE = 0.2  # above the majority from which what should say nothing does


def check_features(dataset: Dataset) -> Iterator[Fault]:
    for role in sorted({role for e in dataset.examples for role in e.given}):
        yield from broken_numbers(dataset, role)
    for name in class_targets(dataset):
        yield from _reading(dataset, name)


def broken_numbers(dataset: Dataset, role: str) -> Iterator[Fault]:
    having = [e for e in dataset.examples if role in e.given]
    bad = [e for e in having if not np.isfinite(e.given[role]).all()]
    if bad:
        yield Fault(
            "bad-numbers",
            "ruinous",
            f"the '{role}' features of {len(bad):,} rows hold NaN or infinite numbers",
            "mend them at their source: one is enough to lose a whole training",
            {"role": role, "rows": len(bad)},
            some(bad),
        )
    widths = {e.given[role].shape[-1] for e in having if e.given[role].ndim == 2}
    if len(widths) > 1 or any(e.given[role].ndim != 2 for e in having):
        yield Fault("uneven-width", "ruinous", f"the '{role}' features have different widths: {sorted(widths)}")
        return
    zero = [e for e in having if not len(e.given[role]) or not np.any(e.given[role])]
    if zero:
        yield Fault(
            "empty-features",
            "doubtful" if len(zero) > 0.01 * len(having) else "note",
            f"the '{role}' features of {len(zero):,} rows are all zeros or nothing",
            "they are missing, and zeros are no way to say so: leave them out of `given`",
            {"role": role, "rows": len(zero)},
            some(zero),
        )
    values = np.concatenate([e.given[role] for e in having])
    still = int((values.max(0) == values.min(0)).sum()) if len(values) > 1 else 0
    if still:
        yield Fault(
            "constant-columns",
            "note",
            f"{still} of the {values.shape[1]} columns of '{role}' are the same in every row",
            "they say nothing; dividing by their deviation is dividing by zero",
            {"role": role, "columns": still},
        )


def _reading(dataset: Dataset, name: str) -> Iterator[Fault]:
    """Everything that the label of one target can be read from."""
    labelled = [e for e in dataset.examples if name in e.targets]
    chosen = [labelled[i] for i in thinned(len(labelled))]
    labels = np.unique([str(e.targets[name]) for e in chosen], return_inverse=True)[1] if chosen else np.zeros(0, int)
    classes = int(labels.max()) + 1 if len(labels) else 0
    if len(chosen) < FEWEST or not 2 <= classes <= MOST_LABELS:
        return
    by_group = len({e.group for e in chosen}) > 1
    fold = fold_of([e.group for e in chosen])
    usual = majority(labels)
    yield from _features(dataset, name, chosen, labels, fold, usual, by_group)
    yield from _sides(name, chosen, labels, fold)
    yield from _columns_about(name, chosen, labels)


def _features(
    dataset: Dataset,
    name: str,
    chosen: Sequence[Example],
    labels: np.ndarray,
    fold: np.ndarray,
    usual: float,
    by_group: bool,
) -> Iterator[Fault]:
    roles = sorted({role for e in chosen for role in e.given})
    if not roles:
        return
    words = _words(chosen, labels, fold)
    honest = max(usual, words) if words is not None else usual
    figures: dict[str, float] = {}
    told: dict[str, tuple[int, float]] = {}
    for role in roles:
        rows = np.array([role in e.given and len(e.given[role]) > 0 for e in chosen])
        if rows.sum() < FEWEST:
            continue
        try:
            values = np.stack([e.given[role].mean(0) for e, there in zip(chosen, rows, strict=True) if there])
        except ValueError:  # widths differ: said already
            continue
        values = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
        there = np.unique(labels[rows], return_inverse=True)[1]
        if there.max() < 1:
            continue
        figures[role] = read_linearly(values, there, fold[rows])
        alone = read_by_one(values, there, fold[rows])
        told[role] = int(alone.argmax()), float(alone.max())
    if not figures:
        return
    leaking = {r: a for r, a in figures.items() if a >= READS and a >= honest + ABOVE}
    how = f"in folds by {'group' if by_group else 'row'}"
    all_read = ", ".join(f"{percent(a)} from {r}" for r, a in sorted(figures.items(), key=lambda f: -f[1]))
    against = f"always the most frequent one {percent(usual)}" + (
        "" if words is None else f", the words {percent(words)}"
    )
    if leaking:
        said = " and ".join(f"'{r}'" for r in sorted(leaking, key=lambda r: -leaking[r]))
        yield Fault(
            "leaking-features",
            "ruinous" if words is not None else "doubtful",
            f"the features {said} know the '{name}': logistic regression {how} reads {all_read} ({against})",
            "they were likely made by a model that was trained on these labels: measure on a part that it has not "
            "seen, or with features of your own"
            if words is not None
            else "features that were made with the labels look like this, and so does an easy question: find out which",
            {"target": name, "accuracy": figures, "majority": usual, "words": words},
        )
    else:
        yield Fault(
            "feature-reading",
            "note",
            f"'{name}' by logistic regression {how}: {all_read} ({against})",
            "",
            {"target": name, "accuracy": figures, "majority": usual, "words": words},
        )
    for role, (column, share) in told.items():
        if share >= READS and share >= honest + ABOVE:
            yield Fault(
                "telling-column",
                "ruinous",
                f"column {column} of '{role}' alone reads the '{name}' of {percent(share)} of the rows",
                "look what this column is: a label that was left in the file?"
                if share > 0.995
                else "one number that knows so much was made with the label",
                {"target": name, "role": role, "column": column, "accuracy": share},
            )


def _words(chosen: Sequence[Example], labels: np.ndarray, fold: np.ndarray) -> float | None:
    """What the words themselves say; None where there are none for most rows."""
    texts = [" ".join(e.texts.values()) for e in chosen]
    if sum(bool(t.strip()) for t in texts) < 0.5 * len(texts):
        return None
    return read_words(texts, labels, fold)


def _sides(name: str, chosen: Sequence[Example], labels: np.ndarray, fold: np.ndarray) -> Iterator[Fault]:
    """What should say nothing of the label, and may: lengths and numbers of steps."""
    sides = list(lengths(chosen))
    for role in sorted({role for e in chosen for role in e.given}):
        sides.append(
            (f"the number of steps of '{role}'", np.array([len(e.given.get(role, ())) for e in chosen], float))
        )
    sides.append(("the length of the stretch", np.array([e.span.duration if e.span else np.nan for e in chosen])))
    yield from told_by(sides, name, chosen, labels, fold)


def told_by(
    sides: Sequence[tuple[str, np.ndarray]],
    name: str,
    chosen: Sequence[Example],
    labels: np.ndarray,
    fold: np.ndarray,
) -> Iterator[Fault]:
    """Faults for the numbers (N,), NaN where unknown, that tell the label much better than the majority does."""
    for what, values in sides:
        known = np.isfinite(values)
        if known.sum() < FEWEST or len(np.unique(values[known])) < 2:
            continue
        there = np.unique(labels[known], return_inverse=True)[1]
        if there.max() < 1:
            continue
        usual = majority(there)
        share = float(read_by_one(values[known][:, None], there, fold[known])[0])
        chance = by_chance(usual, [e.group for e, here in zip(chosen, known, strict=True) if here])
        if share >= usual + max(_SIDE, chance):
            yield Fault(
                "telling-length",
                "ruinous" if share >= READS else "doubtful",
                f"{what} alone reads the '{name}' of {percent(share)} of the rows (the most frequent one: "
                f"{percent(usual)})",
                "make it the same for all labels, or compare with it",
                {"target": name, "what": what, "accuracy": share, "majority": usual},
            )


def _columns_about(name: str, chosen: Sequence[Example], labels: np.ndarray) -> Iterator[Fault]:
    """Columns that are the label under another name, and file names that hold it."""
    for column in sorted({c for e in chosen for c in e.about}):
        values = [str(e.about.get(column, "")) for e in chosen]
        of = np.unique(values, return_inverse=True)[1]
        if 2 <= of.max() + 1 <= 2 * (labels.max() + 1):
            pure = _purity(of, labels)
            if pure > 0.999:
                yield Fault(
                    "telling-column",
                    "doubtful",
                    f"the column '{column}' is the '{name}' under another name",
                    "it must not be an input",
                    {"target": name, "column": column, "purity": pure},
                )
    names = [e.targets[name].lower() in PurePath(e.media).stem.lower() for e in chosen if e.media is not None]
    longer = [e for e in chosen if e.media is not None and len(str(e.targets[name])) > 1]
    if names and all(names) and len(longer) == len(names):
        yield Fault(
            "telling-name",
            "note",
            f"the name of each file holds its '{name}'",
            "never show names to a model, nor sort by them before splitting",
        )


def _purity(of: np.ndarray, labels: np.ndarray) -> float:
    table = np.zeros((of.max() + 1, labels.max() + 1))
    np.add.at(table, (of, labels), 1)
    return float(table.max(1).sum() / len(labels))
