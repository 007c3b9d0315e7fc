"""Tables and shards of one's own: what is read of them, and what is said of those that are wrong."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.datasets.dataset_files import array, shard, tone, write

from cinescope.datasets import DATASETS
from cinescope.datasets.example import Dataset
from cinescope.datasets.shards import expand
from cinescope.types import BadQueryError, CinescopeError, Span

in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
text = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
label = st.sampled_from(["joy", "fear", "no, never", 'so "called"', "déjà vu"])


def read(name: str, path: Path, **more: object) -> Dataset:
    made: Dataset = DATASETS.create(name, path, **more)
    return made


@in_one_folder
@given(rows=st.lists(st.tuples(text, label, st.integers(0, 99)), min_size=1, max_size=8))
def test_a_csv_gives_back_what_was_written(tmp_path: Path, rows: list[tuple[str, str, int]]) -> None:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["text", "emotion", "order"])
    table.writerows(rows)
    path = tmp_path / "rows.csv"
    path.write_bytes(out.getvalue().encode())
    made = read("csv_file", path)
    assert [e.texts.get("speech", "") for e in made.examples] == [t.strip() for t, _, _ in rows]
    assert [e.targets["emotion"] for e in made.examples] == [one for _, one, _ in rows]
    assert [e.order for e in made.examples] == [n for _, _, n in rows]


@in_one_folder
@given(
    rows=st.lists(st.fixed_dictionaries({"text": text, "labels": st.lists(label, max_size=3)}), min_size=1, max_size=8)
)
def test_json_lines_give_back_what_was_written(tmp_path: Path, rows: list[dict[str, object]]) -> None:
    path = write(tmp_path / "rows.jsonl", "\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    made = read("jsonl_file", path, targets={"labels": "classes"})
    assert [e.targets["labels"] for e in made.examples] == [tuple(r["labels"]) for r in rows]  # type: ignore[arg-type]


@in_one_folder
@given(
    data=st.binary(max_size=60)
    | st.lists(
        st.sampled_from(["path", "text", "label", ",", '"', "\n", "start", "end", "1", "-3", "{", "}", "[", "]", ":",
                         "|", "null", "true", "1e999", "\r", "\x00", "é", "\u2028", "key",
                         '"text"', '"label"', '"spans"']),
        max_size=40,
    ).map(lambda parts: "".join(parts).encode())
)  # fmt: skip
def test_anything_is_read_or_refused_in_a_sentence(tmp_path: Path, data: bytes) -> None:
    for name, file in (("csv_file", "a.csv"), ("jsonl_file", "a.jsonl"), ("webdataset", "a.tar")):
        path = tmp_path / file
        path.write_bytes(data)
        with contextlib.suppress(CinescopeError):  # and nothing else
            read(name, path)


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        ("line 3: 3 values for 2 columns", ["text,label", "a,b", "a,b,c"]),
        ("line 2: 'soon' is not a time", ["text,start,end,label", "a,soon,3,x"]),
        ("line 3: it ends at 1 s, before it starts at 2 s", ["text,start,end,label", "a,0,1,x", "a,2,1,x"]),
        ("line 2: a start and no end", ["text,start,end,label", "a,2,,x"]),
        ("line 3, score: 'high' is not a number", ["text,score", "a,1.5", "a,high"]),
        ("line 2: no path", ["path,label", ",x"]),
        ("two columns 'label'", ["label,label", "a,b"]),
        ("has no rows", ["text,label"]),
        ("is empty", [""]),
    ],
)
def test_a_csv_that_is_wrong_is_told_by_its_line(tmp_path: Path, said: str, lines: list[str]) -> None:
    path = write(tmp_path / "rows.csv", "\n".join(lines))
    with pytest.raises(BadQueryError, match=said):
        read("csv_file", path, targets={"score": "score"} if "score" in lines[0] else None)


def test_a_line_after_a_line_break_in_quotes_has_its_own_number(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", 'text,label\n"two\nlines",x\na,b,c\n')
    with pytest.raises(BadQueryError, match="line 4"):
        read("csv_file", path)


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("line 2: not JSON", "{"),
        ("line 2: not a JSON object", "[1]"),
        ("line 2, moments: 3 is no stretch", '{"text": "a", "moments": [3]}'),
        ("line 2, moments: it ends at 1 s", '{"text": "a", "moments": [[2, 1]]}'),
        ("line 2: '1e999' is not a time|not a time", '{"text": "a", "start": 1e999, "end": 3}'),
    ],
)
def test_json_lines_that_are_wrong_are_told_by_their_line(tmp_path: Path, said: str, line: str) -> None:
    path = write(tmp_path / "rows.jsonl", '{"text": "x", "moments": [[1, 2]]}\n' + line + "\n")
    with pytest.raises(BadQueryError, match=said):
        read("jsonl_file", path, targets={"moments": "spans"})


def test_kinds_are_guessed_and_columns_told(tmp_path: Path) -> None:
    (tmp_path / "media").mkdir()
    tone(tmp_path / "media" / "talk.wav")
    path = write(
        tmp_path / "rows.csv",
        "path;begin;end;utterance;label;score;labels_more;who\n"
        "talk.wav;0:01;2,5;what a day;3;0.5;a|b;ann\n"
        "talk.wav;;;oh;7;2;b;ben\n"
        "gone.wav;;;oh;7;2;;ben\n".replace("2,5", "2.5"),
    )
    made = read("csv_file", path, media=tmp_path / "media", columns={"start": "begin", "group": "who"})
    assert {n: t.kind for n, t in made.targets.items()} == {
        "label": "class",
        "score": "score",
        "labels_more": "classes",
    }
    one, two = made.examples
    assert one.span == Span(1.0, 2.5)
    assert two.span is None
    assert one.targets == {"label": "3", "score": 0.5, "labels_more": ("a", "b")}
    assert (one.group, one.texts) == ("ann", {"speech": "what a day"})
    assert [m.what for m in made.missing] == ["gone.wav"]
    with pytest.raises(BadQueryError, match="no column 'mood'"):
        read("csv_file", path, targets=["mood"])
    with pytest.raises(BadQueryError, match="'colour' is no kind"):
        read("csv_file", path, targets={"label": "colour"})


def test_a_path_of_another_folder_is_not_taken_for_the_one_asked_for(tmp_path: Path) -> None:
    tone(tmp_path / "b" / "1.wav")
    made = read("csv_file", write(tmp_path / "rows.csv", "path,label\na/1.wav,x\nb/1.wav,y\n"))
    assert [e.targets["label"] for e in made.examples] == ["y"]
    assert [m.what for m in made.missing] == ["a/1.wav"]


def test_two_files_of_one_name_are_not_chosen_between(tmp_path: Path) -> None:
    tone(tmp_path / "m" / "a" / "1.wav")
    tone(tmp_path / "m" / "b" / "1.wav")
    path = write(tmp_path / "rows.csv", "path,label\n1.wav,x\n")
    with pytest.raises(BadQueryError, match=r"may be 'a/1\.wav' or 'b/1\.wav'"):
        read("csv_file", path, media=tmp_path / "m")


def test_braces_name_shards() -> None:
    assert expand("t-{008..010}.tar") == ["t-008.tar", "t-009.tar", "t-010.tar"]
    assert expand("{a,b}-{0..1}.tar") == ["a-0.tar", "a-1.tar", "b-0.tar", "b-1.tar"]
    for wrong in ("{3..1}.tar", "{x}.tar", "{0..999999999}.tar"):
        with pytest.raises(BadQueryError):
            expand(wrong)


@given(first=st.integers(0, 500), more=st.integers(0, 40), width=st.integers(1, 6))
def test_a_range_has_each_number_once(first: int, more: int, width: int) -> None:
    names = expand(f"s{{{first:0{width}d}..{first + more:0{width}d}}}.tar")
    assert len(set(names)) == more + 1
    assert [int(n[1:-4]) for n in names] == list(range(first, first + more + 1))


@in_one_folder
@given(
    keys=st.lists(st.from_regex(r"[a-z0-9_/]{1,8}[a-z0-9]", fullmatch=True), min_size=1, max_size=6, unique=True),
    cut=st.floats(0.05, 0.95),
)
def test_samples_come_back_whole_and_a_cut_shard_never_in_silence(tmp_path: Path, keys: list[str], cut: float) -> None:
    keys = [k for k in keys if "//" not in k and not k.startswith("/") and not k.split("/")[-1].startswith("__")]
    if not keys:
        return
    members = {}
    for i, key in enumerate(keys):
        members |= {f"{key}.cls": str(i % 3).encode(), f"{key}.txt": f"text {i}".encode()}
    path = shard(tmp_path / "train-0.tar", members)
    made = read("webdataset", path)
    assert [e.key for e in made.examples] == [f"train-0/{k}" for k in keys]
    assert [e.texts["speech"] for e in made.examples] == [f"text {i}" for i in range(len(keys))]
    whole = path.read_bytes()
    short = tmp_path / "cut-0.tar"
    short.write_bytes(whole[: int(len(whole.rstrip(b"\0")) * cut)])
    try:
        left = read("webdataset", short)
    except BadQueryError:
        return
    assert any("no end mark" in note for note in left.notes)


def test_shards_hold_media_labels_words_and_features(tmp_path: Path) -> None:
    sound = tone(tmp_path / "t.wav").read_bytes()
    shard(
        tmp_path / "s" / "val-000.tar",
        {
            "a.b/talk_1.wav": sound,
            "a.b/talk_1.json": b'{"speaker": "ann", "split": "train", "emotion": "joy"}',
            "a.b/talk_1.video.npy": array(np.ones(4)),
            "__meta.txt": b"not a sample",
            "README": b"no ending",
        },
    )
    made = read("webdataset", tmp_path / "s")
    (one,) = made.examples
    assert (one.key, one.split, one.group) == ("val-000/a.b/talk_1", "val", "ann")
    assert one.targets == {"emotion": "joy"}
    assert one.given["video"].shape == (1, 4)
    assert one.clip is not None
    waveform = one.clip().waveform
    assert waveform is not None
    assert waveform.duration == pytest.approx(0.3, abs=0.01)
    assert any("without an ending" in note for note in made.notes)
    kept = read("webdataset", tmp_path / "s", unpack=tmp_path / "kept").examples[0]
    assert kept.media is not None
    assert kept.media.read_bytes() == sound


def test_shards_that_are_wrong(tmp_path: Path) -> None:
    shard(tmp_path / "a-0.tar", {"x.cls": b"1"})
    with pytest.raises(BadQueryError, match=r"the shard 'a-1\.tar' is not in"):
        read("webdataset", tmp_path / "a-{0..1}.tar")
    shard(tmp_path / "p" / "p.tar", {"x.npy": array(np.array(["text"]))})
    with pytest.raises(BadQueryError, match="features are numbers"):
        read("webdataset", tmp_path / "p")
    import gzip

    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "z.tar").write_bytes(gzip.compress((tmp_path / "a-0.tar").read_bytes()))
    with pytest.raises(BadQueryError, match="unpack it"):
        read("webdataset", tmp_path / "z")
    outside = shard(tmp_path / "o" / "o.tar", {"../../evil.wav": b"x"})
    with pytest.raises(BadQueryError, match="leads out of its folder"):
        read("webdataset", outside, unpack=tmp_path / "kept")
