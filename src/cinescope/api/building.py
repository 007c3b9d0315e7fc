"""From a recipe and a folder to rows, a model as data and a task. Trains nothing."""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
import os
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cinescope import __version__
from cinescope.api.recipe import InputRecipe, Recipe
from cinescope.datasets import DATASETS, splits
from cinescope.datasets.example import Dataset, Example
from cinescope.datasets.inputs import InputSpec, PictureSpec, Preparer
from cinescope.datasets.loading import RowSource
from cinescope.datasets.published import same_split
from cinescope.datasets.rows import UNKNOWN, Ragged, Rows, encode_targets
from cinescope.models.spec import EncoderSpec, ModelSpec, PartSpec
from cinescope.tasks import TASKS
from cinescope.types import BadQueryError

WIDTH = 64  # of encoders and fusion where a recipe does not say
_log = logging.getLogger(__name__)
Tell = Callable[[str, int, int], object]  # what is being done, how far, of how much


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """One fold, ready to be trained on."""

    recipe: Recipe
    dataset: Dataset
    fold: splits.Fold
    preparer: Preparer
    task: Any
    train: Rows
    val: Rows
    test: Rows

    def source(self, rows: Rows) -> RowSource:
        return RowSource(rows, self.preparer)

    def spec(self) -> ModelSpec:
        """The model of the recipe for the widths of these rows."""
        recipe = self.recipe
        encoders = {}
        for role, told in recipe.inputs.items():
            width = self.preparer.width(role, self.train.inputs)
            dim = told.encoder.dim or WIDTH
            encoders[role] = EncoderSpec(told.encoder.name, width, dim, dict(told.encoder.settings))
        labels = self.dataset.targets[recipe.task.target].labels if recipe.task.target else ()
        dims = {role: self._width_to_fusion(e) for role, e in encoders.items()}
        heads = {n: PartSpec(h["name"], _widths(h["settings"], dims)) for n, h in self.task.heads(labels).items()}
        fusion = PartSpec(recipe.fusion.name, dict(recipe.fusion.settings))
        return ModelSpec(encoders, fusion, recipe.fusion.dim or WIDTH, heads)

    @staticmethod
    def _width_to_fusion(encoder: EncoderSpec) -> int:
        return encoder.in_dim if encoder.name == "none" else encoder.dim

    def about(self, spec: ModelSpec, seed: int) -> dict[str, Any]:
        """What a checkpoint carries beside its weights."""
        target = self.recipe.task.target
        return {
            "name": self.recipe.name,
            "cinescope": __version__,
            "recipe": self.recipe.model_dump(mode="json"),
            "model": spec.saved().to_json(),
            "inputs": self.preparer.state(),
            "task": {"name": self.recipe.task.name, "target": target, "settings": task_settings(self.recipe)},
            "targets": {target: asdict(self.dataset.targets[target])} if target else {},
            "context": self.recipe.context,
            "window": self.recipe.window or window_of(self.fold.train),
            "fold": self.fold.name,
            "seed": seed,
            "rows": {"train": len(self.train), "val": len(self.val), "test": len(self.test)},
        }


def _widths(settings: Mapping[str, Any], dims: Mapping[str, int]) -> dict[str, Any]:
    """A head that reads roles of their own width is told these, where the recipe does not say them."""
    filled = dict(settings)
    if "dims" in filled and not filled["dims"]:
        filled["dims"] = dict(dims)
    if "role_dim" in filled and not filled["role_dim"]:
        filled["role_dim"] = dims.get(str(filled.get("role")), 0)
    return filled


def open_dataset(recipe: Recipe, folder: Path | None = None, media: Path | None = None) -> Dataset:
    """The dataset of a recipe; `folder` goes before the one that the recipe names."""
    place = folder or (Path(os.path.expandvars(recipe.data.folder)).expanduser() if recipe.data.folder else None)
    if place is None and _wants_folder(recipe.data.reader):
        raise BadQueryError(f"the recipe '{recipe.name}' does not say where its data are", "add --data FOLDER")
    if place is not None and not place.exists():
        raise BadQueryError(f"there is no '{place}'", "give the folder of the data with --data")
    found = media or (Path(recipe.data.media) if recipe.data.media else None)
    made: Dataset = DATASETS.create(
        recipe.data.reader, place, **({"media": found} if found else {}), **recipe.data.settings
    )
    return leave_out(made, recipe.data.leave_out)


def leave_out(dataset: Dataset, keys: Sequence[str]) -> Dataset:
    """The dataset without these rows. BadQueryError names the first key that there is not."""
    if not keys:
        return dataset
    there = {e.key for e in dataset.examples} | {m.key for m in dataset.missing}
    unknown = [key for key in keys if key not in there]
    if unknown:
        raise BadQueryError(
            f"leave_out: '{dataset.name}' has no row '{unknown[0]}'",
            "take it off the list; keys are as check-data has them",
        )
    out = set(keys)
    return dataset.where(lambda e: e.key not in out)


def _wants_folder(reader: str) -> bool:
    """Whether a reader can do nothing without files; one that renders its clips can."""
    folder = next(iter(inspect.signature(DATASETS.load(reader)).parameters.values()))
    return folder.default is inspect.Parameter.empty


def folds_of(recipe: Recipe, dataset: Dataset, seed: int = 0) -> list[splits.Fold]:
    """The folds of a recipe, each with rows to watch taken from its training rows where the recipe wants some."""
    how, target = recipe.split, recipe.task.target or None
    match how.by:
        case "groups":
            made = [splits.hold_out(dataset, list(how.hold_out))]
        case "each group":
            made = splits.leave_one_out(dataset)
        case "folds":
            made = splits.folds(dataset, how.count, seed, target)
        case "every":
            made = [splits.every_nth(dataset, how.count, target or "")]
        case _:
            named = how.val if isinstance(how.val, str) else ""
            there = {e.split for e in dataset.examples}
            test = how.test if any(same_split(how.test, s) for s in there) else ""
            made = [splits.published(dataset, how.train, named, test)]
    share = 0.0 if isinstance(how.val, str) else float(how.val)
    return [splits.with_val(fold, share, seed, target) for fold in made]


def make_task(recipe: Recipe) -> Any:
    settings = task_settings(recipe)
    if recipe.task.target:
        settings["target"] = recipe.task.target
    return TASKS.create(recipe.task.name, **settings)


def task_settings(recipe: Recipe) -> dict[str, Any]:
    settings = dict(recipe.task.settings)
    if recipe.augment:
        settings["augment"] = [dict(a) for a in recipe.augment]
    return settings


def input_spec(told: InputRecipe) -> InputSpec:
    """The part of an input that says what it is made of."""
    pictures = None if told.pictures is None else PictureSpec(**told.pictures.model_dump())
    plain = told.model_dump(exclude={"encoder", "pictures"})
    return InputSpec(**{**plain, "features": tuple(told.features)}, pictures=pictures)


class Preparation:
    """The rows of a dataset for a recipe: what does not depend on the fold is made once, and kept on the disk."""

    def __init__(self, recipe: Recipe, dataset: Dataset, cache: Path | None = None, tell: Tell | None = None) -> None:
        self.recipe, self.dataset, self.cache, self.tell = recipe, dataset, cache, tell
        self.specs = {role: input_spec(told) for role, told in recipe.inputs.items()}
        self._shared: dict[str, Ragged] | None = None
        self._at = {e.key: i for i, e in enumerate(dataset.examples)}
        if recipe.task.target and recipe.task.target not in dataset.targets:
            encode_targets((), dataset.targets, [recipe.task.target])  # says which there are

    def ready(self, fold: splits.Fold, seed: int = 0) -> Ready:
        preparer = Preparer(self.specs)
        if self._shared is None:
            self._shared = self._make_shared(preparer)
        learnt = preparer.fitted_roles()
        own: dict[str, dict[str, Ragged]] = {}
        parts = {"train": fold.train, "val": fold.val, "test": fold.test}
        if learnt:
            preparer.fit(fold.train, seed)
            own = {name: preparer.inputs(examples, self._telling(name), learnt) for name, examples in parts.items()}
        rows = {}
        for name, examples in parts.items():
            index = [self._at[e.key] for e in examples]
            inputs = {
                role: own[name][role] if role in learnt else self._shared[role].select(index) for role in self.specs
            }
            rows[name] = self._rows(examples, inputs)
        preparer.fit_scales(rows["train"].inputs)
        self._check(rows["train"])
        task = make_task(self.recipe)
        if self.recipe.context:
            rows = {name: part.by_group() for name, part in rows.items()}
        return Ready(self.recipe, self.dataset, fold, preparer, task, rows["train"], rows["val"], rows["test"])

    @property
    def untouched(self) -> bool:
        """Whether no row was prepared: all that was asked for had been done before."""
        return self._shared is None

    def absent(self) -> dict[str, int]:
        """Role -> how many rows of the dataset have no step of it: shorter than its window, or without its stream."""
        shared = self._shared or {}
        return {
            role: int((ragged.lengths == 0).sum()) for role, ragged in shared.items() if (ragged.lengths == 0).any()
        }

    def _rows(self, examples: Sequence[Example], inputs: Mapping[str, Ragged]) -> Rows:
        names = [self.recipe.task.target] if self.recipe.task.target else []
        return Rows(
            tuple(e.key for e in examples),
            inputs,
            encode_targets(examples, self.dataset.targets, names),
            tuple(e.group or e.key for e in examples),
            np.array([e.order for e in examples], np.float64),
        )

    def _make_shared(self, preparer: Preparer) -> dict[str, Ragged]:
        roles = [role for role in self.specs if role not in preparer.fitted_roles()]
        if not roles:
            return {}
        key = _key(self.dataset, {r: self.specs[r] for r in roles}, preparer)
        place = self.cache / f"{key}.npz" if self.cache is not None and key else None
        if place is not None and place.exists():
            kept = _read_cache(place, roles)
            if kept is not None:
                return kept
        made = preparer.inputs(self.dataset.examples, self._telling("all rows"), roles)
        if place is not None:
            _write_cache(place, made)
        return made

    def _telling(self, what: str) -> Callable[[int, int], object] | None:
        tell = self.tell
        return None if tell is None else lambda done, of: tell(f"preparing {what}", done, of)

    def _check(self, train: Rows) -> None:
        """What no training could mend: a role nobody has, one class only."""
        for role, ragged in train.inputs.items():
            if not len(ragged.values):
                raise BadQueryError(
                    f"none of the {len(train)} training rows gives a step for the input '{role}'",
                    "the clips may be shorter than its window, or have no such stream; see `cinescope check-data`",
                )
        values = train.targets.get(self.recipe.task.target)
        if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype == np.int64:
            known = values[values != UNKNOWN]
            if not len(known):
                raise BadQueryError(f"no training row has the target '{self.recipe.task.target}'", "add labels")
            kind = self.dataset.targets[self.recipe.task.target]
            if kind.kind == "class" and len(np.unique(known)) < 2:
                label = kind.labels[known[0]]
                raise BadQueryError(
                    f"all {len(known)} training rows are '{label}': there is nothing to tell apart",
                    "add rows of another label",
                )


def window_of(examples: Sequence[Example]) -> float | None:
    """Seconds: the median length of the clips that were trained on; None where rows have no media."""
    lengths = [e.span.duration for e in examples if e.span is not None]
    if not lengths:
        # Clips that are rendered: the first few tell.
        lengths = [e.clip().span.duration for e in examples[:5] if e.clip is not None]
    if not lengths:
        from cinescope.features.clips import whole_span
        from cinescope.media import probe

        # A few tell: the median of all would open every file.
        some = [e.media for e in examples if e.media is not None][:: max(1, len(examples) // 15)]
        lengths = [whole_span(p, probe(p)).duration for p in some]
    return round(float(np.median(lengths)), 3) if lengths else None


def restricted(recipe: Recipe, roles: Sequence[str]) -> Recipe:
    """The same recipe with these inputs alone."""
    return recipe.model_copy(update={"inputs": {r: recipe.inputs[r] for r in roles}})


def restrict(ready: Ready, roles: Sequence[str]) -> Ready:
    """The same fold with these inputs alone; nothing is prepared anew."""
    return replace(
        ready,
        recipe=restricted(ready.recipe, roles),
        preparer=ready.preparer.only(roles),
        train=ready.train.only(*roles), val=ready.val.only(*roles), test=ready.test.only(*roles),
    )  # fmt: skip


def shuffle(ready: Ready, role: str, seed: int) -> Ready:
    """The same fold with one input dealt out among the rows, in all three parts."""
    return replace(
        ready,
        train=ready.train.shuffled(role, seed),
        val=ready.val.shuffled(role, seed),
        test=ready.test.shuffled(role, seed),
    )  # fmt: skip


def _key(dataset: Dataset, specs: Mapping[str, InputSpec], preparer: Preparer) -> str:
    """Changes when a file, a stretch, an extractor or a setting does; "" where rows have no files to be known by."""
    rows = []
    for e in dataset.examples:
        if e.media is None and (e.clip is not None or e.given):
            return ""
        stat = e.media.stat() if e.media is not None else None
        span = (e.span.start, e.span.end) if e.span is not None else None
        rows.append([e.key, str(e.media), stat and [stat.st_size, stat.st_mtime_ns], span, dict(e.texts)])
    told = {r: s.to_json() for r, s in specs.items()}
    text = json.dumps([rows, told, {r: preparer.sources()[r] for r in specs}], sort_keys=True)
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _write_cache(place: Path, rows: Mapping[str, Ragged]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    work = place.with_name(f".{place.stem}-{os.getpid()}.npz")
    flat = {f"{role}/{part}": getattr(r, part) for role, r in rows.items() for part in ("values", "times", "offsets")}
    np.savez(work, **flat)  # type: ignore[arg-type]
    os.replace(work, place)


def _read_cache(place: Path, roles: Sequence[str]) -> dict[str, Ragged] | None:
    """None where the file is damaged: it is said, and the rows are prepared again."""
    try:
        with np.load(place, allow_pickle=False) as held:
            return {r: Ragged(held[f"{r}/values"], held[f"{r}/times"], held[f"{r}/offsets"]) for r in roles}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        _log.warning("the prepared rows in '%s' are damaged (%s): they are prepared again", place, error)
        place.unlink(missing_ok=True)
        return None
