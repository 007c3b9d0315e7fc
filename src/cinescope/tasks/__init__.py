"""One file for each kind of question that a trained model answers, one line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {
    "classification": "cinescope.tasks.classification:Classification",
}
TASKS = Catalogue("task", "cinescope.tasks", CATALOGUE)
