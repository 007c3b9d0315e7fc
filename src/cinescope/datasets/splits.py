"""Who is trained on, who is watched, who is only tested. Knows keys, groups and labels, and no media."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cinescope.datasets.example import Dataset, Example
from cinescope.types import BadQueryError


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Three parts of one dataset without a group in common."""

    name: str
    train: tuple[Example, ...]
    val: tuple[Example, ...]
    test: tuple[Example, ...]

    def __post_init__(self) -> None:
        if not self.train:
            raise BadQueryError(f"nothing is left to train on in '{self.name}'", "hold out less")


def published(dataset: Dataset, train: str = "train", val: str = "", test: str = "") -> Fold:
    """The publisher's splits; `val` may be "" and be taken from train by `with_val`."""
    return Fold(
        "published",
        dataset.split(train).examples,
        dataset.split(val).examples if val else (),
        dataset.split(test).examples if test else (),
    )


def hold_out(dataset: Dataset, groups: Sequence[str]) -> Fold:
    """These groups (speakers, source videos) are tested on and nothing else is."""
    there = {e.group for e in dataset.examples}
    absent = [g for g in groups if g not in there]
    if absent:
        raise BadQueryError(
            f"'{dataset.name}' has no group '{absent[0]}'", f"it has {', '.join(sorted(there)[:20]) or 'none'}"
        )
    chosen = set(groups)
    return Fold(
        "+".join(groups),
        tuple(e for e in dataset.examples if e.group not in chosen),
        (),
        tuple(e for e in dataset.examples if e.group in chosen),
    )


def leave_one_out(dataset: Dataset) -> list[Fold]:
    """One fold for each group, which is held out whole."""
    return [hold_out(dataset, [g]) for g in sorted({e.group for e in dataset.examples})]


def every_nth(dataset: Dataset, nth: int, target: str, offset: int = 0) -> Fold:
    """Every nth example of each class, in the order of the dataset, is tested on (the first one with offset 0)."""
    seen: Counter[object] = Counter()
    train: list[Example] = []
    test: list[Example] = []
    for example in dataset.examples:
        label = example.targets.get(target)
        (test if seen[label] % nth == offset else train).append(example)
        seen[label] += 1
    return Fold(f"every {nth}th", tuple(train), (), tuple(test))


def folds(dataset: Dataset, count: int, seed: int = 0, target: str | None = None) -> list[Fold]:
    """Cross-validation in `count` parts that share no group and have about the same labels."""
    parts = _parts(dataset.examples, count, seed, target, dataset.name)
    made = []
    for number, part in enumerate(parts):
        held = {e.key for e in part}
        made.append(
            Fold(f"fold {number + 1}", tuple(e for e in dataset.examples if e.key not in held), (), tuple(part))
        )
    return made


def with_val(fold: Fold, share: float, seed: int = 0, target: str | None = None) -> Fold:
    """A share of the training examples (whole groups where there are several) is taken to watch the training."""
    if fold.val or share <= 0:
        return fold
    count = max(2, round(1 / share))
    groups = {_group(e) for e in fold.train}
    # With few groups (five speakers) a whole one is too dear, and a stranger is what will come: still take one.
    parts = _parts(fold.train, min(count, len(groups)), seed, target, fold.name)
    held = {e.key for e in parts[0]}
    return Fold(fold.name, tuple(e for e in fold.train if e.key not in held), tuple(parts[0]), fold.test)


def _group(example: Example) -> str:
    return example.group or example.key


def _parts(examples: Sequence[Example], count: int, seed: int, target: str | None, name: str) -> list[list[Example]]:
    """Whole groups dealt out, largest first, each to the part that then has labels most like all of them."""
    groups: defaultdict[str, list[Example]] = defaultdict(list)
    for example in examples:
        groups[_group(example)].append(example)
    if len(groups) < count or count < 2:
        raise BadQueryError(
            f"'{name}' has {len(groups)} groups, too few for {count} parts that share none",
            f"ask for {max(len(groups), 2)} or fewer"
            if len(groups) > 1
            else "it cannot be split without sharing a group",
        )
    labels = sorted({str(e.targets.get(target)) for e in examples}) if target else [""]
    at = {label: i for i, label in enumerate(labels)}
    order = [str(g) for g in np.random.default_rng(seed).permutation(sorted(groups))]
    tally = {g: np.bincount([at[str(e.targets.get(target)) if target else ""] for e in groups[g]], minlength=len(at))
             for g in order}  # fmt: skip
    order = sorted(order, key=lambda g: -len(groups[g]))  # stable: chance decides among equals
    goal = np.sum(list(tally.values()), axis=0) / count
    filled = np.zeros((count, len(at)))
    parts: list[list[Example]] = [[] for _ in range(count)]
    for g in order:
        # How far over or under its goal each part would be, in labels and in number.
        after = filled + tally[g]
        gain = ((after - goal) ** 2 - (filled - goal) ** 2).sum(1) / max(goal.sum(), 1) + after.sum(1) - filled.sum(1)
        fullness = filled.sum(1) / max(goal.sum(), 1)
        best = int(np.lexsort((np.arange(count), gain, np.floor(fullness * 20)))[0])
        parts[best].extend(groups[g])
        filled[best] += tally[g]
    position = {e.key: i for i, e in enumerate(examples)}
    return [sorted(part, key=lambda e: position[e.key]) for part in parts]
