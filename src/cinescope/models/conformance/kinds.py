"""Which kind of part something is, told by its protocol; and the checks of that kind."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from cinescope.models.conformance.common import FailedCheck, Finding, Report
from cinescope.models.conformance.encoders import check_encoder
from cinescope.models.conformance.fusions import check_fusion
from cinescope.models.conformance.heads import check_head
from cinescope.models.conformance.pooling import check_pooling
from cinescope.types import BadQueryError, Catalogue

CHECKS: dict[str, Callable[..., list[Finding]]] = {
    "encoder": check_encoder,
    "pooling": check_pooling,
    "fusion": check_fusion,
    "head": check_head,
}


def check(
    part: str | Callable[..., Any],
    settings: Mapping[str, Any] | None = None,
    kind: str = "",
    only: str | None = None,
) -> Report:
    """Every finding on a part, or those of `only` one check. It is given itself or as `my.module:MyFusion`; its kind is
    found out where not given.

    MissingPartError where there is no such part, BadQueryError where its kind cannot be told or there is no such check.
    """
    name = part if isinstance(part, str) else getattr(part, "__qualname__", repr(part))
    if isinstance(part, str):
        if ":" not in part:
            raise BadQueryError(f"'{part}' does not say where the part is", "write package.module:Name")
        part = Catalogue("part", "cinescope.parts", {}).load(part)
    if not callable(part):
        raise BadQueryError(f"'{name}' is {type(part).__name__}, not a class", "name a class that can be built")
    kind = kind or kind_of(part, name)
    if kind not in CHECKS:
        raise BadQueryError(f"there are no checks for the kind '{kind}'", f"the kinds are {', '.join(CHECKS)}")
    try:
        findings = CHECKS[kind](part, settings, only)
    except FailedCheck as found:  # a setting that cannot be filled in
        findings = [Finding("builds", "It is built by its kind's convention.", "failed", str(found))]
    return Report(name, kind, tuple(findings))


def kind_of(part: Callable[..., Any], name: str = "") -> str:
    """encoder, pooling, fusion or head: by class attributes, else by how it is built and called."""
    if hasattr(part, "takes"):
        return "encoder"
    if hasattr(part, "additive"):
        return "fusion"
    built = _arguments(part)
    called = _arguments(getattr(part, "forward", None), skip=1)
    if built[:1] == ["dims"]:
        return "fusion"
    if built[:2] == ["in_dim", "dim"]:
        return "encoder"
    if inspect.isclass(part) and built[:1] == ["dim"]:
        if len(called) == 2:
            return "head"
        if len(called) == 1:
            return "pooling"
    raise BadQueryError(
        f"'{name or part}' is no kind of part that is known here: it is built with ({', '.join(built)})",
        "an encoder has `takes`, a fusion has `roles` and `additive`, "
        "a pooling is called with sequences, a head with fused and batch",
    )


def _arguments(made: Any, skip: int = 0) -> list[str]:
    if made is None:
        return []
    try:
        named = inspect.signature(made).parameters.values()
    except (TypeError, ValueError):
        return []
    return [p.name for p in named if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][skip:]
