"""The real files have as many rows as their publishers say (the table in the README of the shared data)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cinescope.datasets import DATASETS
from cinescope.datasets.example import Dataset
from cinescope.types import Span


def read(name: str, folder: Path, **settings: object) -> Dataset:
    made: Dataset = DATASETS.create(name, folder, **settings)
    return made


def parts(dataset: Dataset) -> dict[str, int]:
    return dict(Counter(e.split for e in dataset.examples))


@pytest.mark.parametrize(
    ("name", "settings", "wanted"),
    [
        ("qvhighlights", {}, {"train": 7_218, "val": 1_550, "test": 1_542}),
        ("charades_sta", {}, {"train": 12_408, "test": 3_720}),
        ("nextqa", {}, {"test": 8_564}),
        ("msrvtt", {}, {"test": 1_000}),
        ("youcook2", {"each": "video"}, {"train": 1_333, "val": 457, "test": 210}),
        ("youcook2", {}, {"train": 10_337, "val": 3_492, "test": 210}),
        ("activitynet_captions", {"each": "video"}, {"val": 4_917}),
        ("activitynet_captions", {}, {"val": 17_505}),
        ("tgif_qa", {}, {"test": 13_691}),
        ("activitynet_qa", {}, {"test": 8_000}),
        ("hmdb51", {}, {"train": 3_570, "test": 1_530, "neither": 1_666}),
    ],
)
def test_counts_of_annotations(data: Path, name: str, settings: dict[str, object], wanted: dict[str, int]) -> None:
    assert parts(read(name, data / "annotations", **settings)) == wanted


def test_kinetics(data: Path) -> None:
    made = read("kinetics", data / "annotations" / "kinetics")
    assert parts(made) == {"val": 18_009}
    assert len(made.targets["action"].labels) == 400
    first = made.examples[0]
    assert (first.targets["action"], first.span, first.group) == ("javelin throw", Span(1, 11), "--07WQ2iBlw")


def test_spoken_digits(data: Path) -> None:
    made = read("fsdd", data / "spoken_digits")
    assert parts(made) == {"train": 2_700, "test": 300}
    assert len({e.group for e in made.examples}) == 6
    assert all(e.about["index"] <= 4 for e in made.split("test").examples)
    assert Counter(e.targets["digit"] for e in made.examples) == {str(d): 300 for d in range(10)}
    one = next(e for e in made.examples if e.key == "7_jackson_32")
    assert one.media is not None
    assert one.media.name == "7_jackson_32.wav"


def test_opinions_on_films(data: Path) -> None:
    made = read("mosi", data / "mosi_train")
    assert parts(made) == {"train": 1_447}
    assert len({e.group for e in made.examples}) == 62
    assert Counter(e.targets["sentiment"] for e in made.examples) == {"positive": 709, "negative": 738}
    one = made.examples[0]
    assert (one.key, one.order, one.texts["speech"]) == ("1DmNV9C1hbY_10", 10, "KIDS ARE GONNA LOVE THE FILM")
    assert {name: v.shape for name, v in one.given.items()} == {"text": (1, 100), "audio": (1, 73), "video": (1, 100)}
    np.testing.assert_allclose(one.given["audio"][0, :2], [174.95, 0.80645], rtol=1e-6)
    assert "98%" in made.notes[0]
    low = read("mosi", data / "mosi_train", lower=True, features=("audio",))
    assert low.examples[0].texts["speech"] == "kids are gonna love the film"
    assert set(low.examples[0].given) == {"audio"}
    assert not low.notes


def test_features_of_opinions_stand_beside_their_own_words(data: Path) -> None:
    """The file's own last column says the label of each row: the reader would refuse rows in another order."""
    import csv

    made = read("mosi", data / "mosi_train")
    with (data / "mosi_train" / "text_train0.csv").open() as file:
        for example, row in zip(made.examples, csv.reader(file), strict=True):
            assert example.targets["sentiment"] == ("positive" if float(row[-1]) else "negative")
            assert example.given["text"][0, 0] == np.float32(row[0])


def test_emotions_of_dialogues(data: Path) -> None:
    made = read("meld", data / "text_emotion")
    assert parts(made) == {"train": 9_989, "dev": 1_109}
    assert Counter(e.targets["emotion"] for e in made.split("dev").examples)["joy"] == 163
    first = made.examples[0]
    assert (first.key, first.group, first.order) == ("train/dia0_utt0", "train/dia0", 0)
    assert "company’s" in first.texts["speech"]
    assert first.about["StartTime"] == pytest.approx(976.059)
    assert len(read("meld", data / "text_emotion", split="val")) == 1_109


def test_pictures_in_a_tar(data: Path) -> None:
    made = read("cifar", data / "images_cifar10_train10k.tar", hold=5)
    assert parts(made) == {"train": 8_000, "test": 2_000}
    assert set(Counter(e.targets["label"] for e in made.split("test").examples).values()) == {200}
    one = next(e for e in made.examples if e.key == "bird/0338.jpg")
    assert one.clip is not None
    frames = one.clip().frames
    assert frames is not None
    assert frames.data.shape == (1, 32, 32, 3)


def test_talking_faces(data: Path) -> None:
    made = read("grid", data / "talking_faces")
    assert len(made) == 6
    assert made.examples[0].targets["sentence"] == ("bin blue at f two now",)
    assert made.examples[0].texts == {}  # what is said is what is to be told


def test_moments_and_choices(data: Path) -> None:
    moments = read("qvhighlights", data / "annotations")
    val = moments.split("val").examples[0]
    assert (val.targets["moments"], val.group) == ((Span(82, 150),), "NUsG9BgSes0")
    assert "moments" not in moments.split("test").examples[0].targets
    asked = read("nextqa", data / "annotations").examples[0]
    assert (asked.targets["answer"], asked.candidates[2], asked.about["type"]) == (2, "lay on floor", "TN")
    told = read("activitynet_qa", data / "annotations", answers="class")
    assert (told.examples[0].targets["answer"], told.examples[0].about["type"]) == ("no", "yes/no")
    short = read("charades_sta", data / "annotations", split="test").examples[0]
    assert short.targets["moment"] == (Span(24.3, 30.4),)
    assert short.texts["query"] == "person turn a light on."
