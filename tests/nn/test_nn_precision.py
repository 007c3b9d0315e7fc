from __future__ import annotations

import pytest

pytest.importorskip("torch")

from cinescope.nn import precision
from cinescope.types import BadQueryError, MissingPartError


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CINESCOPE_DTYPE", raising=False)


def test_bfloat16_is_taken_where_it_is_measured_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "bfloat16_gain", lambda device: 2.0)
    assert precision.best_dtype() == "bfloat16"
    monkeypatch.setattr(precision, "bfloat16_gain", lambda device: 1.1)
    assert precision.best_dtype() == "float32"


def test_it_is_measured_once_a_process() -> None:
    precision.bfloat16_gain.cache_clear()
    gain = precision.bfloat16_gain("cpu")
    assert gain >= 0
    assert precision.bfloat16_gain("cpu") == gain
    assert precision.bfloat16_gain.cache_info().misses == 1
    assert precision.best_dtype("cpu") in ("float32", "bfloat16")


def test_the_person_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision, "bfloat16_gain", lambda device: pytest.fail("nothing need be measured"))
    monkeypatch.setenv("CINESCOPE_DTYPE", "bfloat16")
    assert precision.best_dtype() == "bfloat16"
    assert precision.best_dtype(asked="float32") == "float32"
    assert precision.dtype_of("auto", "cpu") == "bfloat16"
    assert precision.dtype_of("float32", "cpu") == "float32"
    monkeypatch.setenv("CINESCOPE_DTYPE", "int4")
    with pytest.raises(BadQueryError, match="CINESCOPE_DTYPE cannot be 'int4'"):
        precision.best_dtype()
    with pytest.raises(BadQueryError, match="precision cannot be 'float8'"):
        precision.dtype_of("float8", "cpu")


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert precision.device_of("auto") == precision.device_of("cpu") == "cpu"
    with pytest.raises(MissingPartError, match="no CUDA"):
        precision.device_of("cuda")
    with pytest.raises(BadQueryError, match="'tpu'"):
        precision.device_of("tpu")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert precision.device_of("auto") == "cuda"
    assert precision.device_of("cuda:1") == "cuda:1"
