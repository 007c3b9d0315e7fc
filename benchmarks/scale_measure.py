"""How fast a library of `scale_library` answers, how much of the nearest it finds, and what that costs in memory.

Runs in a process of its own, so that its memory is its own. Knows the library's search and nothing of how it was made
beyond the names of folders, tags and days.

The questions are not those on which settings were chosen (`hybrid._NPROBES`: the present ones of absent_questions.json
and the first 60 sentences of `others`): 30 absent questions, 30 later sentences of `others`, 30 pairs of Zipf words.
"""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import scale_library
from benchmarks.absent_corpus import corpus, data_folder, order, others, questions

EACH = 30
NEAREST = 10
SHARES = (0.001, 0.01, 0.5)
WARMING = 10
LIMIT = 10  # moments, as a person asks


@dataclass(slots=True)
class Measured:
    """Milliseconds are medians over the questions; each filtered question has another filter where there are enough."""

    rows: int
    words: float = 0.0
    vectors: float = 0.0
    hybrid: float = 0.0
    hybrid_p95: float = 0.0
    hybrid_cpu: float = 0.0  # of all threads: what a machine without other work needs at most
    filtered: dict[str, float] = field(default_factory=dict)  # by the share that is kept
    filtered_cpu: dict[str, float] = field(default_factory=dict)
    filtered_p95: dict[str, float] = field(default_factory=dict)
    recall: dict[str, float] = field(default_factory=dict)  # "all", and by share
    bare_words: float = 0.0  # Lance's own query of one word index, best ten
    bare_vectors: float = 0.0  # Lance's own query of the vector index, best ten
    peak_mb: float = 0.0
    load: float = 0.0  # of the machine meanwhile, a minute's average


def asked(passages: Sequence[Any]) -> list[str]:
    """The questions, the kinds in turn."""
    absent: list[str] = questions()["absent"]
    later = [p.text for p in order(others(data_folder()))[60:]]
    words = scale_library.Words.of(list(passages))
    rng = np.random.default_rng((scale_library.SEED, 5))
    pairs = [" ".join(words.words[i] for i in rng.integers(30, 5_000, 2)) for _ in range(EACH)]
    return [q for three in zip(absent[:EACH], later[:EACH], pairs, strict=True) for q in three]


def filters(share: float, films: int) -> list[str]:
    """Filters that keep about that share of the segments, of several kinds in turn."""
    first = scale_library.FIRST_DAY

    def days(start: int, count: int) -> str:
        until = first + timedelta(days=start + count - 1)
        return f"date:{(first + timedelta(days=start)).isoformat()}..{until.isoformat()}"

    count = max(1, round(share * films))
    found = []
    for n in range(EACH):
        start = (n * 7919) % max(1, films - count + 1)
        found.append(days(start, count))
        if share == 0.5:
            found += [f"tag:half{n % 2}", f"after:5:{n:02d}" if n % 3 else "before:5:00"]
        else:
            name, tag = ("box", "rare") if share == 0.001 else ("shelf", "some")
            folders = -(-films // scale_library.of_folder(name, films))
            found += [f"folder:{name}-{n * 37 % folders:04d}", f"tag:{tag}{n * 37 % min(round(1 / share), films)}"]
    return found


def timed(run: Callable[[Any], Any], each: Sequence[Any]) -> tuple[list[float], list[float]]:
    """Milliseconds that passed, and that the processors worked, for each."""
    passed, worked = [], []
    for one in each:
        begun, work = time.perf_counter(), time.process_time()
        run(one)
        passed.append(1000 * (time.perf_counter() - begun))
        worked.append(1000 * (time.process_time() - work))
    return passed, worked


def median(run: Callable[[Any], Any], each: Sequence[Any]) -> float:
    """Milliseconds that passed."""
    return statistics.median(timed(run, each)[0])


def measure(place: Path) -> dict[str, Any]:
    import cinescope
    from cinescope.library import hybrid
    from cinescope.library.scope import Scope

    passages = order(corpus(data_folder()))
    library = cinescope.open(place)
    store = library.store
    measured = Measured(store.count("segments"))
    films = store.count("videos")
    every = asked(passages)
    for question in every[:WARMING]:
        library.search(question, limit=LIMIT, meaning="yes")
    measured.words = median(lambda q: library.search(q, limit=LIMIT, meaning="no"), every)
    measured.vectors = median(lambda q: hybrid.near(library.store, q, Scope(), (), LIMIT), every)
    passed, worked = timed(lambda q: library.search(q, limit=LIMIT, meaning="yes"), every)
    measured.hybrid, measured.hybrid_cpu = statistics.median(passed), statistics.median(worked)
    measured.hybrid_p95 = float(np.percentile(passed, 95))
    for share in SHARES:
        narrowed = [f"{q} {f}" for q, f in zip(every, filters(share, films), strict=True)]
        library.search(narrowed[0], limit=LIMIT, meaning="yes")
        passed, worked = timed(lambda q: library.search(q, limit=LIMIT, meaning="yes"), narrowed)
        name = str(share)
        measured.filtered[name], measured.filtered_cpu[name] = statistics.median(passed), statistics.median(worked)
        measured.filtered_p95[name] = float(np.percentile(passed, 95))
    measured.peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _bare(measured, store, every)
    _recall(measured, store, every, films)
    measured.load = os.getloadavg()[0]
    return asdict(measured)


def _encoder() -> Any:
    from benchmarks.absent import encoder

    return encoder()


def _bare(measured: Measured, store: Any, every: list[str]) -> None:
    """Lance alone, in the same minute: what the library's search is compared with on a busy machine."""
    from lance.query import MatchQuery

    from cinescope.library import schema

    encoder = _encoder()
    vectors = list(encoder.encode(every))
    words, near = store.dataset("segments"), store.dataset(schema.vector_table(encoder.meta.space))

    def match(text: str) -> Any:
        query = MatchQuery(text.lower(), "plain")
        return words.to_table(columns=["video_id", "text"], full_text_query=query, limit=LIMIT)

    def nearest(vector: Any) -> Any:
        asked = {"column": "vector", "q": vector, "k": LIMIT, "metric": "cosine", "nprobes": 40, "refine_factor": 10}
        return near.to_table(columns=["video_id", "text"], nearest=asked)

    for text, vector in zip(every[:WARMING], vectors, strict=False):
        match(text), nearest(vector)
    measured.bare_words = median(match, every)
    measured.bare_vectors = median(nearest, vectors)


def _recall(measured: Measured, store: Any, every: list[str], films: int) -> None:
    """Of the ten nearest by comparing all, how many the library's look finds among its first ten."""
    from cinescope.library import hybrid, schema
    from cinescope.library.filters import scope_of
    from cinescope.library.query import parse
    from cinescope.library.row_sets import Rows

    encoder = _encoder()
    vectors = encoder.encode(every)
    table = schema.vector_table(encoder.meta.space)
    likenesses, numbers = [], []
    for batch in store.dataset(table).scanner(columns=["vector"], with_row_id=True, batch_size=65_536).to_batches():
        block = batch["vector"].flatten().to_numpy().reshape(len(batch), -1)
        likenesses.append(block @ vectors.T)
        numbers.append(batch["_rowid"].to_numpy())
    likeness, ids = np.concatenate(likenesses), np.concatenate(numbers)
    scopes: dict[str, list[str]] = {"all": [""] * len(every)}
    scopes |= {str(share): filters(share, films) for share in SHARES}
    for name, chosen in scopes.items():
        found = []
        for number, text in enumerate(chosen):
            scope = scope_of(store, parse(f"word {text}"))
            among = Rows(store, table, scope, kind_column="of")
            rows = among.of(store.dataset(table))
            own = likeness[:, number]
            if rows is None:
                at = np.arange(len(ids))
            else:
                at = np.flatnonzero(np.isin(ids, rows.row_ids, assume_unique=True))
            best = at[np.argpartition(-own[at], min(NEAREST, len(at)) - 1)[:NEAREST]]
            least = own[best].min()
            got = hybrid.nearest_rows(store, table, vectors[number], among, max(LIMIT, 32))[:NEAREST]
            # By likeness, not by number: what is as near as the tenth is as good.
            found.append(sum(1.0 - r["_distance"] >= least - 1e-5 for r in got) / len(best))
        measured.recall[name] = float(np.mean(found))
