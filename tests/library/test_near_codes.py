"""The index of quarters gives what comparing all gives, of pairs that have a quarter in common."""

from __future__ import annotations

import numpy as np

from cinescope.features.signal.picture_print import differing, mirrored
from cinescope.library import near_codes
from cinescope.library.near_codes import Codes, near, ways


def material(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Codes here, and codes there of which some are those with few bits turned, whole or mirrored or another part."""
    here = rng.integers(0, 2**63, (12, 4), dtype=np.uint64)
    there = rng.integers(0, 2**63, (300, 4), dtype=np.uint64)
    for i in range(12):
        bits = np.bitwise_or.reduce(np.uint64(1) << rng.integers(0, 64, i + 1).astype(np.uint64))
        there[i, 0] = here[i, 0] ^ bits
        there[100 + i, 2] = mirrored(here[i : i + 1, 0])[0] ^ bits
        there[200 + i, 0] = here[i, 3] ^ bits
    return here, there


def test_the_index_finds_every_pair_that_has_a_quarter_in_common() -> None:
    here, there = material(np.random.default_rng(3))
    brute = set(zip(*(x.tolist() for x in near(here, Codes(there), 14)), strict=True))
    quick = set(zip(*(x.tolist() for x in near_codes._looked_up(here, Codes(there), 14, ways(4))), strict=True))
    assert {p[:2] for p in quick} <= {p[:2] for p in brute}

    def common(pair: tuple[int, int, int]) -> bool:
        flip, a, b = ways(4)[pair[2]]
        code = mirrored(here[:, a])[pair[0]] if flip else here[pair[0], a]
        apart = int(code ^ there[pair[1], b])
        return any(not (apart >> (16 * q)) & 0xFFFF for q in range(4))

    assert {p for p in brute if common(p)} <= quick
    assert len(brute) >= 36
    assert len(quick) >= 15


def test_pairs_differ_by_at_most_so_many_bits_in_the_way_they_name() -> None:
    here, there = material(np.random.default_rng(4))
    for i, j, w in zip(*near(here, Codes(there), 10), strict=True):
        flip, a, b = ways(4)[w]
        code = mirrored(here[i : i + 1, a])[0] if flip else here[i, a]
        assert differing(code, there[j, b]) <= 10


def test_many_questions_to_a_large_library_use_the_index() -> None:
    here, there = material(np.random.default_rng(5))
    few = near(here, Codes(there), 14, total=12)
    many = near(here, Codes(there), 14, total=1 << 40)
    assert len(many[0]) < len(few[0])


def test_a_code_that_is_everywhere_says_nothing() -> None:
    here = np.zeros((1, 4), np.uint64)
    there = np.zeros((near_codes._COMMON + 1, 4), np.uint64)
    assert len(near(here, Codes(there), 14, total=1 << 60)[0]) == 0
    assert len(near(here, Codes(there), 14)[0]) == len(there)
