"""Whether all parts that a recipe names are there and take the settings it gives. Builds nothing, reads no data.

What takes a long time, preparing rows and training, comes after: a misspelt name is told before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cinescope.api.recipe import Recipe
from cinescope.datasets import DATASETS
from cinescope.features import EXTRACTORS
from cinescope.nn.encoders import ENCODERS
from cinescope.nn.fusion import FUSIONS
from cinescope.objectives import CORRUPTIONS
from cinescope.tasks import TASKS
from cinescope.training.settings import TrainSettings
from cinescope.types.catalogue import Catalogue


def check_parts(recipe: Recipe) -> None:
    """MissingPartError or BadQueryError for the first part that is not there or has no such setting, and for a setting
    of the training that cannot be."""
    TrainSettings(**recipe.train.model_dump())
    for catalogue, name, settings in _named(recipe):
        catalogue.check(name, settings)


def _named(recipe: Recipe) -> Iterator[tuple[Catalogue, str, Mapping[str, Any]]]:
    yield DATASETS, recipe.data.reader, recipe.data.settings
    for told in recipe.inputs.values():
        for name in told.features:
            yield EXTRACTORS, name, told.settings.get(name, {})
        yield from _encoders(told.encoder.name, told.encoder.settings)
    yield FUSIONS, recipe.fusion.name, recipe.fusion.settings
    yield TASKS, recipe.task.name, recipe.task.settings
    for entry in recipe.augment:
        yield CORRUPTIONS, str(entry.get("name", "")), {k: v for k, v in entry.items() if k != "name"}


def _encoders(name: str, settings: Mapping[str, Any]) -> Iterator[tuple[Catalogue, str, Mapping[str, Any]]]:
    if name == "none":
        return
    yield ENCODERS, name, settings
    parts = settings.get("parts", ()) if name == "chain" else ()
    for part in parts if isinstance(parts, list | tuple) else ():
        if isinstance(part, Mapping) and isinstance(part.get("name"), str):
            yield from _encoders(part["name"], part.get("settings") or {})
