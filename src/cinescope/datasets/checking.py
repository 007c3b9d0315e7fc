"""Look for what ruins results before anything is trained: one call, all checks, the worst first.

Knows which checks there are; each is a function that yields faults. Opens media only when asked to.
"""

from __future__ import annotations

from collections.abc import Callable

from cinescope.datasets.check_features import check_features
from cinescope.datasets.check_media import check_media
from cinescope.datasets.check_rows import check_rows
from cinescope.datasets.check_sources import check_sources
from cinescope.datasets.check_texts import check_texts
from cinescope.datasets.example import Dataset
from cinescope.datasets.faults import Fault, Report, worst_first

Tell = Callable[[str, int, int], object]  # what is being done, how much of it is done, of how much
MOST_MEDIA = 2_000  # files that are decoded where nobody says otherwise


def check(dataset: Dataset, *, media: int | None = MOST_MEDIA, tell: Tell | None = None) -> Report:
    """All faults of a dataset. `media`: how many files are opened at most, evenly spread; None is all, 0 none."""
    say = tell or (lambda what, done, total: None)
    faults: list[Fault] = []
    looked: list[str] = []
    told = (("rows", check_rows), ("sources", check_sources), ("texts", check_texts), ("features", check_features))
    for i, (what, found) in enumerate(told):
        say(f"looking at {what}", i, len(told))
        faults += found(dataset)
    texts = sum(bool(e.texts) for e in dataset.examples)
    given = sorted({role for e in dataset.examples for role in e.given})
    looked.append(f"{len(dataset):,} rows, {texts:,} with text, features: {', '.join(given) or 'none'}")
    if any(e.media is not None or e.clip is not None for e in dataset.examples):
        seen = check_media(dataset, media, lambda done, total: say("looking at media", done, total))
        faults += seen.faults
        looked.append(seen.looked)
    else:
        looked.append("no media: their folder was not given, or there are none")
    return Report(dataset.name, len(dataset), worst_first(faults), tuple(looked), dataset.notes)
