"""Row sets say the same as Lance's own filters, whatever was appended, deleted or merged in between."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shelf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cinescope.library import hybrid, schema, vector_index
from cinescope.library.lookup import look_up
from cinescope.library.matching import needed, units_of
from cinescope.library.query import parse
from cinescope.library.question import Question
from cinescope.library.row_sets import Rows, treemap
from cinescope.library.scope import Scope
from cinescope.library.search import search
from cinescope.library.store import Store
from cinescope.types import Span

VIDEOS = [f"v{n}" for n in range(12)]
KINDS = ("speech", "screen", "note")
LANGUAGES = ("en", "en-GB", "de", "")
SPACE = "made-up@1"
DIMENSION = 8


@pytest.mark.parametrize("seed", range(6))
def test_the_bitmaps_are_those_that_lance_writes(seed: int) -> None:
    from lance.dataset import serialize_row_addrs

    rng = np.random.default_rng(seed)
    masks = [(int(n), rng.random(rng.integers(1, 200_000)) < rng.random() ** 4) for n in rng.permutation(9)[:seed]]
    masks.append((40, np.zeros(70_000, bool)))
    masks.append((41, np.arange(70_000) == 65_536))
    masks.append((42, np.arange(150_000) % 16 == 0))  # 4,096 in a container: the most that are listed
    listed = [(number << 32) + at for number, mask in masks for at in np.flatnonzero(mask).tolist()]
    ours, theirs = treemap(masks), serialize_row_addrs(listed)
    assert len(ours) == len(theirs)
    assert ours == theirs


def rows_of(rng: np.random.Generator, count: int) -> list[tuple[str, str, str, float, float]]:
    start = rng.integers(0, 60, count) / 2
    return [
        (str(v), str(k), str(c), float(s), float(s + d))
        for v, k, c, s, d in zip(
            rng.choice(VIDEOS, count), rng.choice(KINDS, count), rng.choice(LANGUAGES, count), start,
            rng.integers(0, 9, count) / 2, strict=True,
        )
    ]  # fmt: skip


def write(store: Store, rows: list[tuple[str, str, str, float, float]], rng: np.random.Generator) -> None:
    for video, kind, language, start, end in rows:
        shelf.add(store, video, [(start, end, rng.choice(["red car", "red sea", "car park"]))], kind, language=language)
    vectors = rng.standard_normal((len(rows), DIMENSION)).astype(np.float32)
    store.append(
        schema.vector_table(SPACE),
        [
            {
                "video_id": v, "source": "m@1", "seq": 0, "of": k, "start": s, "end": e, "text": "x", "language": c,
                "vector": (x / np.linalg.norm(x)).tolist(),
            }
            for (v, k, c, s, e), x in zip(rows, vectors, strict=True)
        ],
    )  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Several fragments, some rows deleted, some written after the indexes."""
    rng = np.random.default_rng(3)
    made = shelf.new(tmp_path_factory.mktemp("rows"))
    made.add_space(SPACE, DIMENSION)
    write(made, rows_of(rng, 90), rng)
    shelf.with_indexes(made)
    for table in ("segments", schema.vector_table(SPACE)):
        made.delete(table, "video_id = 'v3' OR start = 4.5")
    write(made, rows_of(rng, 30), rng)
    made.delete("segments", "video_id = 'v4' AND kind = 'note'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vector_index, "EXACT", 20)
        vector_index.build(made)
    write(made, rows_of(rng, 10), rng)
    made.refresh()
    return made


times = st.integers(0, 70).map(lambda n: n / 2)
spans = st.builds(lambda a, d: Span(a, a + d), times, st.integers(0, 12).map(lambda n: n / 2))
names = st.lists(st.sampled_from(KINDS), max_size=2).map(tuple)
codes = st.lists(st.sampled_from(["en", "de", "fr", "en-GB"]), max_size=2).map(tuple)
scopes = st.builds(
    Scope,
    videos=st.none() | st.frozensets(st.sampled_from([*VIDEOS, "unknown"])),
    within=st.lists(
        st.dictionaries(st.sampled_from(VIDEOS), st.none() | st.lists(spans, max_size=3), max_size=4), max_size=2
    ).map(tuple),
    kinds=names,
    not_kinds=names,
    languages=codes,
    not_languages=codes,
    begin=st.none() | times,
    end=st.none() | times,
)


def by_filter(store: Store, table: str, scope: Scope, kind_column: str) -> list[int]:
    where = scope.predicate()
    if where is not None:
        where = where.replace("kind ", f"`{kind_column}` ")
    return sorted(store.table(table, ["_rowid"], where)["_rowid"].to_pylist())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scope=scopes)
def test_the_rows_are_those_of_the_filter(store: Store, scope: Scope) -> None:
    for table, kind_column in (("segments", "kind"), (schema.vector_table(SPACE), "of")):
        rows = Rows(store, table, scope, kind_column)
        data = store.dataset(table)
        found = rows.of(data)
        expected = by_filter(store, table, scope, kind_column)
        got = by_filter(store, table, Scope(), kind_column) if found is None else sorted(found.row_ids.tolist())
        assert rows.count(data) == len(got)
        if not scope.within:
            assert got == expected
            continue
        # Within stretches the set may be the smaller one: Lance is told of few stretches only. No hit may be missed.
        assert set(got) <= set(expected)
        for row in store.rows(table, ["video_id", "start", "end", "_rowid"]):
            if row["_rowid"] in expected and scope.allows(row["video_id"], Span(row["start"], row["end"])):
                assert row["_rowid"] in got


def found_by_words(store: Store, scope: Scope, query: str) -> dict[tuple[Any, ...], float]:
    units = units_of(parse(query).wanted)
    question = Question(units, needed(units), (), scope, Rows(store, "segments", scope))
    rows = look_up(store, question, 1000, every=True).rows
    return {(r["video_id"], r["kind"], r["start"], r["end"], r["text"]): r["_score"] for r in rows}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scope=scopes, query=st.sampled_from(["red", "red car", '"red sea"', "car"]))
def test_words_are_found_in_these_rows_only(store: Store, scope: Scope, query: str) -> None:
    """Also in rows that were written after the index was made."""
    everywhere = found_by_words(store, Scope(), query)
    rows = Rows(store, "segments", scope).of(store.dataset("segments"))
    columns = ["video_id", "kind", "start", "end", "text", "_rowid"]
    inside = {
        (r["video_id"], r["kind"], r["start"], r["end"], r["text"])
        for r in store.rows("segments", columns)
        if rows is None or r["_rowid"] in rows.row_ids
    }
    found = found_by_words(store, scope, query)
    assert set(found) == set(everywhere) & inside


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scope=scopes, seed=st.integers(0, 99))
def test_the_nearest_are_those_of_these_rows(store: Store, scope: Scope, seed: int) -> None:
    table = schema.vector_table(SPACE)
    vector = np.random.default_rng(seed).standard_normal(DIMENSION).astype(np.float32)
    vector /= np.linalg.norm(vector)
    among = Rows(store, table, scope, kind_column="of")
    rows = among.of(store.dataset(table))
    every = store.rows(table, ["vector", "_rowid"])
    distances = sorted(
        1 - float(np.dot(r["vector"], vector)) for r in every if rows is None or r["_rowid"] in rows.row_ids
    )
    found = [r["_distance"] for r in hybrid.nearest_rows(store, table, vector, among, 5)]
    assert found == pytest.approx(distances[:5], abs=1e-5)


def test_rows_from_memory_are_those_of_the_table(store: Store) -> None:
    for table, kind_column in (("segments", "kind"), (schema.vector_table(SPACE), "of")):
        rows, data = Rows(store, table, Scope(), kind_column), store.dataset(table)
        columns = ["video_id", "source", kind_column, "start", "end", "language", "_rowid"]
        read = {row.pop("_rowid"): row for row in store.rows(table, columns)}
        assert rows.held(data, list(read)) == read


def test_a_program_that_asks_once_reads_what_it_needs(tmp_path: Path) -> None:
    """Its results are those of a program that holds the columns in memory."""
    store = shelf.new(tmp_path)
    shelf.add(store, "v1", [(n * 20.0, n * 20.0 + 2, f"red car {n}") for n in range(20)])
    shelf.with_indexes(store)
    results = [search(store, "red car", meaning="no") for _ in range(6)]
    assert all(result == results[0] for result in results)
    once = Rows(Store(store.place), "segments", Scope())
    assert once.held(store.dataset("segments"), [0]) is None


def test_a_set_follows_the_table(tmp_path: Path) -> None:
    """Also when a reader opens a newer version in the middle of a search, in which rows have other numbers."""
    store = shelf.new(tmp_path)
    for n in range(10):
        shelf.add(store, f"v{n % 2}", [(n, n + 1.0, "red car")])
    scope = Scope(videos=frozenset({"v1"}))
    rows = Rows(store, "segments", scope)
    old = store.dataset("segments")
    assert rows.count(old) == 5
    store.delete("segments", "start < 4")
    store.dataset("segments").optimize.compact_files()
    store.refresh()
    new = store.dataset("segments")
    assert rows.count(new) == 3
    kept = new.scanner(columns=["start"], **rows.only(new)).to_table()["start"].to_pylist()
    assert sorted(kept) == [5.0, 7.0, 9.0]
    assert rows.count(old) == 5
