"""Every extractor of the catalogue keeps the protocol: the same numbers for the same clip, none for what is absent."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from tests.conformance.feature_cases import (
    BUILD,
    NO_SETTINGS,
    SETTINGS,
    clip_for,
    emptied,
    read_state,
    without,
    write_state,
)

from cinescope.features import CATALOGUE, EXTRACTORS
from cinescope.types import Clip, FeatureExtractor, Features, FittedExtractor, MissingPartError, Modality, Needs

NAMES = sorted(CATALOGUE)
Make = Callable[[str], Any]


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """A fresh extractor by its name, not fitted; skips where a package or a model that it needs is not there."""

    def build(name: str) -> Any:
        try:
            if name in BUILD:
                return BUILD[name](tmp_path_factory.getbasetemp())
            return EXTRACTORS.create(name, **SETTINGS.get(name, {}))
        except MissingPartError as error:
            if "no module 'cinescope" in str(error) or "has no feature" in str(error):
                raise
            pytest.skip(str(error))

    return build


@pytest.fixture(scope="session")
def ready(make: Make) -> Callable[[str], tuple[Any, Clip, Features]]:
    """An extractor, fitted where it must be, with a clip and what it makes of it. Shared: not to be fitted again."""
    held: dict[str, tuple[Any, Clip, Features]] = {}

    def get(name: str) -> tuple[Any, Clip, Features]:
        if name not in held:
            extractor = make(name)
            fit(extractor)
            clip = clip_for(extractor.needs)
            held[name] = (extractor, clip, extractor(clip))
        return held[name]

    return get


def fit(extractor: Any) -> None:
    if isinstance(extractor, FittedExtractor):
        extractor.fit([clip_for(extractor.needs, seed) for seed in (1, 2, 3)], seed=7)


def same(one: Features, other: Features) -> None:
    assert one.values.shape == other.values.shape
    assert one.values.tobytes() == other.values.tobytes()
    assert one.times.tobytes() == other.times.tobytes()
    assert one.source == other.source
    assert one.modality == other.modality


def sound_rows(features: Features, extractor: Any, clip: Clip) -> None:
    """What holds of the features of any clip, however short."""
    assert features.values.dtype == np.float32
    assert features.values.shape == (len(features), extractor.dim)
    assert np.isfinite(features.values).all()
    assert features.times.dtype == np.float64
    assert features.modality == extractor.modality
    assert features.source == extractor.source
    starts, ends = features.times[:, 0], features.times[:, 1]
    assert (np.diff(starts) >= 0).all()
    assert (ends >= starts).all()
    assert (starts >= clip.span.start - 1e-6).all()
    assert (ends <= clip.span.end + 1e-6).all()


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_is(name: str, make: Make) -> None:
    extractor = make(name)
    assert isinstance(extractor, FeatureExtractor)
    assert extractor.name == name
    assert isinstance(extractor.version, str)
    assert extractor.version
    assert extractor.modality in get_args(Modality)
    assert isinstance(extractor.needs, Needs)
    assert extractor.source.analyser == name
    assert extractor.source.version == extractor.version
    assert "\n" not in extractor.source.key  # and so its settings are JSON values


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_part_of_its_source(name: str, make: Make) -> None:
    extractor = make(name)
    arguments = inspect.signature(type(extractor)).parameters.values()
    named = {p.name for p in arguments if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    missing = named - set(extractor.source.settings) - NO_SETTINGS
    assert not missing, f"settings that do not change the key of {name}: {sorted(missing)}"


@pytest.mark.parametrize("name", NAMES)
def test_its_rows_are_of_the_clip(name: str, ready: Callable[[str], tuple[Any, Clip, Features]]) -> None:
    extractor, clip, features = ready(name)
    assert len(features) > 0
    assert extractor.dim > 0
    sound_rows(features, extractor, clip)
    assert features.values.any()
    assert (features.times[:, 1] > features.times[:, 0]).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_same_clip_gives_the_same_bits(name: str, ready: Callable[[str], tuple[Any, Clip, Features]]) -> None:
    extractor, clip, features = ready(name)
    extractor(clip_for(extractor.needs, seed=2))  # it keeps nothing of one clip for the next
    same(extractor(clip), features)
    same(extractor(clip_for(extractor.needs)), features)


@pytest.mark.parametrize("name", NAMES)
def test_two_of_them_agree_to_the_bit(
    name: str, make: Make, ready: Callable[[str], tuple[Any, Clip, Features]]
) -> None:
    _, clip, features = ready(name)
    other = make(name)
    fit(other)
    same(other(clip), features)


@pytest.mark.parametrize("name", NAMES)
def test_it_tells_clips_apart(name: str, ready: Callable[[str], tuple[Any, Clip, Features]]) -> None:
    extractor, _, features = ready(name)
    if extractor.modality in ("place", "given"):
        pytest.skip("the test clips were all recorded at one place")
    other = extractor(clip_for(extractor.needs, seed=2))
    assert other.values.tobytes() != features.values.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_absent_has_no_rows(name: str, ready: Callable[[str], tuple[Any, Clip, Features]]) -> None:
    extractor, clip, _ = ready(name)
    nothing = extractor(without(clip, extractor.modality))
    sound_rows(nothing, extractor, clip)
    assert len(nothing) == 0
    assert len(extractor(Clip(clip.span))) == 0


@pytest.mark.parametrize("name", NAMES)
def test_what_is_there_but_empty_has_no_rows(name: str, ready: Callable[[str], tuple[Any, Clip, Features]]) -> None:
    extractor, clip, _ = ready(name)
    if extractor.modality in ("place", "given"):
        pytest.skip("a place is there or not")
    assert len(extractor(emptied(clip, extractor.modality))) == 0


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("length", [0.001, 0.03, 0.2])
def test_a_clip_shorter_than_its_window(
    name: str, length: float, ready: Callable[[str], tuple[Any, Clip, Features]]
) -> None:
    extractor, _, _ = ready(name)
    clip = clip_for(extractor.needs, length=length, frame_count=1)
    sound_rows(extractor(clip), extractor, clip)


@pytest.mark.parametrize("name", NAMES)
def test_what_it_learns_is_kept_and_part_of_its_key(
    name: str, make: Make, ready: Callable[[str], tuple[Any, Clip, Features]], tmp_path: Path
) -> None:
    fresh = make(name)
    if not isinstance(fresh, FittedExtractor):
        assert not {"fit", "state", "restore"} & set(dir(fresh)), "one that learns has all three"
        return
    with pytest.raises(MissingPartError):
        fresh(clip_for(fresh.needs))
    with pytest.raises(MissingPartError):
        fresh.state()
    extractor, clip, features = ready(name)
    write_state(extractor.state(), tmp_path)
    fresh.restore(read_state(tmp_path))
    assert fresh.dim == extractor.dim
    same(fresh(clip), features)
    other = make(name)
    other.fit([clip_for(other.needs, seed) for seed in (4, 5)], seed=7)
    assert other.source.key != extractor.source.key
