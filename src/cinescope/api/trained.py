"""What is done with a trained model: measured again, asked about new files, exported. Knows no terminal."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cinescope.api.building import folds_of, open_dataset
from cinescope.api.recipe import parse
from cinescope.api.train import measure, write_predictions
from cinescope.datasets import DATASETS
from cinescope.datasets.example import Dataset, Example
from cinescope.datasets.loading import RowSource
from cinescope.datasets.published import same_split
from cinescope.datasets.rows import Rows, encode_targets
from cinescope.models.export import Exported, export_onnx
from cinescope.tasks.trained import TrainedModel, load, model_of
from cinescope.training.loop import evaluate as answers_of
from cinescope.types import BadQueryError, Span

Tell = Callable[[int, int], object]
_TABLES = {".csv": "csv_file", ".tsv": "csv_file", ".jsonl": "jsonl_file"}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures on rows that the model has not been trained on (unless it was asked to look at those)."""

    checkpoint: str
    measured_on: str
    rows: int
    metrics: dict[str, float]
    labels: tuple[str, ...]
    predictions: str = ""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the model says of one stretch of a file, of one row of a table, or of a text."""

    file: str
    span: Span | None  # seconds; None where a row names no stretch
    label: str  # the likeliest, or "" where the task has no labels
    score: float | None  # its probability, or the number that the task tells; None for a row with nothing to go by
    answer: dict[str, Any]
    absent: tuple[str, ...] = ()  # inputs that are not there
    row: str = ""  # its key in the table


def evaluate(
    checkpoint: Path, data: Path | None = None, split: str = "test", media: Path | None = None,
    out: Path | None = None, tell: Tell | None = None,
) -> Evaluation:  # fmt: skip
    """Measure a checkpoint on a part of its recipe's data: "test", "val", "train", or a published split.

    Which rows are held out is found as it was found in training, from the recipe and seed in the checkpoint.
    """
    trained = load(checkpoint)
    recipe = parse(trained.about["recipe"], str(checkpoint))
    dataset = open_dataset(recipe, data, media)
    examples = _part(dataset, recipe, trained, split)
    rows = trained.rows(examples, tell)
    plain = encode_targets(examples, dataset.targets, [trained.target] if trained.target else [])
    if trained.context:
        keyed = Rows(
            tuple(e.key for e in examples), {}, plain, tuple(e.group or e.key for e in examples),
            np.array([e.order for e in examples], np.float64),
        )  # fmt: skip
        plain = dict(keyed.by_group().targets)
    rows = replace(rows, targets=plain)
    answers = answers_of(trained.model, trained.task, RowSource(rows, trained.preparer))
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_predictions(out, rows, answers, trained.target)
    return Evaluation(
        str(checkpoint), split, len(rows), measure(trained.task, answers, rows), trained.labels, str(out or "")
    )


def _part(dataset: Dataset, recipe: Any, trained: TrainedModel, split: str) -> tuple[Example, ...]:
    told = recipe.split
    if split == "test" and told.by == "published" and any(same_split(told.test, e.split) for e in dataset.examples):
        # A published test part may come later, on its own: there need be nothing to train on beside it.
        return dataset.split(told.test).examples
    if split in ("train", "val", "test"):
        fold = next((f for f in folds_of(recipe, dataset, recipe.train.seed) if f.name == trained.about["fold"]), None)
        examples = getattr(fold, split) if fold is not None else ()
        if examples:
            return tuple(examples)
        if fold is None and trained.about["fold"] == "all rows":
            if split == "train":
                return dataset.examples
            raise BadQueryError(
                "this model was trained on all rows: nothing was held out",
                "its report has the cross-validated figures; give other --data, or --split train",
            )
        if fold is not None and not any(same_split(split, e.split) for e in dataset.examples):
            raise BadQueryError(
                f"nothing of '{dataset.name}' was kept as '{split}' in training", "name another --split"
            )
    return dataset.split(split).examples


def predict(
    checkpoint: Path, files: Sequence[Path], text: str = "", whole: bool = False, window: float | None = None,
    tell: Callable[[str, int, int], object] | None = None,
) -> list[Prediction]:  # fmt: skip
    """What a model says of new files: a prediction for each stretch as long as what it was trained on.

    `text` goes to the inputs that read text; without it the file's own subtitles do, and without `files` it is asked
    about alone. `whole` looks at a file at once. A table (.csv, .tsv, .jsonl) is asked about row by row.
    """
    trained = load(checkpoint)
    if trained.context:
        raise BadQueryError("this model reads neighbouring utterances, and a file has none", "use `cinescope evaluate`")
    if not files and not text:
        raise BadQueryError("there is nothing to look at", "name a file, or give --text WORDS")
    found: list[Prediction] = []
    asked: Sequence[Path | None] = files or [None]
    for path in asked:
        name = "" if path is None else path.name
        examples = examples_of(trained, path, text, whole, window)
        rows = trained.rows(examples, None if tell is None else partial(tell, name))
        answers = answers_of(trained.model, trained.task, RowSource(rows, trained.preparer))
        for at, (example, answer) in enumerate(zip(examples, answers, strict=True)):
            absent = tuple(role for role, ragged in rows.inputs.items() if not ragged.lengths[at])
            row = example.key if path is not None and _is_table(path) else ""
            if len(absent) < len(rows.inputs):
                label, score = trained.said(answer)
                found.append(Prediction(str(path or ""), example.span, label, score, answer, absent, row))
            elif row:
                found.append(Prediction(str(path), example.span, "", None, {}, absent, row))
            else:
                span = example.span
                where = f" from {span.start:.2f} to {span.end:.2f} s" if span is not None else ""
                raise BadQueryError(
                    f"'{name or text}' has nothing of what the model needs: no {' and no '.join(absent)}{where}",
                    "the file may be shorter than one window, or lack the stream" if name else "name a file instead",
                )
    return found


def examples_of(
    trained: TrainedModel, path: Path | None, text: str, whole: bool, window: float | None
) -> list[Example]:
    """The stretches of one file, the rows of a table, or a text alone."""
    from cinescope.features.clips import whole_span
    from cinescope.media import probe

    texts = {spec.text: text for spec in trained.preparer.specs.values() if spec.text} if text else {}
    if path is None:
        return [Example("text", texts=texts)]
    if _is_table(path):
        return list(DATASETS.create(_TABLES[path.suffix.lower()], path).examples)
    span = whole_span(path, probe(path))
    spans = [span] if whole else trained.windows(span, window)
    return [Example(f"{path.name}@{s.start:.3f}", media=path, span=s, texts=texts) for s in spans]


def _is_table(path: Path) -> bool:
    return path.suffix.lower() in _TABLES


def export(checkpoint: Path, out: Path) -> Exported:
    """A checkpoint as ONNX, with what is needed to feed it beside it (OUT.json): labels, extractors, normalisation."""
    trained = load(checkpoint)
    model = model_of(trained)
    batches = [_invented(trained, rows, steps) for rows, steps in ((2, 6), (1, 11), (3, 4))]
    made = export_onnx(model, batches[0], out, batches[1:])
    told = {
        "inputs": {role: spec.to_json() for role, spec in trained.preparer.specs.items()},
        "sources": trained.preparer.sources(),
        "scales": {r: {"mean": m.tolist(), "deviation": d.tolist()} for r, (m, d) in trained.preparer.scales.items()},
        "labels": list(trained.labels),
        "task": trained.about["task"],
        "graph": {"inputs": made.inputs, "outputs": made.outputs, "difference": made.difference},
    }
    out.with_suffix(".json").write_text(json.dumps(told, indent=1, ensure_ascii=False), encoding="utf-8")
    return made


def _invented(trained: TrainedModel, rows: int, steps: int) -> Any:
    """A batch of noise of the right shapes: what matters is that two runtimes agree on it."""
    import torch

    from cinescope.nn import Batch, Sequences

    generator = torch.Generator().manual_seed(rows)
    spec = trained.about["model"]["encoders"]
    inputs = {}
    for role, told in trained.preparer.specs.items():
        wide = int(spec[role]["in_dim"])
        if told.tokens:
            values = torch.randint(1, wide, (rows, steps), generator=generator)
        elif told.pictures is not None:
            width, height = told.pictures.size
            count = told.pictures.count or steps
            values = torch.randn(rows, count, wide, height, width, generator=generator)
        else:
            count = 1 if told.summary != "none" else steps
            values = torch.randn(rows, count, wide, generator=generator)
        made = Sequences.of(values)
        if rows > 1 and values.shape[1] > 1:
            made.mask[0, -1] = False
        inputs[role] = made
    return Batch(inputs)
