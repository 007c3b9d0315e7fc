"""Words and meaning as one answer. The encoder is made up: directions for a few ideas, so that no model is needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cinescope.features.backbones.text_encoder import EncoderMeta
from cinescope.library import absence, hybrid, schema, upkeep, vector_index
from cinescope.library.row_sets import Rows
from cinescope.library.rows import segment_row
from cinescope.library.scope import Scope
from cinescope.library.search import search
from cinescope.library.store import Store
from cinescope.types import Segment, Source, Span

IDEAS = {
    "money": 0,
    "cash": 0,
    "funds": 0,
    "dog": 1,
    "puppy": 1,
    "barks": 1,
    "rain": 2,
    "weather": 2,
    "storm": 2,
    "volcano": 3,
}
SPACE = "minilm@test"
SOURCE = Source("made-up", "1")
ROWS = [  # video, start, kind, text, language
    ("aa", 0.0, "speech", "we ran out of cash", "en"),
    ("aa", 60.0, "speech", "a puppy barks at the door", "en"),
    ("aa", 120.0, "screen", "storm warning", "en"),
    ("bb", 0.0, "speech", "the money is gone", "en"),
    ("bb", 60.0, "speech", "weather and rain", "en"),
    ("bb", 120.0, "speech", "Geld ist knapp", "de"),
]


class Ideas:
    """(N, 4): a direction for each idea; other words mean nothing."""

    meta = EncoderMeta("minilm", "test", 4, ("en",), 99)

    def encode(self, texts: list[str]) -> np.ndarray:
        vectors = np.full((len(texts), 4), 0.05, np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                if word in IDEAS:
                    vectors[row, IDEAS[word]] += 1.0
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    store = Store.create(str(tmp_path / "lib"))
    texts = dict.fromkeys(("recorded", "added", "problem", "title"), "")
    store.append(
        "videos", [{"id": v * 16, "duration": 200.0, "probe": "{}", "language": "en"} | texts for v in ("aa", "bb")]
    )
    spans = [Span(start, start + 5) for _, start, *_ in ROWS]
    segments = [
        Segment(span, kind, SOURCE, text=text, language=language)
        for span, (_, _, kind, text, language) in zip(spans, ROWS, strict=True)
    ]
    store.append(
        "segments", [segment_row(v * 16, n, s) for n, (s, (v, *_)) in enumerate(zip(segments, ROWS, strict=True))]
    )
    store.add_space(SPACE, 4)
    store.append(
        schema.vector_table(SPACE),
        [
            {"video_id": v * 16, "source": "m", "seq": n, "of": kind, "start": start, "end": start + 5, "text": text}
            | {"language": language, "vector": Ideas().encode([text])[0].tolist()}
            for n, (v, start, kind, text, language) in enumerate(ROWS)
            if language == "en"
        ],
    )
    upkeep.build_indexes(store)
    monkeypatch.setitem(hybrid._encoders, SPACE, Ideas())
    return store


def found(result: Any) -> list[tuple[str, float]]:
    return [(m.video_id[:2], m.span.start) for m in result.moments]


def test_what_means_the_same_is_found_after_what_has_the_word(store: Store) -> None:
    result = search(store, "money")
    assert found(result)[:2] == [("bb", 0.0), ("aa", 0.0)]
    assert set(result.moments[0].by_modality) == {"speech", "meaning"}
    assert result.moments[1].by_modality == {"meaning": result.moments[1].score}
    assert result.moments[1].evidence[0].text == "we ran out of cash"
    assert result.moments[1].evidence[0].source == "m"
    assert "meaning" in result.looked_at
    assert not result.absent
    scores = [m.score for m in result.moments]
    assert scores[0] == 1.0
    assert scores == sorted(scores, reverse=True)


def test_without_a_shared_word_meaning_alone_answers(store: Store) -> None:
    assert found(search(store, "funds", meaning="no")) == []
    result = search(store, "funds")
    assert set(found(result)[:2]) == {("aa", 0.0), ("bb", 0.0)}
    assert result.note == "no moment has all the words; these come near in meaning"


def test_what_is_like_nothing_here_is_said_to_be_absent(store: Store) -> None:
    result = search(store, "volcano eruption")
    assert result.absent
    assert result.note.startswith("nothing like that in these videos")


def test_where_nothing_is_near_there_are_no_rows(store: Store) -> None:
    table = schema.vector_table(SPACE)
    nowhere = Rows(store, table, Scope(videos=frozenset({"ff" * 16})), kind_column="of")
    assert hybrid.nearest_rows(store, table, Ideas().encode(["money"])[0], nowhere, 3) == []


def test_what_is_not_sure_to_be_absent_is_said_to_be_so_probably(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(absence, "SURE", 0.0)
    assert search(store, "volcano eruption").note.startswith("probably nothing like that in these videos")


def test_a_question_is_asked_again_without_each_of_its_words() -> None:
    assert hybrid.without_each_word("A kite caught in the Tree!") == [
        "A caught in the Tree!",
        "A kite in the Tree!",
        "A kite caught in the !",
    ]
    assert hybrid.without_each_word("the kite") == []  # nothing would be left to compare with
    assert len(hybrid.without_each_word(" ".join(f"word{n}" for n in range(99)))) == absence.WORDS


def test_a_question_half_of_which_is_nowhere_is_absent(store: Store) -> None:
    """Money is here; without the volcano the question would be much nearer, so no passage speaks of both."""
    assert not search(store, "funds").absent
    assert search(store, "funds volcano").absent


def test_filters_and_unwanted_words_hold_for_meaning(store: Store) -> None:
    assert (
        found(search(store, "funds video:" + "aa" * 4)) == [("aa", 0.0)] or not search(store, "funds", limit=1).absent
    )
    assert found(search(store, "funds", before="0:30", kinds=["speech"]))[0][1] == 0.0
    assert ("aa", 0.0) not in found(search(store, "funds -cash"))
    assert found(search(store, "weather in:screen"))[:1] == [("aa", 120.0)]
    assert ("aa", 120.0) not in found(search(store, "weather in:speech"))
    titles = search(store, "weather in:title")
    assert found(titles) == []
    assert "meaning" not in titles.looked_at


def test_quotes_ask_for_words_only(store: Store) -> None:
    result = search(store, '"money"')
    assert found(result) == [("bb", 0.0)]
    assert "meaning" not in result.looked_at
    assert ("aa", 0.0) in found(search(store, '"money"', meaning="yes"))


def test_it_is_said_why_meaning_was_not_looked_at(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    other, *_ = search(store, "钱在哪里").not_looked_at
    assert other == "meaning: the model minilm reads en only"
    store.upsert("videos", ["id"], [store.rows("videos", filter=f"id = '{'bb' * 16}'")[0] | {"language": "de"}])
    unread, *_ = search(store, "money").not_looked_at
    assert unread == "meaning: what is in de, which minilm cannot read"
    monkeypatch.delitem(hybrid._encoders, SPACE)
    monkeypatch.setenv("CINESCOPE_MODELS", str(tmp_path))
    result = search(store, "money")
    assert found(result) == [("bb", 0.0)]
    assert "cinescope models get minilm" in result.not_looked_at[0]
    empty = Store.create(str(tmp_path / "empty"))
    assert hybrid.near(empty, "money", hybrid.Scope(), (), 5).why.startswith("nothing was indexed by meaning")


def test_vectors_of_two_models_are_never_compared(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second space with vectors that would win lies beside; only the encoder's own is looked at."""
    store.add_space("minilm@newer", 4)
    wrong = {"video_id": "bb" * 16, "source": "n", "seq": 0, "of": "speech", "start": 60.0, "end": 65.0}
    vector = Ideas().encode(["funds"])[0].tolist()
    store.append(schema.vector_table("minilm@newer"), [wrong | {"text": "x", "language": "en", "vector": vector}] * 3)
    assert ("bb", 60.0) not in found(search(store, "funds"))[:2]


@pytest.mark.parametrize("dimension", [4, 8])
def test_a_large_table_is_indexed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dimension: int) -> None:
    store = Store.create(str(tmp_path / "large"))
    store.add_space("x@1", dimension)
    vectors = np.random.default_rng(0).standard_normal((600, dimension)).astype(np.float32)
    row = {"video_id": "cc" * 16, "source": "m", "of": "speech", "start": 0.0, "end": 1.0, "text": "", "language": "en"}
    store.append(schema.vector_table("x@1"), [row | {"seq": n, "vector": v.tolist()} for n, v in enumerate(vectors)])
    monkeypatch.setattr(vector_index, "EXACT", 500)
    vector_index.build(store)
    vector_index.build(store)
    table = schema.vector_table("x@1")
    assert {i.name for i in store.dataset(table).describe_indices()} == {"vector_idx", "video_id_idx"}
    nearest = hybrid.nearest_rows(store, table, vectors[7], Rows(store, table, Scope()), 5)
    assert nearest[0]["_distance"] < 1e-4


def test_a_large_table_gets_an_index_and_loses_it_with_its_rows(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    table = schema.vector_table(SPACE)
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((600, 4)).astype(np.float32)
    row = {"video_id": "cc" * 16, "source": "m", "of": "speech", "start": 0.0, "end": 1.0, "text": "", "language": "en"}
    store.append(table, [row | {"seq": n, "vector": v.tolist()} for n, v in enumerate(vectors)])
    monkeypatch.setattr(vector_index, "EXACT", 500)
    vector_index.build(store)
    names = {i.name for i in store.dataset(table).describe_indices()}
    assert "vector_idx" in names
    nearest = hybrid.nearest_rows(store, table, vectors[7] / np.linalg.norm(vectors[7]), Rows(store, table, Scope()), 5)
    assert nearest[0]["_distance"] < 1e-4
    store.delete(table, f"video_id = '{'cc' * 16}'")
    vector_index.build(store, anew=True)
    assert not store.dataset(table).describe_indices()
    assert found(search(store, "money"))[0] == ("bb", 0.0)


def test_the_result_is_plain_data(store: Store) -> None:
    moment = search(store, "funds").moments[0]
    json.dumps([moment.by_modality, [e.score for e in moment.evidence]])
