"""Each fault is planted in data without faults, and is named; without it, nothing is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.datasets.dataset_files import mosi, picture, tone, write

from cinescope.datasets import DATASETS
from cinescope.datasets.check_rows import runs
from cinescope.datasets.check_sources import check_sources
from cinescope.datasets.checking import check
from cinescope.datasets.example import Dataset, Example, Missing, Target
from cinescope.datasets.faults import Fault
from cinescope.datasets.linear_reading import fold_of, majority, read_by_one, read_linearly, read_words
from cinescope.datasets.near import alike_texts, normal
from cinescope.types import Span

LABELS = ("anger", "fear", "joy")
WORDS = [f"word{i}" for i in range(400)]


def clean(rows: int = 240, seed: int = 0, **more: Any) -> Dataset:
    """Rows without a fault: drawn words, features that say a little, whole groups in each part."""
    draw = np.random.default_rng(seed)
    made = []
    for i in range(rows):
        label = int(draw.integers(3))
        made.append(
            Example(
                key=f"k{i}",
                split="test" if i // 8 % 4 == 3 else "train",
                texts={"speech": " ".join(draw.choice(WORDS, int(draw.integers(6, 14))))},
                given={"audio": (draw.normal(size=(1, 8)) + 0.4 * np.eye(8)[label]).astype(np.float32)},
                targets={"emotion": LABELS[label]},
                group=f"g{i // 8}",
                order=i % 8,
            )
        )
    return replace(Dataset("made", tuple(made), {"emotion": Target("class", LABELS)}), **more)


def change(data: Dataset, how: Callable[[int, Example], Example]) -> Dataset:
    return replace(data, examples=tuple(how(i, e) for i, e in enumerate(data.examples)))


def found(data: Dataset) -> dict[str, Fault]:
    return {f.check: f for f in check(data, media=None).faults}


def told_by(data: Dataset) -> list[str]:
    return [f.figures["what"] for f in check(data).faults if f.check == "telling-length"]


def number(example: Example) -> int:
    return LABELS.index(example.targets["emotion"])


def test_nothing_is_said_of_what_is_well() -> None:
    for seed in range(3):
        faults = found(clean(seed=seed))
        assert set(faults) == {"feature-reading"}
        assert faults["feature-reading"].severity == "note"


def test_features_that_know_the_label() -> None:
    leak = change(
        clean(),
        lambda i, e: replace(
            e,
            given={
                **e.given,
                "video": np.random.default_rng(i).normal(np.eye(6)[number(e)] * 6, 1, (3, 6)).astype("f4"),
            },
        ),
    )
    fault = found(leak)["leaking-features"]
    assert fault.severity == "ruinous"
    assert fault.figures["accuracy"]["video"] > 0.95
    assert fault.figures["accuracy"]["audio"] < 0.7
    assert "'video'" in fault.sentence.split(":")[0]
    assert "'audio'" not in fault.sentence.split(":")[0]
    assert check(leak).ruinous
    silent = change(leak, lambda i, e: replace(e, texts={}))  # no words to compare with: it may be an easy question
    assert found(silent)["leaking-features"].severity == "doubtful"


def test_a_column_that_is_the_label() -> None:
    def add(i: int, e: Example) -> Example:
        values = np.append(e.given["audio"], np.float32([[number(e)]]), axis=1)
        return replace(e, given={"audio": values})

    fault = found(change(clean(), add))["telling-column"]
    assert fault.figures["column"] == 8
    assert fault.figures["accuracy"] == 1.0
    other = change(clean(), lambda i, e: replace(e, about={"code": f"c{number(e)}"}))
    assert "'code' is the 'emotion' under another name" in found(other)["telling-column"].sentence


def test_lengths_that_tell_the_label() -> None:
    longer = change(clean(), lambda i, e: replace(e, texts={"speech": " ".join(WORDS[i : i + 5 + 12 * number(e)])}))
    assert "the number of words of 'speech'" in told_by(longer)
    steps = change(clean(), lambda i, e: replace(e, given={"audio": np.repeat(e.given["audio"], 1 + number(e), 0)}))
    assert told_by(steps) == ["the number of steps of 'audio'"]
    stretch = change(clean(), lambda i, e: replace(e, span=Span(i, i + 1 + number(e))))
    assert told_by(stretch) == ["the length of the stretch"]


def test_rows_sorted_by_label() -> None:
    data = clean()
    rows = tuple(sorted(data.examples, key=number))
    fault = found(replace(data, examples=rows))["sorted-rows"]
    assert fault.figures["runs"] == 3
    assert fault.figures["z"] < -15
    assert "sorted by 'emotion': 3 runs" in fault.sentence


def films(*names: str) -> Dataset:
    """Rows of files `class/name.mp4`."""
    made = tuple(Example(name, media=Path(name), targets={"label": name.split("/")[0]}) for name in names)
    return Dataset("films", made, {"label": Target("class", tuple(sorted({n.split("/")[0] for n in names})))})


def sources(data: Dataset, headers: dict[Path, str] | None = None) -> list[str]:
    return [f"{f.severity}: {f.sentence}" for f in check_sources(data, headers)]


def test_a_class_of_one_source() -> None:
    (said,) = sources(films("boat/lake_1.mp4", "boat/lake_2.mp4", "cat/sofa_1.mp4", "cat/barn_1.mp4"))
    assert said.startswith("doubtful: all 2 rows of 'boat' are of one source, 'lake' (by their names), so a model")
    (said,) = sources(films("boat/lake-01.mp4", "boat/lake-02.mp4", "cat/sofa (1).mp4", "cat/sofa (2).mp4"))
    assert "the rows of 2 of 2 classes are of one source each, such as all 2 of 'boat' of 'lake'" in said
    plain = films("boat/a.mp4", "boat/b.mp4", "cat/c.mp4")
    headers = {Path("boat/a.mp4"): "Holiday 2024-05-18", Path("boat/b.mp4"): "Holiday 2024-05-18"}
    (said,) = sources(plain, headers)
    assert "'Holiday 2024-05-18' (by what the files say of themselves)" in said
    assert sources(plain, headers | {Path("cat/c.mp4"): "Holiday 2024-05-18"}) == []
    group = {"boat": "lake", "cat": ""}
    (said,) = sources(change(plain, lambda i, e: replace(e, group=group[e.targets["label"]])))
    assert "'lake', so" in said  # a group is no guess
    stretches = change(plain, lambda i, e: replace(e, media=Path("one.mp4"), span=Span(i, i + 1)))
    (said,) = sources(stretches)
    assert said.startswith("note: all 3 rows are of one source, 'one.mp4'")


def test_names_that_tell_no_source() -> None:
    for names in (
        ("boat/0001.mp4", "boat/0002.mp4", "cat/0001.mp4", "cat/0002.mp4"),
        ("boat/boat_1.mp4", "boat/boat_2.mp4", "cat/my_cat1.mp4", "cat/my_cat2.mp4"),
        ("boat/IMG_0001.MP4", "boat/IMG_0002.MP4", "cat/clip 1.mp4", "cat/clip 2.mp4"),
        ("boat/lake_1.mp4", "boat/lake_2.mp4", "cat/lake_3.mp4", "cat/lake_4.mp4"),
        ("sailing/lake_sailing_1.mp4", "sailing/lake_sailing_2.mp4", "cats/lake-cats1.mp4", "cats/lake-cats2.mp4"),
        ("boat/v_boat_g01_c01.avi", "boat/v_boat_g02_c01.avi", "cat/v_cat_g01_c01.avi", "cat/v_cat_g02_c01.avi"),
        ("boat/lake_1.mp4", "cat/sofa_1.mp4"),
        ("boat/lake_1.mp4", "boat/lake_2.mp4"),
    ):
        assert sources(films(*names)) == [], names
    people = films("ada/1.jpg", "ada/2.jpg", "bob/1.jpg", "bob/2.jpg")
    assert sources(change(people, lambda i, e: replace(e, group=e.targets["label"]))) == []


def test_runs_by_chance_are_as_many_as_expected() -> None:
    draw = np.random.default_rng(5)
    labels = draw.choice(4, 300, p=[0.1, 0.2, 0.3, 0.4])
    there = [runs(draw.permutation(labels)) for _ in range(2_000)]
    counts = np.array([t[0] for t in there])
    assert np.mean(counts) == pytest.approx(there[0][1], abs=1.5)
    assert np.std([t[2] for t in there]) == pytest.approx(1.0, abs=0.06)  # the variance, too, is the right one
    assert runs(np.zeros(10, int)) == (1, 1.0, 0.0)


def test_groups_in_two_parts() -> None:
    torn = change(clean(), lambda i, e: replace(e, split="test") if i in (3, 70, 71) else e)
    fault = found(torn)["split-groups"]
    assert fault.severity == "ruinous"
    assert fault.figures["shared"] == 2
    meant = change(clean(), lambda i, e: replace(e, split="test" if i % 8 == 0 else "train"))
    assert found(meant)["split-groups"].severity == "doubtful"  # all speakers are in both: somebody wanted that


def test_the_same_media_in_two_parts(tmp_path: Path) -> None:
    path = tone(tmp_path / "a.wav", 1.0)

    def at(i: int, e: Example) -> Example:
        return replace(e, media=path, span=Span(i / 300, (i + 1) / 300), group="")

    assert "split-media" not in found(change(clean(), at))
    again = change(clean(), lambda i, e: replace(at(0, e), split=e.split) if i in (0, 30) else at(i, e))
    assert found(again)["split-media"].keys == ("k30",)


def text_only(data: Dataset) -> Dataset:
    return change(data, lambda i, e: replace(e, given={}))


def test_the_same_words_twice_and_in_two_parts() -> None:
    data = text_only(clean())
    said = {i: data.examples[i - 24].texts for i in range(24, 32)}  # of train, said again in test
    again = found(change(data, lambda i, e: replace(e, texts=said.get(i, e.texts))))
    assert again["same-text"].figures["rows"] == 8
    assert again["split-texts"].severity == "ruinous"
    assert again["split-texts"].figures["rows"] == 8
    assert again["contradiction"].severity in ("note", "doubtful")
    shouted = {i: {"speech": t["speech"].upper() + " !"} for i, t in said.items()}
    assert found(change(data, lambda i, e: replace(e, texts=shouted.get(i, e.texts))))["same-text"].figures["rows"] == 8
    seen = change(data, lambda i, e: replace(e, texts=said.get(i, e.texts), span=Span(0, 1)))
    assert found(seen)["split-texts"].severity == "note"  # the same sentence on another film is another row


def test_words_that_are_nearly_the_same() -> None:
    data = text_only(clean())
    near = {i: {"speech": data.examples[i - 24].texts["speech"] + " indeed"} for i in range(24, 32)}
    longer = change(
        data, lambda i, e: replace(e, texts={"speech": e.texts["speech"] + " " + " ".join(WORDS[i : i + 9])})
    )
    near = {i: {"speech": longer.examples[i - 24].texts["speech"] + " indeed"} for i in near}
    fault = found(change(longer, lambda i, e: replace(e, texts=near.get(i, e.texts))))
    assert fault["alike-texts"].figures["rows"] == 8
    assert fault["split-texts"].figures["rows"] == 8


def test_minhash_finds_what_comparing_all_finds() -> None:
    draw = np.random.default_rng(1)
    texts = [" ".join(draw.choice(WORDS[:60], 12)) for _ in range(120)]
    texts += [" ".join(t.split()[:-1]) for t in texts[:30]]
    texts = list(dict.fromkeys(normal(t) for t in texts))
    got = {(i, j) for i, j, _ in alike_texts(texts)}

    def terms(t: str) -> set[str]:
        words = t.split()
        return {*words, *(f"{a} {b}" for a, b in pairwise(words))}

    sets = [terms(t) for t in texts]
    wanted = {
        (i, j) for j in range(len(sets)) for i in range(j) if len(sets[i] & sets[j]) / len(sets[i] | sets[j]) >= 0.8
    }
    assert len(wanted) >= 25
    assert got <= wanted
    assert len(got) >= 0.97 * len(wanted)


def test_labels() -> None:
    rare = change(clean(), lambda i, e: replace(e, targets={"emotion": "joy" if i else "fear"}))
    faults = found(rare)
    assert faults["imbalance"].severity == "doubtful"
    assert faults["rare-labels"].figures == {"anger": 0, "fear": 1}
    one = change(clean(), lambda i, e: replace(e, targets={"emotion": "joy"}))
    assert found(one)["one-label"].severity == "ruinous"
    strange = change(clean(), lambda i, e: replace(e, targets={"emotion": "jooy"}) if i == 5 else e)
    assert "'jooy'" in found(strange)["unknown-label"].sentence
    new = change(
        clean(), lambda i, e: replace(e, targets={"emotion": "fear"}) if e.split == "train" and number(e) == 2 else e
    )
    assert found(new)["unseen-labels"].figures["labels"] == ["joy"]
    some = change(clean(), lambda i, e: replace(e, targets={}) if i in (4, 5) else e)
    assert found(some)["no-target"].figures == {"rows": 2}


def test_numbers_that_are_none() -> None:
    def spoil(i: int, e: Example) -> Example:
        values = e.given["audio"].copy()
        values[:, 7] = 0.5
        if i == 9:
            values[0, 0] = np.nan
        return replace(e, given={"audio": values * (i != 20)})

    faults = found(change(clean(), spoil))
    assert faults["bad-numbers"].keys == ("k9",)
    assert faults["empty-features"].keys == ("k20",)
    assert "constant-columns" not in faults  # the row of zeros differs
    still = found(
        change(clean(), lambda i, e: replace(e, given={"audio": e.given["audio"] * np.float32(np.arange(8) > 2)}))
    )
    assert still["constant-columns"].figures["columns"] == 3


def test_empty_texts_missing_media_and_order() -> None:
    empty = change(clean(), lambda i, e: replace(e, texts={"speech": " ... "}) if i < 5 else e)
    assert found(empty)["empty-text"].figures["rows"] == 5
    gone = replace(clean(), missing=(Missing("k999", "gone.mp4"),) * 3)
    assert "3 of 243 rows are missing" in found(gone)["missing-media"].sentence
    turned = change(clean(), lambda i, e: replace(e, order=-e.order))
    assert found(turned)["group-order"].figures["groups"] == 30


def test_choices_that_are_known_without_looking() -> None:
    draw = np.random.default_rng(0)

    def asked(place: int, longest: bool) -> Dataset:
        rows = []
        for i in range(200):
            right = place if place >= 0 else int(draw.integers(4))
            answers = tuple(
                "x" * int(draw.integers(3, 9)) + ("y" * 9 if longest and a == right else "") for a in range(4)
            )
            rows.append(Example(f"k{i}", texts={"question": f"q {i}"}, candidates=answers, targets={"answer": right}))
        return Dataset("asked", tuple(rows), {"answer": Target("choice")})

    assert "choice-bias" not in found(asked(-1, False))
    assert "candidate 2" in found(asked(2, False))["choice-bias"].sentence
    assert "the longest" in found(asked(-1, True))["choice-bias"].sentence


def test_stretches_and_scores() -> None:
    rows = [
        Example(f"k{i}", targets={"when": (Span(1, 2 + i),), "how": 0.5 * i}, about={"duration": 5}) for i in range(9)
    ]
    data = Dataset("d", tuple(rows), {"when": Target("spans"), "how": Target("score")})
    assert found(data)["late-spans"].figures["rows"] == 4
    flat = change(data, lambda i, e: replace(e, targets={"when": (Span(1, 1),), "how": 2.0}))
    assert {"empty-spans", "one-label"} <= set(found(flat))


def media_set(folder: Path) -> Dataset:
    for i in range(8):
        tone(folder / "low" / f"{i}.wav", 0.5 + 0.05 * i, 200 + 40 * i)
        tone(folder / "high" / f"{i}.wav", 0.5 + 0.05 * i, 1_500 + 300 * i)
    made: Dataset = DATASETS.create("folders", folder)
    return made


def test_media_that_are_broken_silent_or_twice(tmp_path: Path) -> None:
    assert set(found(media_set(tmp_path))) == {"sorted-rows", "rare-labels"}
    (tmp_path / "low" / "b.wav").write_bytes(b"RIFF this is none")
    (tmp_path / "low" / "e.wav").write_bytes(b"")
    tone(tmp_path / "low" / "s.wav", level=0.0)
    (tmp_path / "high" / "t.wav").write_bytes((tmp_path / "low" / "3.wav").read_bytes())
    faults = found(DATASETS.create("folders", tmp_path))
    assert set(faults["broken-media"].keys) == {"low/b.wav", "low/e.wav"}
    assert faults["silent-media"].keys == ("low/s.wav",)
    assert set(faults["same-media"].keys) == {"low/3.wav", "high/t.wav"}
    assert faults["same-media"].figures["contradicting"] == 1


def test_pictures_that_look_the_same_in_two_parts(tmp_path: Path) -> None:
    from PIL import Image

    for i in range(12):
        picture(tmp_path / ("train" if i < 8 else "test") / ("cat" if i % 2 else "dog") / f"{i}.png", i, 64)
    assert "alike-pictures" not in found(DATASETS.create("picture_folders", tmp_path))
    with Image.open(tmp_path / "train" / "cat" / "3.png") as one:
        one.convert("RGB").resize((48, 48)).save(tmp_path / "test" / "cat" / "copy.jpg", quality=60)
    Image.new("RGB", (64, 64), (3, 3, 3)).save(tmp_path / "test" / "cat" / "night.png")
    faults = found(DATASETS.create("picture_folders", tmp_path))
    assert set(faults["alike-pictures"].keys) == {"train/cat/3.png", "test/cat/copy.jpg"}
    assert "split-alike-pictures" in faults
    assert faults["black-media"].keys == ("test/cat/night.png",)


def test_length_of_media_that_tells_the_label(tmp_path: Path) -> None:
    for i in range(24):
        tone(tmp_path / "a" / f"{i}.wav", 0.3 + 0.004 * i, 200 + 13 * i)
        tone(tmp_path / "b" / f"{i}.wav", 0.6 + 0.004 * i, 210 + 13 * i)
    assert told_by(DATASETS.create("folders", tmp_path)) == ["the length in seconds"]


def test_a_film_that_stops(data: Path, tmp_path: Path) -> None:
    whole = (data / "media" / "video-llama__boat.mp4").read_bytes()
    (tmp_path / "films" / "boat").mkdir(parents=True)
    (tmp_path / "films" / "boat" / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "films" / "boat" / "whole.mp4").write_bytes(whole)
    fault = found(DATASETS.create("folders", tmp_path / "films"))["broken-media"]
    assert fault.keys == ("boat/cut.mp4",)
    assert "stop at 2.9 of 6.0 s" in fault.sentence


def test_a_stretch_after_the_end(tmp_path: Path) -> None:
    tone(tmp_path / "a.wav", 1.0)
    path = write(tmp_path / "rows.csv", "path,start,end,label\na.wav,0,0.5,x\na.wav,2,3,y\n")
    assert found(DATASETS.create("csv_file", path))["late-stretch"].keys == ("rows:3",)


def test_reading_agrees_with_scikit_learn() -> None:
    pytest.importorskip("sklearn")
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    draw = np.random.default_rng(2)
    labels = draw.integers(0, 3, 600)
    values = draw.normal(size=(600, 20)) * 50 + 40 * np.eye(20)[labels]
    fold = fold_of([f"g{i // 6}" for i in range(600)])
    right = 0
    for f in range(5):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2_000)).fit(
            values[fold != f], labels[fold != f]
        )
        right += (model.predict(values[fold == f]) == labels[fold == f]).sum()
    assert read_linearly(values, labels, fold) == pytest.approx(right / 600, abs=0.01)


def test_reading_never_fits_on_what_it_reads() -> None:
    """Each group has its own constant and one label: only a reader that has seen the group could know it."""
    draw = np.random.default_rng(3)
    groups = [f"g{i // 10}" for i in range(400)]
    labels = np.repeat(draw.integers(0, 2, 40), 10)
    values = np.repeat(draw.normal(size=(40, 30)), 10, 0)
    fold = fold_of(groups)
    assert all(len({fold[i] for i in range(g * 10, g * 10 + 10)}) == 1 for g in range(40))
    assert read_linearly(values, labels, fold) < 0.7
    assert read_by_one(values, labels, fold).mean() < 0.6
    assert read_words([f"only{g} here{g}" for g in groups], labels, fold) < 0.7
    assert majority(labels) == max(labels.mean(), 1 - labels.mean())


def test_it_names_the_leak_and_the_sorted_rows_of_real_data(data: Path) -> None:
    report = check(DATASETS.create("mosi", data / "mosi_train"))
    faults = {f.check: f for f in report.faults}
    read = faults["leaking-features"].figures["accuracy"]
    assert read["text"] == pytest.approx(0.98, abs=0.015)
    assert read["video"] == pytest.approx(0.92, abs=0.02)
    assert read["audio"] == pytest.approx(0.50, abs=0.03)
    assert faults["leaking-features"].figures["words"] == pytest.approx(0.70, abs=0.03)
    assert faults["leaking-features"].sentence.startswith("the features 'text' and 'video' know the 'sentiment'")
    assert faults["sorted-rows"].figures["runs"] == 2
    assert report.ruinous


def test_the_command_says_it_and_exits(tmp_path: Path, cinescope_cli: Callable[..., tuple[int, str, str]]) -> None:
    for i in range(12):
        tone(tmp_path / "clips" / ("a" if i % 2 else "b") / f"{i}.wav", 0.4, 200 + 50 * i)
    status, out, _ = cinescope_cli("check-data", tmp_path / "clips")
    assert status == 0
    assert "12 of 12 media were opened" in out
    rows = ["text,label,split"] + [
        f"a sentence of its own number {i},x,{'train' if i % 2 else 'test'}" for i in range(50)
    ]
    path = write(tmp_path / "rows.csv", "\n".join(rows))
    status, out, err = cinescope_cli("check-data", path, "--json")
    assert status == 1
    report = json.loads(out)
    assert report["ruinous"] is True
    assert report["report"]["faults"][0]["check"] == "one-label"
    assert not err
    status, out, _ = cinescope_cli("check-data", path, "--as", "csv_file", "--set", 'targets=["split"]', "--quiet")
    assert status == 0


def test_the_command_guesses_what_it_is_shown(
    tmp_path: Path, cinescope_cli: Callable[..., tuple[int, str, str]]
) -> None:
    mosi(tmp_path / "m")
    assert cinescope_cli("check-data", tmp_path / "m")[1].startswith("mosi: 3 rows")
    (tmp_path / "empty").mkdir()
    status, _, err = cinescope_cli("check-data", tmp_path / "empty")
    assert status == 2
    assert "no dataset that is known by its files" in err
    assert cinescope_cli("check-data", tmp_path / "m", "--as", "mozi")[0] == 3
    assert cinescope_cli("check-data", tmp_path / "m", "--set", "features=3")[0] != 0
    assert "no setting" in cinescope_cli("check-data", tmp_path / "m", "--set", "lower")[2]
    assert "colour" in cinescope_cli("check-data", tmp_path / "m", "--as", "mosi", "--set", "colour=1")[2]
