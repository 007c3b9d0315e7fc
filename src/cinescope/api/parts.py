"""The analysers as a list for people: what each finds, needs and costs. Runs none of them."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class AnalyserInfo:
    name: str
    version: str
    summary: str
    cost: str
    requires: str  # what must be installed or fetched, "" for nothing
    by_default: bool
    settings: dict[str, Any] = field(default_factory=dict)  # option -> default
    missing: str = ""  # why it cannot run here, and what to do; "" when it can


def list_analysers() -> list[AnalyserInfo]:
    """Those of this package and those that others added, in the order of the catalogue."""
    from cinescope.analysers import catalogue

    return [_describe(name) for name in catalogue()]


def _describe(name: str) -> AnalyserInfo:
    from cinescope.analysers import analyser_class, catalogue

    try:
        cls = analyser_class(name)
    except (ImportError, AttributeError) as error:
        # One that others wrote and that does not load must not hide the rest.
        where = catalogue()[name]
        return AnalyserInfo(name, "", f"from {where}", "", "", False, missing=f"it cannot be loaded ({error})")
    return AnalyserInfo(
        name=name,
        version=cls.version,
        summary=getattr(cls, "summary", ""),
        cost=getattr(cls, "cost", ""),
        requires=getattr(cls, "requires", ""),
        by_default=getattr(cls, "by_default", True),
        settings=_settings(cls),
        missing=cls.available() if hasattr(cls, "available") else "",
    )


def _settings(cls: Any) -> dict[str, Any]:
    found = {}
    for parameter in inspect.signature(cls).parameters.values():
        if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            found[parameter.name] = None if parameter.default is parameter.empty else parameter.default
    return found
