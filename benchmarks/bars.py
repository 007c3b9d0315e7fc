"""Claims and whether they hold. Knows how to print and count them, not how anything is measured.

One line a claim: `BAR name value limit ok|short`. The last line counts them; the exit status is 0 only when all hold.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from typing import TextIO


@dataclass(slots=True)
class Bars:
    """`bars = Bars(); bars.at_least("recall", 0.97, 0.95); sys.exit(bars.finish())`.

    A name is one word (`clock.smpte.exact`), so that the lines can be read by a program. A value that is not a
    number (NaN: nothing was measured) never holds.
    """

    out: TextIO = field(default_factory=lambda: sys.stdout)
    held: list[bool] = field(default_factory=list)

    def at_least(self, name: str, value: float, limit: float) -> bool:
        return self._line(name, value, limit, value >= limit)

    def at_most(self, name: str, value: float, limit: float) -> bool:
        return self._line(name, value, limit, value <= limit)

    def equal(self, name: str, value: object, limit: object) -> bool:
        """Exactly equal; both may be texts without blanks."""
        return self._line(name, value, limit, value == limit)

    def finish(self) -> int:
        """Prints the count; 0 when there was at least one claim and all hold, else 1."""
        print(f"BARS {sum(self.held)} of {len(self.held)} hold", file=self.out, flush=True)
        return 0 if self.held and all(self.held) else 1

    def _line(self, name: str, value: object, limit: object, ok: bool) -> bool:
        if not name or any(c.isspace() for c in name):
            raise ValueError(f"the name of a bar is one word, got {name!r}")
        ok = bool(ok) and not (isinstance(value, float) and math.isnan(value))
        self.held.append(ok)
        print(f"BAR {name} {_word(value)} {_word(limit)} {'ok' if ok else 'short'}", file=self.out, flush=True)
        return ok


def _word(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "_".join(str(value).split()) or "-"
