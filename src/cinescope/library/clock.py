"""The time of day as the tables keep it."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """ISO 8601, UTC, to the microsecond: corrections are applied in the order in which they were written."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
