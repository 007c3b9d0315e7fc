"""`cinescope parts`, as it is typed."""

from __future__ import annotations

import json
from collections.abc import Callable

Cli = Callable[..., tuple[int, str, str]]


def test_kinds_parts_and_one_part(cinescope_cli: Cli) -> None:
    status, out, _ = cinescope_cli("parts")
    assert status == 0
    assert "inputs.*.encoder.name" in out
    assert "timesformer" in out
    assert "low_rank" in cinescope_cli("parts", "fusion")[1]
    assert "Tsai et al. 2019" in cinescope_cli("parts", "mult")[1]
    (told,) = json.loads(cinescope_cli("parts", "mult", "--json")[1])
    assert told["settings"]["layers"] == 1
    assert "gated" in json.loads(cinescope_cli("parts", "--json")[1])["fusion"]
    status, _, err = cinescope_cli("parts", "fusoin")
    assert status == 3
    assert "did you mean fusion" in err


def test_every_kind_can_be_written_as_json(cinescope_cli: Cli) -> None:
    for kind in json.loads(cinescope_cli("parts", "--json")[1]):
        assert json.loads(cinescope_cli("parts", kind, "--json")[1])
