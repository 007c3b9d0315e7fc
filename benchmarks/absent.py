"""Is it said when something is not in the videos, and is found what shares no word with the question?

    python -m benchmarks.absent [--quick] [--fit]

120 questions (absent_questions.json, written before any threshold) go through the ordinary search of libraries of
1,000 and 100,000 passages: real sentences (absent_corpus.py), and beyond 20,016 of them copies whose vectors are
turned at random to a cosine of 0.9 with the original's. `--fit` prints the constants of `library/absence.py`, from
other questions over other videos (absent_fit.py). Needs MiniLM; the vectors of the sentences (minutes) are kept in the
temporary folder. `--quick` leaves out the 100,000.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.absent_corpus import Passage, corpus, data_folder, order, questions
from benchmarks.bars import Bars

COSINE = 0.9  # of a copy's vector with the original's
SEED = 20_241
SMALL, LARGE = 1_000, 100_000
APART = 60.0  # seconds between passages, so that each is a moment of its own
PER_VIDEO = 50


def encoder() -> Any:
    from cinescope.features.backbones.text_encoder import TextEncoder
    from cinescope.features.models import encoders

    place = encoders().get("minilm")
    if place is None:
        raise SystemExit("MiniLM is not on this machine: cinescope models get minilm")
    return TextEncoder(place)


def embedded(passages: list[Passage], name: str) -> np.ndarray:
    """(N, 384), kept in the temporary folder from one run to the next."""
    model = encoder()
    file = Path(tempfile.gettempdir()) / f"cinescope-{name}-{model.meta.space}.npy"
    if file.is_file():
        kept: np.ndarray = np.load(file)
        if len(kept) == len(passages):
            return kept
    vectors: np.ndarray = model.encode([p.text for p in passages])
    np.save(file, vectors)
    return vectors


def turned(vectors: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Copies at a cosine of COSINE to the originals, in random directions."""
    noise = rng.standard_normal(vectors.shape).astype(np.float32)
    noise -= (noise * vectors).sum(1, keepdims=True) * vectors
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    return np.asarray(COSINE * vectors + np.sqrt(1 - COSINE**2) * noise, np.float32)


def library(place: Path, passages: list[Passage], vectors: np.ndarray, space: str) -> Any:
    """A library whose rows are these passages, row n of video n // PER_VIDEO."""
    from cinescope.library import schema, upkeep
    from cinescope.library.rows import segment_row
    from cinescope.library.store import Store
    from cinescope.types import Segment, Source, Span

    import lance  # isort: skip  # after the store, which makes it quiet
    import pyarrow as pa  # isort: skip

    store = Store.create(str(place))
    source = Source("made-up", "1")
    rows, names = [], []
    for n, passage in enumerate(passages):
        names.append(f"{n // PER_VIDEO:032x}")
        at = n % PER_VIDEO * APART
        segment = Segment(Span(at, at + 5), "speech", source, text=passage.text, language="en")
        rows.append(segment_row(names[-1], n, segment))
    store.append("segments", rows)
    texts = dict.fromkeys(("title", "recorded", "language", "added", "problem"), "")
    store.append(
        "videos", [{"id": v, "duration": APART * PER_VIDEO, "probe": "{}"} | texts for v in dict.fromkeys(names)]
    )
    store.add_space(space, vectors.shape[1])
    table = schema.vector_table(space)
    columns = {k: [r[k] for r in rows] for k in ("video_id", "source", "seq", "start", "end", "text", "language")}
    flat = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    filled = pa.table(columns | {"of": ["speech"] * len(rows), "vector": flat})
    names_in_order = schema.vector_schema(vectors.shape[1]).names
    made = filled.select(names_in_order).cast(schema.vector_schema(vectors.shape[1]))
    lance.write_dataset(made, f"{place}/{table}.lance", mode="append")
    store.refresh()
    upkeep.build_indexes(store)
    return store


def measured(bars: Bars, name: str, store: Any) -> None:
    """How often each kind of question is judged rightly, and the area under the curve of the chances."""
    from cinescope.library import absence, search

    asked = questions()
    queries = [p["query"] for p in asked["present"]] + asked["absent"]
    says, chances, seconds = [], [], []
    verdict = absence.verdict

    def heard(*given: Any) -> Any:
        found = verdict(*given)
        chances.append(found.chance if found is not None else float("nan"))
        return found

    absence.verdict = heard  # type: ignore[assignment]  # listened to, not changed
    try:
        for query in queries:
            begun = time.perf_counter()
            says.append(search.search(store, query, limit=5).absent)
            seconds.append(time.perf_counter() - begun)
    finally:
        absence.verdict = verdict
    absent = np.array(says)
    shares = np.array([p["shares"] for p in asked["present"]])
    print(
        f"{name}: present with shared words {1 - absent[:60][shares].mean():.3f}, without "
        f"{1 - absent[:60][~shares].mean():.3f}; median {1000 * np.median(seconds):.0f} ms a search"
    )
    bars.at_least(f"absent.{name}.present_right", float(1 - absent[:60].mean()), 0.9)
    bars.at_least(f"absent.{name}.absent_right", float(absent[60:].mean()), 0.9)
    bars.at_least(f"absent.{name}.auc", area(np.array(chances[:60]), np.array(chances[60:])), 0.9)


def area(present: np.ndarray, absent: np.ndarray) -> float:
    """Area under the ROC curve: how often a present question has the higher chance than an absent one."""
    pairs = present[:, None] - absent[None, :]
    return float((pairs > 0).mean() + 0.5 * (pairs == 0).mean())


def recall(bars: Bars, store: Any, passages: list[Passage]) -> None:
    """Whether the target is among the five best, by words alone and with meaning."""
    from cinescope.library import search

    at = {p.id: (f"{n // PER_VIDEO:032x}", n % PER_VIDEO * APART) for n, p in enumerate(passages)}
    found: dict[tuple[str, bool], list[bool]] = {}
    for entry in questions()["present"]:
        for meaning in ("no", "yes"):
            moments = search.search(store, entry["query"], limit=5, meaning=meaning).moments  # type: ignore[arg-type]
            video, start = at[entry["target"]]
            hit = any(m.video_id == video and m.span.start <= start < m.span.end for m in moments)
            found.setdefault((meaning, entry["shares"]), []).append(hit)
    value = {key: float(np.mean(hits)) for key, hits in found.items()}
    print(
        f"recall@5 of {len(passages):,}: shared words: words {value['no', True]:.3f}, with meaning "
        f"{value['yes', True]:.3f}; no shared word: words {value['no', False]:.3f}, with meaning "
        f"{value['yes', False]:.3f}"
    )
    bars.at_least("meaning.recall5_points_above_words", 100 * (value["yes", False] - value["no", False]), 30.0)


def run(bars: Bars, quick: bool = False) -> None:
    space = encoder().meta.space
    passages = order(corpus(data_folder()))
    vectors = embedded(passages, "absent-corpus")
    targets = {p["target"] for p in questions()["present"]}
    fill = [n for n, p in enumerate(passages) if p.id not in targets][: SMALL - len(targets)]
    few = sorted([n for n, p in enumerate(passages) if p.id in targets] + fill)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measured(bars, "1k", library(folder / "small", [passages[n] for n in few], vectors[few], space))
        recall(bars, library(folder / "real", passages, vectors, space), passages)
        if quick:
            return
        rng = np.random.default_rng(SEED)
        copies = -(-LARGE // len(passages)) - 1
        every = np.concatenate([vectors, *(turned(vectors, rng) for _ in range(copies))])[:LARGE]
        measured(bars, "100k", library(folder / "large", (passages * (copies + 1))[:LARGE], every, space))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without the library of 100,000")
    parser.add_argument("--fit", action="store_true", help="print the constants of library/absence.py")
    arguments = parser.parse_args()
    if arguments.fit:
        from benchmarks.absent_fit import fit

        fit()
        return 0
    bars = Bars()
    run(bars, arguments.quick)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
