"""What `import cinescope` offers. Composes the parts below; knows nothing of terminals.

Names load on first use, so that a command pays only for what it uses.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cinescope.api.library import Library as Library
    from cinescope.api.library import open as open
    from cinescope.api.library import restore as restore
    from cinescope.api.library import upgrade as upgrade
    from cinescope.api.worlds import render_world as render_world
    from cinescope.library.catalog import VideoSummary as VideoSummary
    from cinescope.library.progress import Cancel as Cancel
    from cinescope.library.progress import IndexReport as IndexReport
    from cinescope.library.progress import Progress as Progress
    from cinescope.types import CinescopeError as CinescopeError
    from cinescope.types import Evidence as Evidence
    from cinescope.types import Moment as Moment
    from cinescope.types import Note as Note
    from cinescope.types import SearchResult as SearchResult
    from cinescope.types import Segment as Segment
    from cinescope.types import Span as Span
    from cinescope.types import Timeline as Timeline

# Name -> module. A name here needs a line above too, for type checkers.
EXPORTS = {
    "Cancel": "cinescope.library.progress",
    "CinescopeError": "cinescope.types",
    "Evidence": "cinescope.types",
    "IndexReport": "cinescope.library.progress",
    "Library": "cinescope.api.library",
    "Moment": "cinescope.types",
    "Note": "cinescope.types",
    "Progress": "cinescope.library.progress",
    "SearchResult": "cinescope.types",
    "Segment": "cinescope.types",
    "Span": "cinescope.types",
    "Timeline": "cinescope.types",
    "VideoSummary": "cinescope.library.catalog",
    "open": "cinescope.api.library",
    "render_world": "cinescope.api.worlds",
    "restore": "cinescope.api.library",
    "upgrade": "cinescope.api.library",
}


def __getattr__(name: str) -> Any:
    if name not in EXPORTS:
        raise AttributeError(f"module 'cinescope.api' has no attribute '{name}'")
    value = getattr(importlib.import_module(EXPORTS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *EXPORTS})
