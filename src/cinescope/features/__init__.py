"""Signal and neural features of pictures, sound and text: `Clip -> Features`, one line here for each.

Nothing is imported until it is asked for. `cinescope features VIDEO --with hog,mfcc` reads this table.
"""

from __future__ import annotations

from cinescope.types import Catalogue

CATALOGUE: dict[str, str] = {}
EXTRACTORS = Catalogue("feature", "cinescope.features", CATALOGUE)
