"""Every feature of the catalogue stands on the page for users."""

from __future__ import annotations

from pathlib import Path

from cinescope.features import CATALOGUE


def test_every_feature_is_on_the_page() -> None:
    text = (Path(__file__).parents[2] / "docs" / "features.md").read_text(encoding="utf-8")
    assert not [name for name in CATALOGUE if f"`{name}`" not in text]
