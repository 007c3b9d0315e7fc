"""Files of word vectors: word2vec's binary and text formats, and GloVe's text. Knows no videos and no training.

word2vec (word2vec.c, 2013): a line `WORDS WIDTH`, then each word with its numbers, as text or as little-endian float32
behind a blank. GloVe (Pennington et al. 2014): the same text without the first line. Words may hold blanks in GloVe's
large files: the numbers are counted from the right.
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np

from cinescope.types import MissingPartError

FORMATS = ("word2vec", "word2vec-binary", "glove")
_WIDEST = 10_000  # numbers a word: more is no file of word vectors
_LONGEST = 4096  # bytes of a word
_LOOK = 50  # lines from which the width of a file without a header is told


def read_vectors(
    path: str | os.PathLike[str], most: int | None = None, only: Collection[str] | None = None
) -> tuple[list[str], np.ndarray]:
    """The words and their vectors (N, D) float32, in the order of the file; of a word that comes twice the first.

    `most`: the first so many of the file (they are sorted by frequency); `only`: just these words. The format is told
    from the file. MissingPartError, with the line or the word, where it is cut off, of another kind or damaged.
    """
    name = Path(os.fspath(path)).name
    try:
        with open(path, "rb") as file:
            first = file.readline(1 << 20)
            if not first.strip():
                raise _bad(name, "it is empty")
            header = _header(first)
            if header is not None and _is_binary(file, header[1]):
                found = _binary(file, *header, name)
            else:
                file.seek(0 if header is None else len(first))
                found = _text(file, header, name)
            return _gathered(found, most, only)
    except FileNotFoundError as error:
        raise MissingPartError(f"there is no file '{path}'", "give a file of word2vec or GloVe vectors") from error
    except OSError as error:
        raise MissingPartError(f"'{name}' cannot be read ({error.strerror or error})") from error


def write_vectors(path: str | os.PathLike[str], words: Sequence[str], vectors: np.ndarray, format: str) -> None:
    """Write (N, D) vectors in one of FORMATS. ValueError for words that the format cannot hold."""
    vectors = np.asarray(vectors, np.float32)
    if format not in FORMATS or vectors.ndim != 2 or len(words) != len(vectors):
        raise ValueError(f"{len(words)} words and vectors {vectors.shape} cannot be written as '{format}'")
    for word in words:
        blanks = "\n" if format == "glove" else " \n"
        if not word or any(b in word for b in blanks) or word != word.strip():
            raise ValueError(f"the word {word!r} cannot be written as {format}")
    from cinescope.media.writing import whole_file

    with whole_file(path) as part, open(part, "wb") as file:
        if format != "glove":
            file.write(f"{len(words)} {vectors.shape[1]}\n".encode())
        for word, row in zip(words, vectors, strict=True):
            file.write(word.encode("utf-8", "surrogateescape") + b" ")
            if format == "word2vec-binary":
                file.write(row.astype("<f4").tobytes() + b"\n")
            else:
                file.write(" ".join(repr(float(x)) for x in row).encode() + b"\n")


def _bad(name: str, why: str) -> MissingPartError:
    return MissingPartError(f"'{name}' is no file of word vectors: {why}", "fetch it again, or give another")


def _header(line: bytes) -> tuple[int, int] | None:
    parts = line.split()
    if len(parts) != 2 or not all(p.isdigit() and len(p) < 12 for p in parts):
        return None
    return int(parts[0]), int(parts[1])


def _is_binary(file: BinaryIO, width: int) -> bool:
    """Whether behind the header a word is followed by raw numbers, not by digits: text is what can be read as such."""
    here = file.tell()
    sample = file.read(_LONGEST + 32 * min(width, _WIDEST))
    file.seek(here)
    fields = sample.lstrip(b"\n").split(b"\n", 1)[0].rstrip().rsplit(b" ", width)
    if len(fields) == width + 1 and all(_number(f) is not None for f in fields[1:]):
        return False
    return any(byte < 9 or byte > 126 or 13 < byte < 32 for byte in sample.partition(b" ")[2][: 4 * width])


def _number(text: bytes) -> float | None:
    try:
        return None if b"_" in text else float(text)  # Python reads 1_000; the formats do not know that
    except ValueError:
        return None


def _check_header(count: int, width: int, name: str) -> None:
    if not 1 <= width <= _WIDEST:
        raise _bad(name, f"its first line says {width} numbers a word")
    if count < 1:
        raise _bad(name, "its first line says that there are no words")


def _binary(file: BinaryIO, count: int, width: int, name: str) -> Iterator[tuple[str, np.ndarray]]:
    _check_header(count, width, name)
    size = 4 * width
    left = os.fstat(file.fileno()).st_size - file.tell()
    if count * (size + 2) > left:  # a letter and a blank are the least there is beside the numbers
        raise _bad(name, f"its first line says {count} words of {width} numbers, and it is too short for them")
    buffer, at = b"", 0
    for number in range(1, count + 1):
        while (end := buffer.find(b" ", at)) < 0 or end + 1 + size > len(buffer):
            if end - at > _LONGEST or (end < 0 and len(buffer) - at > _LONGEST):
                raise _bad(name, f"word {number} has more than {_LONGEST} bytes")
            more = file.read(1 << 20)
            if not more:
                raise _bad(name, f"it ends within word {number} of {count}")
            buffer, at = buffer[at:] + more, 0
        word = buffer[at:end].lstrip(b"\n").decode("utf-8", "surrogateescape")
        values = np.frombuffer(buffer, "<f4", width, end + 1)
        at = end + 1 + size
        if not np.isfinite(values).all():
            raise _bad(name, f"the vector of word {number} holds what is no number")
        yield word, values


def _text(file: BinaryIO, header: tuple[int, int] | None, name: str) -> Iterator[tuple[str, np.ndarray]]:
    if header is not None:
        count, width = header
        _check_header(count, width, name)
    else:
        count, width = None, _width(file, name)
    read = 0
    for number, raw in enumerate(file, 2 if header is not None else 1):
        line = raw.rstrip(b"\r\n")
        if not line.strip():
            continue
        if b" " not in line:
            line = line.replace(b"\t", b" ")  # some tools part by tabs; else a tab belongs to the word
        parts = line.rstrip(b" ").rsplit(b" ", width)
        if len(parts) != width + 1:
            raise _bad(name, f"line {number} has {len(parts) - 1} numbers, not {width}")
        numbers = [_number(part) for part in parts[1:]]
        if not all(n is not None and math.isfinite(n) for n in numbers):
            raise _bad(name, f"line {number} holds what is no number")
        yield parts[0].decode("utf-8", "surrogateescape"), np.array(numbers, np.float32)
        read += 1
        if read == count:
            return
    if count is not None and read < count:
        raise _bad(name, f"it ends after {read} of {count} words")
    if not read:
        raise _bad(name, "it holds no words")


def _width(file: BinaryIO, name: str) -> int:
    """Numbers a line of a file without a header: the fewest fields of its first lines, for words may hold blanks."""
    here = file.tell()
    lines = [line.split() for line, _ in zip(file, range(_LOOK), strict=False)]
    file.seek(here)
    width = min((len(fields) for fields in lines if fields), default=0) - 1
    if not 1 <= width <= _WIDEST:
        raise _bad(name, f"its lines have {max(width, 0)} numbers")
    return width


def _gathered(
    found: Iterator[tuple[str, np.ndarray]], most: int | None, only: Collection[str] | None
) -> tuple[list[str], np.ndarray]:
    kept: dict[str, np.ndarray] = {}
    width = 0
    for number, (word, values) in enumerate(found):
        if most is not None and number >= most:
            break
        width = len(values)
        if word not in kept and (only is None or word in only):
            kept[word] = np.array(values, np.float32)
    return list(kept), np.stack(list(kept.values())) if kept else np.zeros((0, width), np.float32)
