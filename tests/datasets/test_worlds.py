"""Worlds: the same for the same seed, true to what they say, told by what should tell and by nothing else."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example as also
from hypothesis import given, settings
from hypothesis import strategies as st

from cinescope.api.worlds import render_world
from cinescope.datasets import DATASETS
from cinescope.datasets.worlds.reading import benchmark, rendered
from cinescope.datasets.worlds.rendering import clip, write
from cinescope.datasets.worlds.sounds import PITCHES
from cinescope.datasets.worlds.spec import MODALITIES, WorldSpec
from cinescope.datasets.worlds.truth import Truth, draw
from cinescope.datasets.worlds.words import TOPICS
from cinescope.features.clips import load_clip
from cinescope.types import BadQueryError, Clip, FrameNeed, Needs, SoundNeed

SMALL = WorldSpec(picture_by="colour", size=(64, 48), rate=10, sample_rate=8000)


def beats(spec: WorldSpec, values: np.ndarray) -> list[np.ndarray]:
    """The rows of each beat; the first axis is time."""
    edges = [round(b * len(values) / spec.beats) for b in range(spec.beats + 1)]
    return [values[a:b] for a, b in pairwise(edges)]


def most(signs: list[int]) -> int:
    return Counter(signs).most_common(1)[0][0]


def colours_seen(spec: WorldSpec, made: Clip) -> int:
    """By hand: the hue of the most saturated pixels."""
    assert made.frames is not None
    signs = []
    for part in beats(spec, made.frames.data[:, 8:-8, 8:-8]):
        pixels = part.reshape(-1, 3).astype(float)
        red, green, blue = pixels[np.argsort(np.ptp(pixels, axis=1))[-400:]].mean(0)
        signs.append(3 if blue > max(red, green) else 0 if green < 0.6 * red else 1 if red > 0.7 * green else 2)
    return most(signs)


def pitches_heard(spec: WorldSpec, made: Clip) -> int:
    """By hand: the strongest of the four pitches and of none other."""
    assert made.waveform is not None
    signs = []
    for part in beats(spec, made.waveform.data[0]):
        power = np.abs(np.fft.rfft(part * np.hanning(len(part)), 8 * len(part)))
        hertz = np.fft.rfftfreq(8 * len(part), 1 / spec.sample_rate)
        loud = [power[(hertz > 0.95 * p) & (hertz < 1.05 * p)].max() for p in PITCHES]
        signs.append(int(np.argmax(np.array(loud) * [1, 1, 1, 0.999])))
    return most(signs)


def topics_said(made: Clip) -> int:
    return most([t for word in made.words for t, known in enumerate(TOPICS) if word.text in known])


def high(wave: np.ndarray, spec: WorldSpec) -> float:
    """The power above 2,600 Hz."""
    power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2
    return float(power[np.fft.rfftfreq(len(wave), 1 / spec.sample_rate) > 2600].sum())


def pixels(made: Clip) -> np.ndarray:
    assert made.frames is not None
    return made.frames.data


def samples(made: Clip) -> np.ndarray:
    assert made.waveform is not None
    return made.waveform.data


def events_seen(made: Clip) -> np.ndarray:
    """Times of the pictures with a white edge."""
    assert made.frames is not None
    return made.frames.times[made.frames.data[:, :2].mean((1, 2, 3)) > 215]


# --- the same each time -------------------------------------------------------------------------------------------


def digest(made: Clip) -> str:
    assert made.frames is not None
    assert made.waveform is not None
    words = json.dumps([(w.text, w.span.start, w.span.end) for w in made.words])
    return hashlib.sha256(made.frames.data.tobytes() + made.waveform.data.tobytes() + words.encode()).hexdigest()


@pytest.mark.parametrize("dials", [{}, {"sound_by": "melody", "picture_by": "motion"}, {"sound_by": "vowel"}])
def test_a_clip_is_the_same_bits_each_time_whatever_came_before(dials: dict[str, str]) -> None:
    spec = SMALL.changed(**dials)
    one = [digest(clip(spec, draw(spec, 5, i))) for i in range(3)]
    again = [digest(clip(spec, draw(spec, 5, i))) for i in (2, 1, 0)][::-1]
    assert one == again
    assert len({*one, digest(clip(spec, draw(spec, 6, 0)))}) == 4


def test_the_benchmark_is_what_it_was_when_it_was_frozen() -> None:
    path = Path(__file__).parents[2] / "src/cinescope/datasets/worlds/benchmark.json"
    then = "1b9ae1818665e1875ec96afc0ba6a4f4c87f3ada0cba4ed8bc0b689300d2d716"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == then
    frozen = benchmark()
    told = [draw(frozen.worlds[w], frozen.runs[0]["test"], i).label for w in frozen.worlds for i in range(8)]
    assert told == [14, 5, 11, 11, 12, 7, 0, 14, 1, 2, 1, 1, 3, 0, 0, 1, 3, 1, 2, 2, 3, 1, 0, 3, 3, 1, 2, 2, 3, 1, 0, 3]
    seeds = [seed for run in frozen.runs for seed in run.values()]
    assert len(set(seeds)) == len(seeds), "a split shares its clips with another"


def test_pair_and_relation_of_the_benchmark_show_the_same_clips() -> None:
    pair, relation = (benchmark().worlds[w] for w in ("pair", "relation"))
    assert digest(clip(pair, draw(pair, 9, 4))) == digest(clip(relation, draw(relation, 9, 4)))


def test_a_rendered_clip_can_be_sent_to_another_process() -> None:
    made = rendered(SMALL, {"train": 3}, {"train": 2}).examples[1].clip
    assert made is not None
    assert digest(pickle.loads(pickle.dumps(made))()) == digest(made())


# --- true ----------------------------------------------------------------------------------------------------------


def test_what_a_clip_tells_can_be_told_from_it_by_hand() -> None:
    for i in range(60):
        truth = draw(SMALL, 1, i)
        made = clip(SMALL, truth)
        assert (colours_seen(SMALL, made), pitches_heard(SMALL, made), topics_said(made)) == tuple(
            truth.values[m] for m in MODALITIES
        ), truth


def test_labels_are_what_their_names_say() -> None:
    for i in range(200):
        pair, relation = (draw(SMALL.changed(label=label), 2, i) for label in ("pair", "relation"))
        a, b = pair.values["picture"], pair.values["sound"]
        assert SMALL.labels[pair.label] == f"{a}{b}"
        assert relation.values == pair.values
        assert relation.label == (a + b) % 4
        one = draw(SMALL.changed(label="one", carriers=["sound"]), 2, i)
        assert one.label == one.values["sound"]
        same = draw(SMALL.changed(label="redundant", carriers=list(MODALITIES)), 2, i)
        assert set(same.values.values()) == {same.label}
    dominant = [draw(SMALL.changed(label="dominant", agreement=0.4), 2, i) for i in range(2000)]
    assert all(t.label == t.values["picture"] for t in dominant)
    agree = np.mean([t.values["sound"] == t.label for t in dominant])
    assert agree == pytest.approx(0.4 + 0.6 / 4, abs=0.04)


def test_no_modality_tells_the_other_half_of_a_pair() -> None:
    """Counts of 4,000 clips: given one value, the other's are as equal as chance makes them."""
    truths = [draw(SMALL, 4, i) for i in range(4000)]
    for one, other in (("picture", "sound"), ("sound", "text"), ("picture", "text")):
        counts = np.zeros((4, 4))
        for t in truths:
            counts[t.values[one], t.values[other]] += 1
        expected = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / counts.sum()
        assert ((counts - expected) ** 2 / expected).sum() < 27.9, "chi-squared of 9 degrees at 0.001"
    sums = Counter((t.values["picture"], (t.values["picture"] + t.values["sound"]) % 4) for t in truths)
    assert max(sums.values()) / min(sums.values()) < 1.5, "a half tells the relation"


def test_no_modality_alone_tells_more_than_its_own_half() -> None:
    """Ridge regression on plain numbers of each modality: its half it tells, the other half it guesses."""
    made = [(draw(SMALL, 6, i), clip(SMALL, draw(SMALL, 6, i))) for i in range(200)]
    seen = np.array([c.frames.data[:, 8:-8, 8:-8].astype(float).mean((0, 1, 2)) for _, c in made if c.frames])
    seen = np.concatenate([seen, seen**2, seen[:, [0]] * seen[:, [1]]], 1)
    spectra = np.array([np.abs(np.fft.rfft(c.waveform.data[0]))[200:1000] for _, c in made if c.waveform])
    heard = np.log(spectra.reshape(len(spectra), 100, -1).sum(2))
    for own, other, numbers in (("picture", "sound", seen), ("sound", "picture", heard)):
        assert told_by(numbers, [t.values[other] for t, _ in made]) < 0.45
        assert told_by(numbers, [t.values[own] for t, _ in made]) > 0.6


def told_by(numbers: np.ndarray, values: list[int], train: int = 120) -> float:
    x = (numbers - numbers[:train].mean(0)) / (numbers[:train].std(0) + 1e-9)
    x = np.concatenate([x, np.ones((len(x), 1))], 1)
    y = np.eye(4)[values]
    weights = np.linalg.solve(x[:train].T @ x[:train] + 3 * np.eye(x.shape[1]), x[:train].T @ y[:train])
    return float(np.mean((x[train:] @ weights).argmax(1) == np.array(values)[train:]))


# --- as files ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "films"
    render_world(folder, "pair", 4, 11, picture_by="colour", size=[160, 120], events=2)
    return folder


def test_an_mp4_read_back_shows_says_and_times_the_same(films: Path) -> None:
    dataset = DATASETS.create("worlds", films)
    spec = WorldSpec.from_json(json.loads((films / "world.json").read_text()))
    assert len(dataset) == 4
    for i, example in enumerate(dataset.examples):
        truth = draw(spec, 11, i)
        made, true = load_clip(example.media, ALL(spec)), clip(spec, truth)
        assert made.frames is not None
        assert made.waveform is not None
        assert true.frames is not None
        assert true.waveform is not None
        np.testing.assert_array_equal(made.frames.times, true.frames.times)
        assert np.abs(made.frames.data.astype(int) - true.frames.data).mean() < 8
        assert made.waveform.data.shape == true.waveform.data.shape
        assert np.corrcoef(made.waveform.data[0], true.waveform.data[0])[0, 1] > 0.99
        assert [w.text for w in made.words] == [w.text for w in true.words]
        for a, b in zip(made.words, true.words, strict=True):
            assert (a.span.start, a.span.end) == pytest.approx((b.span.start, b.span.end), abs=1e-6)
        told = (colours_seen(spec, made), pitches_heard(spec, made), topics_said(made))
        assert tuple(str(v) for v in told) == tuple(example.targets[m] for m in MODALITIES)
        assert example.targets["label"] == f"{told[0]}{told[1]}"


def test_events_stand_at_their_times_in_all_modalities(films: Path) -> None:
    dataset = DATASETS.create("worlds", films)
    spec = WorldSpec.from_json(json.loads((films / "world.json").read_text()))
    for example in dataset.examples:
        made = load_clip(example.media, ALL(spec))
        events = example.targets["events"]
        assert len(events) == 2
        assert made.frames is not None
        times = made.frames.times
        inside = [t for t in times for e in events if e.start - 1e-9 <= t < e.end - 1e-9]
        np.testing.assert_allclose(events_seen(made), inside)
        said = [t for w in made.words if w.text == "bell" for t in (w.span.start, w.span.end)]
        assert said == pytest.approx([t for e in events for t in (e.start, e.end)], abs=1e-6)
        for event in events:  # the click begins at once, and nothing else sounds above 2.6 kHz
            wave, at = samples(made)[0], round(event.start * spec.sample_rate)
            window = spec.sample_rate // 50
            quiet = wave[at + spec.sample_rate // 2 :][:window] if at < window else wave[at - window : at]
            assert high(wave[at : at + window], spec) > 20 * high(quiet, spec)


def ALL(spec: WorldSpec) -> Needs:
    return Needs(FrameNeed(), SoundNeed(spec.sample_rate), subtitles=True)


def test_a_film_may_lack_a_modality_and_its_subtitles(tmp_path: Path) -> None:
    silent = SMALL.changed(missing={"sound": 1.0})
    write(tmp_path / "a.mp4", silent, draw(silent, 1, 0), subtitles=False)
    made = load_clip(tmp_path / "a.mp4", ALL(silent))
    assert made.waveform is None
    assert made.words == ()
    assert made.frames is not None
    with pytest.raises(BadQueryError, match="neither picture nor sound"):
        render_world(tmp_path / "b", missing={"sound": 1.0, "picture": 1.0})
    assert not (tmp_path / "b").exists()


def test_python_offers_what_the_command_does() -> None:
    import cinescope

    assert cinescope.render_world is render_world
    assert "render_world" in dir(cinescope)


def test_a_folder_that_holds_a_world_is_left_alone(films: Path) -> None:
    before = (films / "world.json").read_bytes()
    with pytest.raises(BadQueryError, match="holds a world already"):
        render_world(films, count=1)
    assert (films / "world.json").read_bytes() == before
    with pytest.raises(BadQueryError, match="rendered already"):
        DATASETS.create("worlds", films, picture_noise=3)


def test_the_command_writes_and_tells(cinescope_cli: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    small = ("--set", "size=[64, 48]", "--set", "rate=10")
    status, out, _ = cinescope_cli("world", tmp_path / "w", "--count", "2", "--seed", "3", *small, "--json")
    assert status == 0
    assert [Path(p).name for p in json.loads(out)["films"]] == ["3-00000.mp4", "3-00001.mp4"]
    assert [e.key for e in DATASETS.create("worlds", tmp_path / "w").examples] == ["3-00000", "3-00001"]
    status, _, err = cinescope_cli("world", tmp_path / "v", "--set", "pictur_noise=3")
    assert status == 2
    assert "did you mean 'picture_noise'?" in err


# --- dials ---------------------------------------------------------------------------------------------------------


def test_confusion_is_the_share_of_signs_of_another_value() -> None:
    spec = SMALL.changed(confusion={"sound": 0.3})
    truths = [draw(spec, 8, i) for i in range(1000)]
    wrong = {m: np.mean([s != t.values[m] for t in truths for s in t.signs[m]]) for m in MODALITIES}
    assert wrong["sound"] == pytest.approx(0.3, abs=0.03)
    assert wrong["picture"] == wrong["text"] == 0
    assert [t.label for t in truths] == [draw(SMALL, 8, i).label for i in range(1000)], "noise changed what is true"


def test_missing_is_the_share_of_clips_without_a_modality() -> None:
    spec = SMALL.changed(missing={"text": 0.25})
    truths = [draw(spec, 8, i) for i in range(2000)]
    assert np.mean(["text" in t.absent for t in truths]) == pytest.approx(0.25, abs=0.03)
    made = next(clip(spec, t) for t in truths if "text" in t.absent)
    assert made.words == ()
    assert made.frames is not None
    sightless = SMALL.changed(missing={"picture": 1.0})
    assert clip(sightless, draw(sightless, 1, 1)).frames is None


def test_noise_and_contrast_change_the_picture_and_nothing_else() -> None:
    truth = draw(SMALL, 1, 3)

    def shown(**dials: float) -> Clip:
        return clip(SMALL.changed(**dials), truth)

    clean, noisy = shown(picture_noise=0.0), shown(picture_noise=30.0)
    assert clean.frames is not None
    assert noisy.frames is not None
    assert np.std(clean.frames.data.astype(float) - noisy.frames.data) == pytest.approx(29, abs=3)
    np.testing.assert_array_equal(samples(clean), samples(noisy))
    pale = pixels(shown(picture_noise=0.0, contrast=0.2)).astype(int)
    full = clean.frames.data.astype(int)
    assert colourful(pale) < 0.4 * colourful(full)
    loud = shown(sound_noise=0.3)
    assert samples(loud).std() > 1.2 * samples(clean).std()
    assert len(shown(fillers=3).words) > len(shown(fillers=0).words)


def colourful(shown: np.ndarray) -> int:
    """The most that the three numbers of a pixel within the edge differ."""
    return int(np.ptp(shown[:, 8:-8, 8:-8], axis=-1).max())


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**31), st.integers(0, 10**6), st.integers(1, 6), st.integers(0, 3), st.floats(0.5, 8),
    st.integers(12, 30), st.floats(0.01, 0.3),
)  # fmt: skip
@also(seed=0, index=0, count=4, events=1, seconds=1.0, rate=12, long=0.25)
def test_words_and_events_never_overlap_and_stay_in_the_clip(
    seed: int, index: int, count: int, events: int, seconds: float, rate: int, long: float
) -> None:
    try:
        spec = SMALL.changed(beats=count, events=events, seconds=seconds, rate=rate, event_seconds=long)
    except BadQueryError:
        return
    truth: Truth = draw(spec, seed, index)
    assert len(truth.events) == events
    for a, b in pairwise(truth.events):
        assert b.start > a.end
    from cinescope.datasets.worlds.words import words

    said = words(spec, truth)
    for word in said:
        assert 0 <= word.span.start < word.span.end <= spec.frames / rate + 1 / rate
    for one, other in pairwise(said):
        assert other.span.start >= one.span.end - 1e-9
        assert one.text != other.text or other.span.start > one.span.end


@pytest.mark.parametrize(
    ("dials", "said"),
    [
        ({"label": "pairs"}, "did you mean 'pair'"),
        ({"carriers": ["sound"]}, "name 2 or more"),
        ({"carriers": ["picture", "smell"]}, "cannot be 'smell'"),
        ({"modalities": ["picture"]}, "cannot be carried by picture, sound"),
        ({"picture_noise": -1}, "give a number from 0"),
        ({"picture_noise": "much"}, "cannot be 'much'"),
        ({"confusion": {"sound": 2}}, "confusion of sound"),
        ({"seconds": 0.4, "rate": 10}, "less than 2 pictures"),
        ({"events": 8}, "more than half"),
        ({"seconds": 1.0, "rate": 12, "beats": 4, "events": 1, "event_seconds": 0.25}, "no time for"),
        ({"fillers": 900}, "no time for"),
        ({"size": 3}, "wrong kind"),
        ({"event": 1}, "did you mean 'events'"),
    ],
)
def test_a_world_that_cannot_be_is_one_clear_sentence(dials: dict[str, object], said: str) -> None:
    with pytest.raises(BadQueryError) as caught:
        SMALL.changed(**dials)
    assert said in f"{caught.value.what} {caught.value.do}"


def test_a_specification_file_and_its_faults(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text('{"label": "relation", "seconds": 1.0, "beats": 2}')
    dataset = DATASETS.create("worlds", path, counts={"train": 3, "test": 2}, picture_noise=0)
    assert [e.split for e in dataset.examples] == ["train"] * 3 + ["test"] * 2
    assert dataset.targets["label"].labels == ("0", "1", "2", "3")
    assert len(DATASETS.create("worlds", path, split="test")) == 500
    with pytest.raises(BadQueryError, match="one seed"):
        DATASETS.create("worlds", path, seeds={"test": 1})
    (tmp_path / "other").mkdir()
    path.write_text("[1]")
    with pytest.raises(BadQueryError, match="no specification"):
        DATASETS.create("worlds", path)
    with pytest.raises(BadQueryError, match="gone"):
        DATASETS.create("worlds", tmp_path / "gone")
    with pytest.raises(BadQueryError, match=r"looked for world\.json"):
        DATASETS.create("worlds", tmp_path / "other")
    with pytest.raises(BadQueryError, match="no world 'pairs'"):
        DATASETS.create("worlds", world="pairs")
