"""Whole architectures: parts put together, and named builders, one line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {}
MODELS = Catalogue("named model", "cinescope.models", CATALOGUE)
