from __future__ import annotations

import numpy as np
import pytest

from cinescope.features.speech.silero import CHUNK, Silero, model_file
from cinescope.types import MissingPartError

NOISE = (0.1 * np.random.default_rng(0).standard_normal(CHUNK * 64)).astype(np.float32)


def test_in_one_go_or_piece_by_piece_is_the_same_to_the_bit() -> None:
    whole = Silero()(NOISE)
    assert whole.shape == (64,)
    assert whole.dtype == np.float32
    assert ((whole >= 0) & (whole <= 1)).all()
    for size in (1, 7, 16):
        net = Silero()
        pieces = [net(NOISE[at : at + size * CHUNK]) for at in range(0, len(NOISE), size * CHUNK)]
        assert np.array_equal(np.concatenate(pieces), whole)


def test_a_restored_net_goes_on_where_it_was() -> None:
    first, second = Silero(), Silero()
    whole = Silero()(NOISE)
    first(NOISE[: 20 * CHUNK])
    state = first.state()
    first(NOISE[: 5 * CHUNK])
    second.restore(state)
    assert np.array_equal(second(NOISE[20 * CHUNK :]), whole[20:])
    assert not np.array_equal(Silero()(NOISE[20 * CHUNK :]), whole[20:])


def test_it_agrees_with_the_package_that_carries_it() -> None:
    vad = pytest.importorskip("faster_whisper.vad")
    theirs = vad.get_vad_model()(NOISE.copy()).reshape(-1)
    # Not the last chunk: the package wipes the end of the sound it is given before it looks at it.
    assert Silero()(NOISE)[:-1] == pytest.approx(theirs[:-1], abs=1e-6)


def test_only_whole_chunks_of_float32_are_taken() -> None:
    for wrong in (NOISE[:100], NOISE.astype(np.float64), NOISE.reshape(2, -1)):
        with pytest.raises(ValueError, match="multiple of 512"):
            Silero()(wrong)
    assert Silero()(NOISE[:0]).shape == (0,)


def test_a_missing_or_damaged_net_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Silero()
    net.file = model_file().with_name("__init__.py")
    with pytest.raises(MissingPartError, match="cannot be loaded"):
        net(NOISE)
    monkeypatch.setattr("cinescope.features.speech.silero.find_spec", lambda name: None)
    with pytest.raises(MissingPartError, match="pip install faster-whisper"):
        Silero()
