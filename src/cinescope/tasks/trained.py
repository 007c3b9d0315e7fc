"""A trained model as it was saved: from a checkpoint and examples to answers. Knows checkpoints, parts and preparation.

What `predict`, `evaluate`, the export and the analyser of a trained model have in common.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from cinescope.datasets.example import Example, Target
from cinescope.datasets.inputs import Preparer
from cinescope.datasets.loading import RowSource
from cinescope.datasets.rows import Rows
from cinescope.models.multimodal import Multimodal
from cinescope.models.spec import ModelSpec
from cinescope.tasks import TASKS
from cinescope.training import checkpoint
from cinescope.training.loop import evaluate
from cinescope.types import CinescopeError, Span


@dataclass(frozen=True, slots=True, eq=False)
class TrainedModel:
    """Everything that a raw video needs on its way to an answer."""

    model: nn.Module
    preparer: Preparer
    task: Any
    target: str
    targets: Mapping[str, Target]
    about: Mapping[str, Any]
    name: str
    context: bool = False  # the steps of its rows are the rows of a group

    @property
    def labels(self) -> tuple[str, ...]:
        return self.targets[self.target].labels if self.target in self.targets else ()

    @property
    def window(self) -> float:
        """Seconds that it looks at at once: about what it was trained on; infinite where clips had no length."""
        return float(self.about.get("window") or math.inf)

    def rows(self, examples: Sequence[Example], tell: Callable[[int, int], object] | None = None) -> Rows:
        made = Rows(
            tuple(e.key for e in examples),
            self.preparer.inputs(examples, tell),
            {},
            tuple(e.group or e.key for e in examples),
            np.array([e.order for e in examples], np.float64),
        )
        return made.by_group() if self.context else made

    def answer(
        self, examples: Sequence[Example], tell: Callable[[int, int], object] | None = None
    ) -> list[dict[str, Any]]:
        """An answer for each example (for each group of them where the model reads neighbours)."""
        return self.answer_rows(self.rows(examples, tell))

    def answer_rows(self, rows: Rows) -> list[dict[str, Any]]:
        return evaluate(self.model, self.task, RowSource(rows, self.preparer))

    def said(self, answer: Mapping[str, Any]) -> tuple[str, float]:
        """The likeliest label and its probability, or "" and the number that the task tells."""
        label = answer.get("label")
        if isinstance(label, int) and self.labels:
            return self.labels[label], float(answer["probabilities"][label])
        score = answer.get("score", answer.get("scores", 0.0))
        return "", float(score[0] if isinstance(score, list) else score)

    def windows(self, span: Span, length: float | None = None) -> list[Span]:
        """The stretches of a longer video that are looked at one by one: of equal length, nearest to the window, or to
        `length` seconds."""
        length = length or self.window
        if span.duration <= 1.5 * length:
            return [span]
        count = max(1, round(span.duration / length))
        edges = np.linspace(span.start, span.end, count + 1)
        return [Span(float(a), float(b)) for a, b in pairwise(edges)]


def build(about: Mapping[str, Any], weights: Mapping[str, Any], name: str) -> TrainedModel:
    """From what a checkpoint holds. CinescopeError where a part or a weight does not fit."""
    try:
        spec = ModelSpec.from_json(about["model"])
        told = about["task"]
        targets = {n: Target(t["kind"], tuple(t["labels"]), t.get("unit", "")) for n, t in about["targets"].items()}
        preparer = Preparer.restore(about["inputs"])
    except (KeyError, TypeError) as error:
        raise CinescopeError(
            f"'{name}' does not say what its model is made of ({error})",
            "use a checkpoint that `cinescope train` wrote",
        ) from error
    model = spec.build()
    checkpoint.load_weights(model, weights, name)
    model.eval()
    target = told["target"]
    task = TASKS.create(told["name"], **_named(target), **told["settings"])
    return TrainedModel(model, preparer, task, target, targets, about, name, bool(about.get("context")))


def find(place: Path | str) -> Path:
    """The checkpoint's folder: that one, or in the folder of a run its best one."""
    folder = Path(place)
    if not (folder / checkpoint.ABOUT).exists():
        for inner in ("best", "main/best"):
            if checkpoint.recover(folder / inner):
                return folder / inner
    return folder


def load(place: Path | str) -> TrainedModel:
    """From a checkpoint folder (or a run's, whose `best` is taken)."""
    saved = checkpoint.read(find(place))
    return build(saved.about, saved.model, str(place))


def _named(target: str) -> dict[str, str]:
    return {"target": target} if target else {}


def model_of(trained: TrainedModel) -> Multimodal:
    """Its model, as one of parts."""
    assert isinstance(trained.model, Multimodal)
    return trained.model
