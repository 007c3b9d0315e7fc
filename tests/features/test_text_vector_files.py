"""Files of word vectors: what is written comes back, what is damaged is said."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from cinescope.features.text.vector_files import FORMATS, read_vectors, write_vectors
from cinescope.types import MissingPartError

_LETTERS = st.characters(blacklist_categories=("Cs",), blacklist_characters=" \n")
WORDS = st.text(_LETTERS, min_size=1, max_size=12).filter(lambda w: w == w.strip())
VALUES = nps.arrays(
    np.float32,
    st.tuples(st.integers(1, 6), st.integers(2, 9)),
    elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
)


@settings(max_examples=80, deadline=None)
@given(values=VALUES, words=st.lists(WORDS, min_size=6, max_size=6, unique=True), form=st.sampled_from(FORMATS))
@example(np.zeros((2, 3), np.float32), ["0", "1", "a", "b", "c", "d"], "word2vec-binary")
@example(np.ones((2, 2), np.float32), ["12", "3", "a", "b", "c", "d"], "glove")
def test_round_trip(values: np.ndarray, words: list[str], form: str) -> None:
    words = words[: len(values)]
    if form == "glove" and len(words) and words[0].isdigit() and values.shape[1] == 1:
        return  # such a line is a header of word2vec, too
    if form == "word2vec-binary":
        # Raw numbers that happen to be printable are read as text; 4 * width of them in a row are no accident to fear.
        assume(any(byte < 9 or byte > 126 or 13 < byte < 32 for byte in values[0].tobytes()))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "vectors"
        write_vectors(file, words, values, form)
        back, read = read_vectors(file)
    assert back == words
    assert np.array_equal(read, values)


def test_words_with_blanks_as_in_gloves_large_files(tmp_path: Path) -> None:
    (tmp_path / "g.txt").write_text("the 0.1 0.2\n. . . 0.3 0.4\nat name@domain.com 0.5 0.6\n", encoding="utf-8")
    words, vectors = read_vectors(tmp_path / "g.txt")
    assert words == ["the", ". . .", "at name@domain.com"]
    assert vectors == pytest.approx(np.array([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]))


def test_gensims_files(tmp_path: Path) -> None:
    """As word2vec.c writes them: a blank behind the last number, and no line break between binary records in some."""
    (tmp_path / "c.txt").write_bytes(b"2 2\n</s> 0.5 -1 \ncaf\xc3\xa9 2 3 \n")
    words, vectors = read_vectors(tmp_path / "c.txt")
    assert words == ["</s>", "café"]
    assert vectors.tolist() == [[0.5, -1], [2, 3]]
    one, two = np.array([0.5, -1], "<f4").tobytes(), np.array([2, 3], "<f4").tobytes()
    for between in (b"", b"\n"):
        (tmp_path / "c.bin").write_bytes(b"2 2\n</s> " + one + between + b"caf\xe9 " + two + between)
        words, vectors = read_vectors(tmp_path / "c.bin")
        assert words == ["</s>", "caf\udce9"]  # not UTF-8: kept as it is
        assert vectors.tolist() == [[0.5, -1], [2, 3]]


def test_a_part_of_the_words(tmp_path: Path) -> None:
    write_vectors(tmp_path / "v", ["a", "b", "c", "b2"], np.arange(8).reshape(4, 2), "word2vec-binary")
    assert read_vectors(tmp_path / "v", most=2)[0] == ["a", "b"]
    words, vectors = read_vectors(tmp_path / "v", only={"c", "zzz"})
    assert words == ["c"]
    assert vectors.tolist() == [[4, 5]]
    (tmp_path / "twice").write_text("a 1 2\na 3 4\nb 5 6\n")
    assert read_vectors(tmp_path / "twice")[1].tolist() == [[1, 2], [5, 6]]


BINARY = b"2 3\na " + np.ones(3, "<f4").tobytes() + b"\nb " + np.ones(3, "<f4").tobytes() + b"\n"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"3 2\na 1 2\nb 3 4\n", "ends after 2 of 3"),
        (b"2 2\na 1 2\nb 3\n", "line 3 has 1 numbers, not 2"),
        (b"2 2\na 1 x\nb 3 4\n", "line 2"),
        (b"1 2\na 1 nan\n", "no number"),
        (b"0 2\n", "no words"),
        (b"2 0\na\nb\n", "0 numbers"),
        (b"2 99999\na 1 2\n", "99999 numbers"),
        (b"a 1 2\nb 3 x\n", "line 2"),
        (b"hello\nworld\n", "numbers"),
        (b"the quick brown fox\n", "no number"),
        (BINARY[:-6], "too short"),
        (BINARY[:20], "too short"),
        (b"9" + BINARY[1:], "too short"),
        (BINARY.replace(b"\nb ", b"\nb" * 3), "within word 2"),
        (b"1 2\na " + np.array([1, np.inf], "<f4").tobytes() + b"\n", "word 1"),
        (b"\x80\x04\x95pickle", "numbers"),
    ],
)  # fmt: skip
def test_damaged_files(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "v.bin").write_bytes(data)
    with pytest.raises(MissingPartError, match=said) as caught:
        read_vectors(tmp_path / "v.bin")
    assert "v.bin" in str(caught.value)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_it(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "v").write_bytes(data)
        try:
            words, vectors = read_vectors(Path(folder) / "v")
        except MissingPartError:
            return
    assert vectors.shape[0] == len(words)
    assert np.isfinite(vectors).all()


def test_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'a b'"):
        write_vectors(tmp_path / "v", ["a b"], np.zeros((1, 2)), "word2vec")
    with pytest.raises(ValueError, match="fasttext"):
        write_vectors(tmp_path / "v", ["a"], np.zeros((1, 2)), "fasttext")
    with pytest.raises(MissingPartError, match="no file"):
        read_vectors(tmp_path / "none")
