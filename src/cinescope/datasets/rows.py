"""Prepared rows: ragged arrays of steps with their times, and targets as numbers. Knows no file and no extractor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cinescope.datasets.example import Example, Target
from cinescope.types import BadQueryError

UNKNOWN = -100  # as cinescope.nn.UNKNOWN; this module costs no torch


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """N rows of differing length in one array, which may be mapped from a file."""

    values: np.ndarray  # (sum of T, ...)
    times: np.ndarray  # (sum of T, 2) float64, seconds
    offsets: np.ndarray  # (N + 1,) int64

    @classmethod
    def of(cls, rows: Sequence[tuple[np.ndarray, np.ndarray]]) -> Ragged:
        """Rows without steps take shape and type from those with some; where none has any, their own stand."""
        whole = [v for v, _ in rows if len(v)] or [v for v, _ in rows] or [np.zeros((0, 1), np.float32)]
        shaped = whole[0]
        empty = np.zeros((0, *shaped.shape[1:]), shaped.dtype)
        lengths = [len(v) for v, _ in rows]
        return cls(
            np.concatenate([empty, *[v for v, _ in rows if len(v)]]),
            np.concatenate([np.zeros((0, 2)), *[t for v, t in rows if len(v)]]).astype(np.float64),
            np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]).astype(np.int64),
        )

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        """(values (T, ...), times (T, 2)) of one row."""
        start, end = self.offsets[row], self.offsets[row + 1]
        return self.values[start:end], self.times[start:end]

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)

    def select(self, index: Sequence[int] | np.ndarray) -> Ragged:
        """The rows of these numbers, in this order."""
        chosen = np.asarray(index, np.int64)
        lengths = self.lengths[chosen]
        ends = np.cumsum(lengths)
        # Where each step of the new array stands in the old one.
        at = np.arange(int(lengths.sum())) + np.repeat(self.offsets[chosen] - (ends - lengths), lengths)
        return Ragged(self.values[at], self.times[at], np.concatenate([[0], ends]).astype(np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """N rows ready to be put into batches."""

    keys: tuple[str, ...]
    inputs: Mapping[str, Ragged]  # role -> its steps, not yet normalised
    targets: Mapping[str, np.ndarray | Ragged]  # name -> (N,) or (N, K); Ragged where there is one a step
    groups: tuple[str, ...] = ()
    order: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def lengths(self) -> np.ndarray:
        """(N,) the most steps of any role: what a batch is padded to."""
        return np.max([r.lengths for r in self.inputs.values()], axis=0) if self.inputs else np.zeros(len(self), int)

    def select(self, index: Sequence[int] | np.ndarray) -> Rows:
        """The rows of these numbers, in this order."""
        chosen = np.asarray(index, np.int64)
        return Rows(
            tuple(self.keys[i] for i in chosen),
            {role: ragged.select(chosen) for role, ragged in self.inputs.items()},
            {n: t.select(chosen) if isinstance(t, Ragged) else t[chosen] for n, t in self.targets.items()},
            tuple(self.groups[i] for i in chosen) if self.groups else (),
            self.order[chosen] if len(self.order) else self.order,
        )

    def only(self, *roles: str) -> Rows:
        """The same rows with these inputs alone."""
        return replace(self, inputs={role: self.inputs[role] for role in roles})

    def shuffled(self, role: str, seed: int) -> Rows:
        """The same rows with the steps of one input dealt out among them: what it tells is then of another row."""
        order = np.random.default_rng(seed).permutation(len(self))
        return replace(self, inputs={**self.inputs, role: self.inputs[role].select(order)})

    def by_group(self) -> Rows:
        """One row a group: its rows in their order become the steps, each the mean of its own steps.

        Class and score targets become one a step. Times are 0, 1, 2 ... where rows have no clock in common.
        """
        names = list(dict.fromkeys(self.groups))
        members = {name: [i for i, g in enumerate(self.groups) if g == name] for name in names}
        members = {n: sorted(m, key=lambda i: self.order[i]) for n, m in members.items()}
        inputs = {}
        for role, ragged in self.inputs.items():
            if ragged.values.ndim != 2:
                raise BadQueryError(
                    f"the input '{role}' cannot stand as one step of a longer row",
                    "use features, not pictures or tokens",
                )
            means = _means(ragged)
            rows = []
            for name in names:
                there = [i for i in members[name] if ragged.lengths[i]]
                at = np.array([members[name].index(i) for i in there], np.float64)
                rows.append((means[there], np.stack([at, at + 1], 1) if len(at) else np.zeros((0, 2))))
            _check_whole(role, rows, [len(members[n]) for n in names])
            inputs[role] = Ragged.of(rows)
        targets: dict[str, np.ndarray | Ragged] = {}
        for name, values in self.targets.items():
            if isinstance(values, Ragged):
                raise BadQueryError(f"the target '{name}' has one value a step already")
            targets[name] = Ragged.of(
                [(values[members[n]], np.stack([np.arange(len(members[n])), 1 + np.arange(len(members[n]))], 1))
                 for n in names]
            )  # fmt: skip
        return replace(
            self, keys=tuple(names), inputs=inputs, targets=targets, groups=tuple(names), order=np.arange(len(names))
        )

    def step_keys(self, of: Rows) -> list[list[str]]:
        """For rows made by `of.by_group()`: the keys of the steps of each row."""
        return [
            [of.keys[i] for i in sorted((i for i, g in enumerate(of.groups) if g == name), key=lambda i: of.order[i])]
            for name in self.keys
        ]


def _means(ragged: Ragged) -> np.ndarray:
    """(N, D) the mean step of each row, zeros where it has none."""
    sums = np.zeros((len(ragged), ragged.values.shape[1]), np.float64)
    np.add.at(sums, np.repeat(np.arange(len(ragged)), ragged.lengths), ragged.values)
    return (sums / np.maximum(ragged.lengths, 1)[:, None]).astype(np.float32)


def _check_whole(role: str, rows: Sequence[tuple[np.ndarray, np.ndarray]], wanted: Sequence[int]) -> None:
    for (values, _), count in zip(rows, wanted, strict=True):
        if 0 < len(values) < count:
            raise BadQueryError(
                f"the input '{role}' is missing for some utterances of a group and there for others",
                "leave the group out, or the input",
            )


def encode_targets(
    examples: Sequence[Example], targets: Mapping[str, Target], names: Sequence[str]
) -> dict[str, np.ndarray | Ragged]:
    """Targets as numbers: class and choice (N,) int64, classes (N, K) float32, score (N,) float32 (NaN: not known).

    BadQueryError for a label that the target does not know, with the nearest one there is.
    """
    encoded: dict[str, np.ndarray | Ragged] = {}
    for name in names:
        if name not in targets:
            raise BadQueryError(
                f"there is no target '{name}'", f"the ones here are {', '.join(sorted(targets)) or 'none'}"
            )
        encoded[name] = _encode(examples, name, targets[name])
    return encoded


def _encode(examples: Sequence[Example], name: str, target: Target) -> np.ndarray:
    number = {label: i for i, label in enumerate(target.labels)}
    values = [e.targets.get(name) for e in examples]
    match target.kind:
        case "class":
            return np.array([_number(v, number, name, e) for v, e in zip(values, examples, strict=True)], np.int64)
        case "choice":
            return np.array([UNKNOWN if v is None else int(v) for v in values], np.int64)
        case "score":
            return np.array([np.nan if v is None else float(v) for v in values], np.float32)
        case "classes":
            many = np.zeros((len(values), len(number)), np.float32)
            for i, (value, example) in enumerate(zip(values, examples, strict=True)):
                for label in value or ():
                    many[i, _number(label, number, name, example)] = 1
            return many
        case other:
            raise BadQueryError(f"the target '{name}' is of the kind '{other}', which this task cannot learn")


def _number(label: Any, number: Mapping[str, int], name: str, example: Example) -> int:
    if label is None:
        return UNKNOWN
    if label not in number:
        from difflib import get_close_matches

        near = get_close_matches(str(label), number, n=1)
        raise BadQueryError(
            f"'{example.key}' has the {name} '{label}', which is not among the {len(number)} labels",
            f"did you mean '{near[0]}'?" if near else f"they are {', '.join(list(number)[:12])}",
        )
    return number[label]
