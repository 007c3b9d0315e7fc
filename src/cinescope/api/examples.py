"""What a person means by an example: a file, or a moment of the library. Composes names, files and likeness."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cinescope.types import BadQueryError, LibraryError, MediaError, Span

if TYPE_CHECKING:
    from cinescope.api.library import AnyPath, Library
    from cinescope.library.likeness import Likeness

# What `search` calls its arguments -> what a query calls them.
_NAMES = {"videos": "video", "kinds": "in", "language": "lang"}


def like(
    library: Library, example: AnyPath, query: str, limit: int, filters: Mapping[str, str | Sequence[str]]
) -> Likeness:
    """See `Library.like`."""
    from cinescope.library import likeness
    from cinescope.library.query import FILTERS

    named = {_NAMES.get(name, name): value for name, value in filters.items()}
    unknown = sorted(set(named) - set(FILTERS))
    if unknown:
        raise BadQueryError(f"there is no filter '{unknown[0]}'", f"there are {', '.join(FILTERS)}")
    where = os.fspath(example)
    stored = None if os.path.exists(where) else _stored(library, where)
    return likeness.like(library.store, where, query, limit=limit, stored=stored, filters=named)


def _stored(library: Library, ref: str) -> tuple[str, str, Span]:
    """Id, name and span of a video or moment of the library. MediaError where there is no such, and no such file."""
    from cinescope.library import catalog

    try:
        if catalog.parse_address(ref) is not None:
            video, span = library.moment(ref)
        else:
            video = library.video(ref)
            span = Span(0.0, video.duration or 0.0)
    except LibraryError as error:
        raise MediaError(
            f"there is no file '{ref}', and no video of the library is called that",
            "give a picture, film or sound file, or a moment (talk.mp4@1:02-1:10)",
        ) from error
    return video.id, video.name, span
