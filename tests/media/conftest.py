"""Shared by the media tests: rendered containers, one of each for the whole session, and the real clips."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("CINESCOPE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))


@pytest.fixture(scope="session")
def shared_clip() -> Callable[[str], Path]:
    """A real clip by its name in the media folder; skips where it is absent."""

    def find(name: str, folder: str = "media") -> Path:
        path = SHARED / folder / name
        if not path.exists():
            pytest.skip(f"needs {folder}/{name} of the shared data (CINESCOPE_TEST_DATA)")
        return path

    return find


@pytest.fixture(scope="session")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Renders a container once a session: `rendered("name.mp4", write_video, count=10, ...)`."""
    folder = tmp_path_factory.mktemp("rendered")
    made: dict[str, Path] = {}

    def render(name: str, write: Callable[..., Path], *args: object, **options: object) -> Path:
        if name not in made:
            made[name] = write(folder / name, *args, **options)
        return made[name]

    return render
