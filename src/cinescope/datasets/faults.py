"""What is wrong with a dataset, said so that a person knows what to do. Knows no check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["ruinous", "doubtful", "note"]
SEVERITIES: tuple[Severity, ...] = ("ruinous", "doubtful", "note")


@dataclass(frozen=True, slots=True)
class Fault:
    """ruinous: what is measured on these data means nothing, or something else. doubtful: it may. note: to know."""

    check: str  # what found it: a name to look for in JSON
    severity: Severity
    sentence: str  # without full stop
    do: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    keys: tuple[str, ...] = ()  # of examples that show it, a few


@dataclass(frozen=True, slots=True)
class Report:
    name: str
    examples: int
    faults: tuple[Fault, ...]  # the worst first
    looked: tuple[str, ...] = ()  # what was looked at, and what was not
    notes: tuple[str, ...] = ()  # of the reader

    @property
    def ruinous(self) -> bool:
        return any(f.severity == "ruinous" for f in self.faults)


def worst_first(faults: list[Fault]) -> tuple[Fault, ...]:
    return tuple(sorted(faults, key=lambda f: SEVERITIES.index(f.severity)))


def percent(share: float) -> str:
    """Whole numbers, but for what is next to nothing or to all."""
    return f"{100 * share:.0f}%" if 0.1 <= share <= 0.99 or share in (0, 1) else f"{100 * share:.1f}%"
