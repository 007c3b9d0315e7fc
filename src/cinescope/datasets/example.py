"""What every reader gives: examples with their targets, and what is missing. Knows no file format."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cinescope.datasets.published import same_split
from cinescope.types import BadQueryError, Clip, Span

TargetKind = Literal["class", "classes", "score", "spans", "choice", "text"]


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be told of an example.

    class: one of `labels`; classes: some of them, a tuple; score: a number; spans: a tuple of Span in seconds;
    choice: the number of the right candidate, from 0; text: a tuple of texts that are all right (captions, answers).
    """

    kind: TargetKind
    labels: tuple[str, ...] = ()  # in the order of their numbers
    unit: str = ""  # of a score


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One row of a dataset: what there is to see, hear and read, and what is to be told of it."""

    key: str  # unique in the dataset
    split: str = ""  # "train", "val", "test", or "" where the publisher does not split
    media: Path | None = None  # video, sound or picture
    span: Span | None = None  # of the media, seconds; None is all of it
    # In place of media: rendered, or held in memory. One with an argument `needs` (types.Needs, or nothing) gives what
    # they ask for; any other gives what it has.
    clip: Callable[..., Clip] | None = None
    texts: Mapping[str, str] = field(default_factory=dict)  # role -> text: speech, question, caption, title ...
    candidates: tuple[str, ...] = ()  # answers to choose from
    given: Mapping[str, np.ndarray] = field(default_factory=dict)  # role -> published features (T, D) float32
    targets: Mapping[str, Any] = field(default_factory=dict)  # name -> value as its Target says; left out: not known
    group: str = ""  # what must not be split: the source video, the speaker, the dialogue
    order: float = 0.0  # within the group: seconds, or a number
    about: Mapping[str, Any] = field(default_factory=dict)  # what else the file says, for people and for check-data


@dataclass(frozen=True, slots=True)
class Missing:
    """A row whose media is not there. It is listed, and not trained on."""

    key: str
    what: str  # the path or the address that the file names
    why: str = "no such file"


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """Examples in the order of the file. Keys are unique; each target is declared."""

    name: str
    examples: tuple[Example, ...]
    targets: Mapping[str, Target]
    missing: tuple[Missing, ...] = ()
    notes: tuple[str, ...] = ()  # what a person should know of these files, one sentence each

    def __post_init__(self) -> None:
        twice = [key for key, times in Counter(e.key for e in self.examples).items() if times > 1]
        if twice:
            raise BadQueryError(f"'{self.name}' has the key '{twice[0]}' more than once ({len(twice)} such keys)")
        undeclared = {name for e in self.examples for name in e.targets} - set(self.targets)
        if undeclared:
            raise BadQueryError(f"'{self.name}' has a target '{min(undeclared)}' that it does not declare")

    def __len__(self) -> int:
        return len(self.examples)

    def where(self, keep: Callable[[Example], bool]) -> Dataset:
        return replace(self, examples=tuple(e for e in self.examples if keep(e)))

    def split(self, *names: str) -> Dataset:
        """The examples of these splits, by the publisher's words or their like: "val" is MELD's "dev".

        BadQueryError names the splits there are where none has them.
        """
        there = sorted({e.split for e in self.examples})
        meant = {name: [name] if name in there else [s for s in there if same_split(name, s)] for name in names}
        absent = [name for name, found in meant.items() if not found]
        if absent:
            raise BadQueryError(
                f"'{self.name}' has no split '{absent[0]}'",
                f"it has {', '.join(repr(s) for s in there)}"
                if there != [""]
                else "its files do not split; use by or folds",
            )
        wanted = {s for found in meant.values() for s in found}
        return self.where(lambda e: e.split in wanted)


def takes_needs(clip: Callable[..., Clip]) -> bool:
    """Whether the callable of an example is to be told what is needed of its clip."""
    return "needs" in inspect.signature(clip).parameters


def labels_of(values: Sequence[str]) -> tuple[str, ...]:
    """The labels there are, as a Target wants them: by number where all are numbers, else by name."""
    distinct = set(values)
    if all(v.lstrip("-").isdigit() for v in distinct):
        return tuple(sorted(distinct, key=int))
    return tuple(sorted(distinct))
