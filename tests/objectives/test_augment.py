"""What the corruptions do, one by one; that they are functions of keys is held in tests/conformance."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from cinescope.nn import Batch, Sequences  # noqa: E402
from cinescope.objectives import CORRUPTIONS  # noqa: E402
from cinescope.objectives.augment_vtl import VtlWarp  # noqa: E402
from cinescope.objectives.draws import normal, uniform  # noqa: E402
from cinescope.objectives.pairs import other_rows, shifted  # noqa: E402
from cinescope.types import BadQueryError  # noqa: E402

KEYS = tuple(f"row {i}" for i in range(200))


def sound(steps: int = 20, bands: int = 10, rows: int = 200) -> Batch:
    """Every step tells its place, every band its number: 100 step + band."""
    at = 100.0 * torch.arange(steps)[:, None] + torch.arange(bands)
    return Batch({"sound": Sequences.of(at.expand(rows, steps, bands).contiguous())}, {}, KEYS[:rows])


def pictures(rows: int = 200) -> Batch:
    each = torch.arange(1.0, 65).reshape(1, 1, 1, 8, 8).expand(rows, 2, 3, 8, 8).contiguous()
    return Batch({"video": Sequences.of(each)}, {}, KEYS[:rows])


def after(batch: Batch, name: str, **settings: object) -> Sequences:
    (role,) = batch.inputs
    return CORRUPTIONS.create(name, **settings)(batch, 0, 0).inputs[role]


def test_draws_are_even_and_normal() -> None:
    drawn = uniform(KEYS, 0, 0, "test", 50)
    assert 0 <= drawn.min() < 0.001
    assert 0.999 < drawn.max() < 1
    assert drawn.mean() == pytest.approx(0.5, abs=0.01)
    assert drawn.std() == pytest.approx(12**-0.5, abs=0.01)
    assert len(drawn.unique()) == drawn.numel()
    assert abs(float(torch.corrcoef(drawn[:, :2].T)[0, 1])) < 0.2
    mask = torch.ones(200, 9, dtype=torch.bool)
    noise = normal(KEYS, 0, 0, "test", mask, 4)
    assert (float(noise.mean()), float(noise.std())) == (pytest.approx(0, abs=0.05), pytest.approx(1, abs=0.05))


def test_spec_augment_hides_whole_bands_and_whole_steps() -> None:
    before = sound()
    s = after(before, "spec_augment", bands=3, bands_masks=1, steps=4, steps_masks=1, most=0.5)
    hidden = s.values != before.inputs["sound"].values
    bands, steps = hidden.all(1).sum(1), hidden.all(2).sum(1)
    assert set(bands.tolist()) == {0, 1, 2, 3}
    assert set(steps.tolist()) == {0, 1, 2, 3, 4}
    assert torch.equal(hidden, hidden.all(1, keepdim=True) | hidden.all(2, keepdim=True))
    assert (s.values[hidden] == before.inputs["sound"].values[0].mean()).all()


def test_spec_augment_masks_the_same_bands_of_each_group() -> None:
    s = after(sound(), "spec_augment", bands=3, bands_masks=1, steps_masks=0, groups=2)
    hidden = (s.values != sound().inputs["sound"].values).all(1)
    assert torch.equal(hidden[:, :5], hidden[:, 5:])
    assert hidden.any()


def test_time_shift_moves_values_and_keeps_times() -> None:
    before = sound()
    s = after(before, "time_shift", most=0.2)
    place = s.values[:, :, 0] / 100
    by = place[:, 10] - 10
    assert set(by.tolist()) == set(range(-4, 5))
    expected = (torch.arange(20)[None] + by[:, None]).clamp(0, 19)
    assert torch.equal(place, expected)
    assert torch.equal(s.times, before.inputs["sound"].times)
    around = after(before, "time_shift", most=0.2, around=True)
    assert all(sorted(row.tolist()) == list(range(20)) for row in around.values[:, :, 0] / 100)


def test_time_crop_keeps_a_stretch() -> None:
    s = after(sound(), "time_crop", least=0.5)
    assert s.lengths.min() == 10
    assert s.lengths.max() == 20
    edges = s.mask.int().diff(dim=1).abs().sum(1) + s.mask[:, 0] + s.mask[:, -1]
    assert (edges == 2).all(), "one stretch"
    assert len(s.mask.int().argmax(1).unique()) > 5
    assert not s.times[~s.mask].any()


def test_time_stretch_reads_at_another_rate() -> None:
    s = after(sound(), "time_stretch", most=0.2)
    for row, mask in zip(s.values[:, :, 3], s.mask, strict=True):
        rates = row[mask].diff()
        assert torch.allclose(rates[:-1], rates[0], atol=1e-3)
        assert 80 <= float(rates[0]) <= 120
    assert s.lengths.min() < 18


def test_pictures_are_mirrored_whole() -> None:
    before, s = pictures().inputs["video"].values, after(pictures(), "picture_flip").values
    flipped = (s != before).flatten(1).any(1)
    assert torch.equal(s[flipped], before[flipped].flip(-1))
    assert 70 < int(flipped.sum()) < 130


def test_pictures_are_moved_with_zeros_coming_in() -> None:
    s = after(pictures(), "picture_crop", padding=2).values
    assert torch.equal(s[:, 0], s[:, 1]), "all steps of a row alike"
    assert len({tuple(row.flatten().tolist()) for row in s[:, 0, 0]}) == 25
    assert (s[:, :, :, 2:6, 2:6] > 0).all()
    assert (after(pictures(), "picture_crop", padding=2, edge=True).values > 0).all()


def test_a_square_is_cut_out() -> None:
    s = after(pictures(), "cutout", size=4).values
    holes = (s[:, 0, 0] == 0).sum((1, 2))
    assert holes.max() == 16
    assert holes.min() >= 4
    assert torch.equal(s[:, 0, 0] == 0, s[:, 1, 2] == 0)


def test_dropped_numbers_are_gone_in_all_steps_and_the_rest_grows() -> None:
    batch = Batch({"sound": Sequences.of(torch.ones(200, 5, 40))}, {}, KEYS)
    values = after(batch, "feature_dropout", share=0.25).values
    assert torch.equal(values[:, 0], values[:, 4])
    assert values.unique().tolist() == pytest.approx([0, 4 / 3])
    assert float(values.mean()) == pytest.approx(1, abs=0.03)


def test_roles_drop_out_but_never_all() -> None:
    one = Sequences.of(torch.ones(200, 2, 3))
    batch = Batch({"a": one, "b": one, "c": one}, {}, KEYS)
    done = CORRUPTIONS.create("modality_dropout", share={"a": 0.5, "b": 1.0})(batch, 0, 0)
    there = {role: s.present.float().mean() for role, s in done.inputs.items()}
    assert there["a"] == pytest.approx(0.5, abs=0.1)
    assert (there["b"], there["c"]) == (0, 1)
    all_gone = CORRUPTIONS.create("modality_dropout", share=1.0)(batch, 0, 0)
    assert (torch.stack([s.present for s in all_gone.inputs.values()]).sum(0) == 1).all()
    assert all(s.present.any() for s in all_gone.inputs.values()), "which one stays is drawn"


def test_the_vocal_tract_warp_moves_a_formant_by_its_factor() -> None:
    """A peak at 1 kHz lies at 1 kHz / a afterwards: band n of the warped steps reads the band at a times its centre."""
    bands, warp = 40, VtlWarp(most=0.2, highest=8000)
    mel = 2595 * torch.log10(torch.tensor(1 + 8000 / 700).double()) / (bands + 1) * torch.arange(1, bands + 1)
    hertz = 700 * (10 ** (mel / 2595) - 1)
    factor = torch.tensor([[0.85], [1.0], [1.15]], dtype=torch.float64)
    read = warp.read_at(factor, bands)
    assert torch.allclose(read[1], torch.arange(bands).double(), atol=1e-6), "a factor of 1 changes nothing"
    for row, a in zip(read, factor[:, 0], strict=True):
        low = hertz * a < 4000
        heard = 700 * (10 ** ((row + 1) * mel[0] / 2595) - 1)
        inside = low & (row > 0)
        assert torch.allclose(heard[inside], (hertz * a)[inside], rtol=1e-6)
        assert (row.diff() >= 0).all(), "order is kept"
    assert read[0][-1] > bands - 2, "the top stays the top"


def test_a_warped_row_is_interpolated_between_bands() -> None:
    s = after(sound(bands=20), "vtl_warp", most=0.2, groups=2)
    values = s.values - 100 * torch.arange(20)[None, :, None]
    assert torch.allclose(values[:, 0], values[:, 19], atol=1e-3)
    assert torch.allclose(values[:, :, 10:], values[:, :, :10] + 10, atol=1e-3), "each group alike"
    assert values.min() >= 0
    assert len(values[:, 0, 4].unique()) > 100


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("noise", {"roles": "sound"}),
        ("noise", {"roles": []}),
        ("noise", {"most": -1}),
        ("gain", {"most": -1}),
        ("modality_dropout", {"share": 1.5}),
        ("feature_dropout", {"share": 1.0}),
        ("time_crop", {"least": 2}),
        ("time_stretch", {"most": 1}),
        ("vtl_warp", {"knee": 9000}),
        ("vtl_warp", {"most": 0.7}),
        ("picture_crop", {"padding": -1}),
        ("cutout", {"size": -1}),
        ("spec_augment", {"bands": -1}),
        ("picture_flip", {"shar": 1}),
    ],
)
def test_impossible_settings_are_one_sentence(name: str, settings: dict[str, object]) -> None:
    with pytest.raises(BadQueryError) as error:
        CORRUPTIONS.create(name, **settings)
    assert error.value.do or "argument" in error.value.what


def test_a_corruption_of_pictures_does_not_take_sounds() -> None:
    with pytest.raises(BadQueryError, match="picture_flip"):
        CORRUPTIONS.create("picture_flip", roles=["sound"])(sound(), 0, 0)


def test_pairs_are_of_other_rows_and_other_clips() -> None:
    batch = sound(rows=12)
    keys = (*KEYS[:10], "row 0", "row 1")
    batch = Batch(batch.inputs, {"clip": torch.tensor([0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 0, 0])}, keys)
    usable = torch.ones(12, dtype=torch.bool)
    usable[3] = False
    own, other = other_rows(batch, usable, 0, 0, 4)
    assert len(own) == 44
    assert all(keys[a] != keys[b] for a, b in zip(own.tolist(), other.tolist(), strict=True))
    assert 3 not in own
    assert 3 not in other
    assert len({*zip(own.tolist(), other.tolist(), strict=True)}) == 44, "none twice"
    own, other = other_rows(batch, usable, 0, 0, 20, group="clip")
    assert not (batch.targets["clip"][own] == batch.targets["clip"][other]).any()
    alone = Batch({"sound": batch.inputs["sound"].rows(torch.tensor([0]))}, {}, KEYS[:1])
    assert len(other_rows(alone, torch.ones(1, dtype=torch.bool), 0, 0)[0]) == 0


def test_every_other_row_is_taken_about_equally_often() -> None:
    batch, usable = sound(rows=6), torch.ones(6, dtype=torch.bool)
    drawn = [other_rows(batch, usable, 0, epoch)[1] for epoch in range(300)]
    often = torch.bincount(torch.cat(drawn), minlength=6)
    assert often.min() > 220
    assert often.max() < 380


def test_shifted_steps_are_out_of_time_by_at_least_that_much() -> None:
    before = sound().inputs["sound"]
    late = shifted(before, KEYS, 0, 0, 0.2)
    by = (late.values[:, 0, 0] / 100) % 20
    assert by.min() == 4
    assert by.max() == 16
    assert torch.equal(late.times, before.times)
    assert torch.equal(late.values.sort(1).values, before.values)
