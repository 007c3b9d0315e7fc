"""The hits of the last search, so that `cinescope open 1` works. Only addresses are kept, in the user's folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from cinescope.types import BadQueryError

if TYPE_CHECKING:
    from cinescope.api.library import Library
    from cinescope.types import Moment, Span

HIT_HELP = "A hit: its number in the last search (1), its address (3fa9c21b@62.5-70), or VIDEO@TIME (talk.mp4@1:02)."


def _file(place: str) -> Path:
    from cinescope.api.places import state_folder

    where = place if "://" in place else os.path.abspath(place)
    name = hashlib.blake2b(os.fsencode(where), digest_size=8).hexdigest()
    return state_folder() / f"hits-{name}.json"


def remember(library: Library, moments: tuple[Moment, ...]) -> None:
    file = _file(library.place)
    # A home that cannot be written costs the numbers only; the addresses in the output work all the same.
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps([m.address for m in moments]), encoding="utf-8")


def remembered(library: Library) -> tuple[str, ...]:
    """The addresses of the last search's hits, best first. BadQueryError where there was none or it found nothing."""
    try:
        found = json.loads(_file(library.place).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = []
    if not found:
        raise BadQueryError(
            "there are no hits of a last search in this library", "search first: cinescope search WORDS"
        )
    return tuple(str(address) for address in found)


def address(library: Library, hit: str) -> str:
    """The address behind what a person typed. BadQueryError for a number that the last search did not have."""
    if not hit.isdigit() or len(hit) > 3:
        return hit
    try:
        found = json.loads(_file(library.place).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise BadQueryError(f"there was no search in this library that {hit} could stand for", HIT_HELP) from None
    if not 1 <= int(hit) <= len(found):
        had = f"{len(found)} hit{'' if len(found) == 1 else 's'}"
        raise BadQueryError(f"the last search had {had}, there is no number {hit}", HIT_HELP)
    return str(found[int(hit) - 1])


def span_words(span: Span) -> str:
    """`1:02-1:10`."""
    from cinescope.types import format_time

    return f"{format_time(span.start)}-{format_time(span.end)}"
