"""One line of what `doctor` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "could be better", "missing"]


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    state: State
    now: str  # how it stands
    advice: str = ""  # what would improve, and by doing what
