"""One file for each kind of question that a trained model answers, one line here for each."""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {
    "autoencoding": "cinescope.tasks.autoencoding:Autoencoding",
    "classification": "cinescope.tasks.classification:Classification",
    "correspondence": "cinescope.tasks.correspondence:Correspondence",
    "matching": "cinescope.tasks.matching:Matching",
    "multilabel": "cinescope.tasks.multilabel:Multilabel",
    "ranking": "cinescope.tasks.ranking:Ranking",
    "regression": "cinescope.tasks.regression:Regression",
    "retrieval": "cinescope.tasks.retrieval:Retrieval",
    "step_classification": "cinescope.tasks.step_classification:StepClassification",
}
TASKS = Catalogue("task", "cinescope.tasks", CATALOGUE)
