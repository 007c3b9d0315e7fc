"""The questions are what they are said to be: as many, without repeats, and with or without shared words."""

from __future__ import annotations

import pytest

from benchmarks.absent_corpus import content_words, corpus, data_folder, order, others, questions
from benchmarks.absent_fit import dev_corpus, dev_questions


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    try:
        folder = data_folder()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    return {p.id: p.text for p in corpus(folder)}


def test_there_are_sixty_of_each() -> None:
    asked = questions()
    assert len(asked["present"]) == len(asked["absent"]) == 60
    assert sum(not p["shares"] for p in asked["present"]) == 30
    every = [p["query"] for p in asked["present"]] + asked["absent"]
    assert len(set(every)) == 120


def test_what_is_said_of_shared_words_is_true(texts: dict[str, str]) -> None:
    for entry in questions()["present"]:
        common = content_words(entry["query"]) & content_words(texts[entry["target"]])
        assert bool(common) == entry["shares"], (entry, common)


def test_the_corpus_is_always_the_same(texts: dict[str, str]) -> None:
    assert 20_000 <= len(texts) < 20_100
    passages = corpus(data_folder())
    assert len(passages) == len(texts)
    mixed = order(passages)
    assert mixed[0].id == "charades:00ZCA:0"
    videos = {p.video for p in passages}
    assert not videos & {p.video for p in others(data_folder())}


def test_the_questions_for_choosing_are_over_other_videos(texts: dict[str, str]) -> None:
    asked = dev_questions()
    assert len(asked["present"]) == len(asked["absent"]) == 120
    assert sum(e["fit"] for e in asked["present"] + asked["absent"]) == 120
    assert sum(not p["shares"] for p in asked["present"] if p["fit"]) == 30
    every = [e["query"] for e in asked["present"] + asked["absent"]]
    reported = questions()
    assert len(set(every)) == 240
    assert not set(every) & ({p["query"] for p in reported["present"]} | set(reported["absent"]))
    library = {p.id: p.text for p in dev_corpus(data_folder())}
    assert len(library) == 20_000
    assert not set(library) & set(texts)
    for entry in asked["present"]:
        common = content_words(entry["query"]) & content_words(library[entry["target"]])
        assert bool(common) == entry["shares"], (entry, common)
