"""Cinescope: search your videos by what is said and shown, on your own machine.

```python
import cinescope

lib = cinescope.open("lib")
lib.index("videos/")
for moment in lib.search("red car").moments:
    print(moment.address, moment.evidence[0].text)
```

Names load on first use: importing this package costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cinescope.api import Cancel as Cancel
    from cinescope.api import IndexReport as IndexReport
    from cinescope.api import Library as Library
    from cinescope.api import Progress as Progress
    from cinescope.api import VideoSummary as VideoSummary
    from cinescope.api import open as open
    from cinescope.api import render_world as render_world
    from cinescope.api import restore as restore
    from cinescope.api import upgrade as upgrade

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    from importlib import import_module

    api = import_module("cinescope.api")
    if name in api.EXPORTS:
        return getattr(api, name)
    raise AttributeError(f"module 'cinescope' has no attribute '{name}'")


def __dir__() -> list[str]:
    from importlib import import_module

    return sorted({*globals(), *import_module("cinescope.api").EXPORTS})
