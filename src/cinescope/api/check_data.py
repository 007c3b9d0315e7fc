"""A dataset by name or by its look, and what is wrong with it. Knows nothing of terminals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cinescope.datasets import DATASETS
from cinescope.datasets.checking import MOST_MEDIA, Tell, check
from cinescope.datasets.example import Dataset
from cinescope.datasets.faults import Report
from cinescope.types import BadQueryError, CinescopeError

# Forms of one's own: tried, in this order, where no published dataset is known by its files.
OWN = ("csv_file", "jsonl_file", "folders", "picture_folders", "webdataset")
# Forms that any folder of portraits or pictures has: never guessed.
NEVER_GUESSED = ("face_folders",)


def check_data(
    folder: str | Path,
    name: str | None = None,
    *,
    media: str | Path | None = None,
    split: str | None = None,
    most_media: int | None = MOST_MEDIA,
    tell: Tell | None = None,
    **settings: Any,
) -> Report:
    """What ruins results on these data. `name` is a dataset of the catalogue, by default guessed from the files.

    `settings` are the reader's own. `most_media` files are opened at most, None is all. Raises BadQueryError where the
    folder is no such dataset.
    """
    return check(read_data(folder, name, media=media, split=split, **settings), media=most_media, tell=tell)


def read_data(
    folder: str | Path,
    name: str | None = None,
    *,
    media: str | Path | None = None,
    split: str | None = None,
    **settings: Any,
) -> Dataset:
    """The dataset in a folder or file; see `check_data`."""
    place = Path(folder)
    given: dict[str, Any] = dict(settings)
    if media is not None:
        given["media"] = Path(media)
    if split is not None:
        given["split"] = split
    if not place.exists() and "{" not in place.name:
        raise BadQueryError(f"there is no file or folder '{place}'", "give the folder of the dataset's files")
    made: Dataset = DATASETS.create(name or guess(place), place, **given)
    return made


def guess(place: Path) -> str:
    """The name of the dataset whose files lie there. BadQueryError where there are several, or none."""
    published = [n for n in DATASETS.names() if n not in (*OWN, *NEVER_GUESSED) and _reads(n, place)]
    if len(published) > 1:
        raise BadQueryError(
            f"'{place}' holds the files of {len(published)} datasets ({', '.join(published)})", "say which with --as"
        )
    found = published or [n for n in OWN if _reads(n, place)]
    if found:
        return found[0]
    raise BadQueryError(
        f"'{place}' is no dataset that is known by its files",
        f"say which it is with --as: {', '.join(DATASETS.names())}",
    )


def _reads(name: str, place: Path) -> bool:
    reader: Callable[..., Dataset] = DATASETS.load(name)
    try:
        return len(reader(place)) > 0
    except CinescopeError:
        return False
