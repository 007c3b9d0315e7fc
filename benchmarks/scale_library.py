"""Libraries of a chosen size for `benchmarks.scale`: real sentences' vectors, Zipf words, films in folders.

Row n is segment n % 50 of film n // 50. Its vector is that of a real sentence (absent_corpus.py): the first time the
sentence occurs as it is, every further time turned at random to a cosine of COSINE with it. Its text is the
sentence the first time; further ones are words drawn by Zipf's law from the sentences' own words, the most frequent
first, and made-up words after them. All is a pure function of (size, SEED).

Films lie in folders, are one a day from 2000 on, and have tags that are scattered: what filters need. Rows are written
through the library's own code (`rows.segment_row`, `Store.append`); vectors, whose numbers would otherwise each become
a Python object, as Arrow tables of the library's schema.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.absent_corpus import Passage

COSINE = 0.9  # of a copy's vector with the sentence's
SEED = 20_243
PER_FILM = 50
APART = 12.0  # seconds from one segment of a film to the next
BATCH = 25_000  # rows a commit
VOCABULARY = 100_000  # words, real ones first
SHIFT = 2.7  # Mandelbrot's constant: the frequency of the word of rank r is as 1 / (r + SHIFT)
FOLDERS = {"box": 1_000, "shelf": 100}  # so many folders of that name share out the films
FIRST_DAY = date(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds that each step of making a library took."""

    rows: float
    vectors: float
    indexes: float

    @property
    def total(self) -> float:
        return self.rows + self.vectors + self.indexes


@dataclass(frozen=True, slots=True)
class Words:
    """A vocabulary with Zipf's frequencies."""

    words: list[str]  # by rank, the most frequent first
    until: np.ndarray  # (V,) the share of all draws that fall on this word or an earlier one

    @classmethod
    def of(cls, passages: list[Passage]) -> Words:
        counted = Counter(w for p in passages for w in p.text.lower().split() if w.isalpha())
        words = [word for word, _ in counted.most_common()]
        words += [_made_up(n) for n in range(VOCABULARY - len(words))]
        weights = 1.0 / (np.arange(VOCABULARY) + 1 + SHIFT)
        return cls(words, np.cumsum(weights / weights.sum()))

    def sentence(self, rng: np.random.Generator, size: int) -> str:
        drawn = np.minimum(np.searchsorted(self.until, rng.random(size)), VOCABULARY - 1)
        return " ".join(self.words[i] for i in drawn)


def _made_up(number: int) -> str:
    """A word that can be said and is no other's: number 0 is "bababa"."""
    syllables = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
    word = ""
    for _ in range(3):
        number, at = divmod(number, len(syllables))
        word += syllables[at]
    return word


def film(number: int) -> str:
    """The id of a film. Spread over all hexadecimal digits, as hashes are."""
    return f"{number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}"


def sentence_of(rows: np.ndarray, sentences: int) -> np.ndarray:
    """(N,) which sentence a row's vector is of: every sentence once before any comes again, each time mixed anew."""
    turn, place = rows // sentences, rows % sentences
    found = np.empty(len(rows), np.int64)
    for t in np.unique(turn):
        mixed = np.random.default_rng((SEED, 1, int(t))).permutation(sentences)
        found[turn == t] = mixed[place[turn == t]]
    return found


def vectors_of(rows: np.ndarray, sentences: np.ndarray) -> np.ndarray:
    """(N, D) float32 of length 1 of whole batches of rows."""
    found = sentences[sentence_of(rows, len(sentences))]
    copies = rows >= len(sentences)
    rng = np.random.default_rng((SEED, 2, int(rows[0])))
    noise = rng.standard_normal(found.shape, dtype=np.float32)
    noise -= (noise * found).sum(1, keepdims=True) * found
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    turned = COSINE * found + np.float32(np.sqrt(1 - COSINE**2)) * noise
    return np.where(copies[:, None], turned, found).astype(np.float32)


def batches(size: int) -> Iterator[np.ndarray]:
    for start in range(0, size, BATCH):
        yield np.arange(start, min(size, start + BATCH))


def make(place: Path, size: int, passages: list[Passage], sentences: np.ndarray, space: str) -> tuple[Any, Times]:
    """A library of that many segments, indexed; `sentences` (S, D) are the passages' vectors."""
    from cinescope.library import upkeep
    from cinescope.library.store import Store

    store = Store.create(str(place))
    begun = time.perf_counter()
    _films(store, -(-size // PER_FILM))
    _segments(store, size, passages)
    rows_done = time.perf_counter()
    _vectors(store, place, size, sentences, space)
    vectors_done = time.perf_counter()
    upkeep.tidy(store)
    store.refresh()
    return store, Times(rows_done - begun, vectors_done - rows_done, time.perf_counter() - vectors_done)


def _segments(store: Any, size: int, passages: list[Passage]) -> None:
    from cinescope.library.rows import segment_row
    from cinescope.types import Segment, Source, Span

    sources = {"speech": Source("transcript", "1"), "screen": Source("screen_text", "1")}
    words = Words.of(passages)
    for rows in batches(size):
        rng = np.random.default_rng((SEED, 3, int(rows[0])))
        chosen = sentence_of(rows, len(passages))
        sizes = rng.integers(6, 17, len(rows))
        made = []
        for n, sentence, length in zip(rows.tolist(), chosen.tolist(), sizes.tolist(), strict=True):
            text = passages[sentence].text if n < len(passages) else words.sentence(rng, length)
            span = Span(n % PER_FILM * APART, n % PER_FILM * APART + 5)
            segment = Segment(span, _kind(n), sources[_kind(n)], text=text, language="en")
            made.append(segment_row(film(n // PER_FILM), n, segment))
        store.append("segments", made)


def _kind(row: int) -> str:
    """Every fifth segment was read from the screen."""
    return "screen" if row % 5 == 4 else "speech"


def _vectors(store: Any, place: Path, size: int, sentences: np.ndarray, space: str) -> None:
    from cinescope.library import schema
    from cinescope.types import Source

    import lance  # isort: skip  # after the store, which makes it quiet
    import pyarrow as pa  # isort: skip

    dimension = sentences.shape[1]
    store.add_space(space, dimension)
    table = schema.vector_table(space)
    columns = schema.vector_schema(dimension)
    for rows in batches(size):
        segments = store.table(
            "segments",
            ["video_id", "seq", "kind", "start", "end", "text", "language"],
            f"seq >= {rows[0]} AND seq <= {rows[-1]}",
        ).rename_columns({"kind": "of"})
        flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors_of(rows, sentences).ravel()), dimension)
        segments = segments.append_column("source", pa.array([Source("meaning", "1").key] * len(rows)))
        made = segments.append_column("vector", flat).select(columns.names).cast(columns)
        lance.write_dataset(made, f"{place}/{table}.lance", mode="append")
    store.refresh()


def _films(store: Any, films: int) -> None:
    videos, places, notes = [], [], []
    mixed = np.random.default_rng((SEED, 4)).permutation(films)
    for n in range(films):
        folders = "/".join(f"{name}-{n // of_folder(name, films):04d}" for name in reversed(FOLDERS))
        made = {"recorded": (FIRST_DAY + timedelta(days=n)).isoformat(), "title": "", "language": "en"}
        videos.append(
            made | {"id": film(n), "duration": APART * PER_FILM, "added": "", "probe": "{}", "problem": ""}
        )  # fmt: skip
        path = f"/films/{folders}/film-{n:05d}.mp4"
        at = {"video_id": film(n), "path": path.encode(), "name": path.rpartition("/")[2], "root": b"/films"}
        places.append(at | {"size": 1, "modified_ns": 1, "inode": n, "state": "here", "seen": ""})
        for tag in tags_of(int(mixed[n]), films):
            note = {"id": f"{n:08d}{tag}", "video_id": film(n), "kind": "tag", "text": tag, "start": None, "end": None}
            notes.append(note | {"author": "", "created": "", "about": ""})
    store.append("videos", videos)
    store.append("locations", places)
    store.append("notes", notes)


def of_folder(name: str, films: int) -> int:
    """Films in a folder of that name."""
    return max(1, films // FOLDERS[name])


def tags_of(number: int, films: int) -> list[str]:
    """Tags of one film: of a thousand that share out the films, of a hundred, of two."""
    return [f"rare{number % min(1000, films)}", f"some{number % min(100, films)}", f"half{number % 2}"]
