"""What a recipe can name, as a list for people: every catalogue, each part with its first sentence and settings.

Builds nothing. Parts that others added stand beside ours.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from cinescope.types import CinescopeError, MissingPartError
from cinescope.types.catalogue import Catalogue

_BUILT_WITH = ("in_dim", "dims", "dim")  # what the recipe's other lines say
_STANDS_AS = {
    "dataset": "data.reader",
    "feature": "inputs.*.features",
    "encoder": "inputs.*.encoder.name",
    "pooling": "fusion.settings.pool",
    "fusion": "fusion.name",
    "head": "the task brings it",
    "objective": "task.settings.objective.name",
    "corruption": "augment",
    "task": "task.name",
}


@dataclass(frozen=True, slots=True)
class PartInfo:
    kind: str
    name: str
    summary: str  # the first sentence of its description
    text: str  # all of it
    settings: dict[str, Any] = field(default_factory=dict)  # name -> default, None where it must be given
    missing: str = ""  # why it cannot be used here


def kinds() -> dict[str, tuple[Catalogue, str]]:
    """Kind -> its catalogue, and where a recipe names one."""
    from cinescope.datasets import DATASETS
    from cinescope.features import EXTRACTORS
    from cinescope.nn.encoders import ENCODERS
    from cinescope.nn.fusion import FUSIONS
    from cinescope.nn.heads import HEADS
    from cinescope.nn.pooling import POOLINGS
    from cinescope.objectives import CORRUPTIONS, OBJECTIVES
    from cinescope.tasks import TASKS

    all_of = (DATASETS, EXTRACTORS, ENCODERS, POOLINGS, FUSIONS, HEADS, OBJECTIVES, CORRUPTIONS, TASKS)
    return {c.kind: (c, _STANDS_AS.get(c.kind, "")) for c in all_of}


def list_parts(kind: str) -> list[PartInfo]:
    """All of a kind, by name."""
    catalogue, _ = kinds()[kind]
    return [_describe(catalogue, name) for name in catalogue.names()]


def find_part(name: str) -> list[PartInfo]:
    """Those of this name, of whatever kind. MissingPartError names the nearest part or kind where there is none."""
    known = kinds()
    found = [_describe(catalogue, name) for catalogue, _ in known.values() if name in catalogue.all()]
    if not found:
        every = {*known, *(n for catalogue, _ in known.values() for n in catalogue.all())}
        near = get_close_matches(name, sorted(every), n=3)
        raise MissingPartError(
            f"there is no part '{name}'", f"did you mean {' or '.join(near)}?" if near else "see `cinescope parts`"
        )
    return found


def _describe(catalogue: Catalogue, name: str) -> PartInfo:
    try:
        part = catalogue.load(name)
    except CinescopeError as error:
        return PartInfo(catalogue.kind, name, "", "", {}, error.what)
    text = inspect.getdoc(part) or ""
    first = " ".join(text.split("\n\n", 1)[0].split())
    settings = {}
    for p in inspect.signature(part).parameters.values():
        if p.name not in _BUILT_WITH and p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD):
            settings[p.name] = None if p.default is p.empty else p.default
    return PartInfo(catalogue.kind, name, first, text, settings)
