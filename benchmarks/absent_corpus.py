"""About 20,000 sentences that people wrote about real videos, chosen by code. Knows the shared data sets, no search.

A passage is named `file:video:number` (`activitynet:v_bXdq2zI1Ms0:1`), so that what is written about it holds none of
its text. Which videos are taken is decided by a hash of their names: whole videos in that order until the quota of
their data set is filled. What is left over (`others`) is other videos of the same kinds.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Sentences of each data set. Most describe scenes; recipes are spoken instructions, MELD is people talking.
QUOTAS = {"activitynet": 8_500, "youcook2": 5_500, "meld": 2_500, "qvhighlights": 2_000, "charades": 1_500}
FEWEST_WORDS = 4  # shorter lines of talk ("Oh my God!") say nothing that anyone would look for


@dataclass(frozen=True, slots=True)
class Passage:
    id: str
    video: str  # with its data set, "activitynet:v_bXdq2zI1Ms0"
    text: str


def data_folder() -> Path:
    """CINESCOPE_TEST_DATA, else ../shared/data beside the checkout. FileNotFoundError where it is not there."""
    stated = os.environ.get("CINESCOPE_TEST_DATA")
    folder = Path(stated) if stated else Path(__file__).resolve().parents[2] / "shared" / "data"
    if not (folder / "annotations").is_dir():
        raise FileNotFoundError(f"there are no annotations in {folder}: set CINESCOPE_TEST_DATA")
    return folder


def corpus(folder: Path) -> list[Passage]:
    """The chosen passages, always the same ones in the same order."""
    return [p for name, read in _READERS.items() for p in _split(name, read(folder))[0]]


def others(folder: Path) -> list[Passage]:
    """Passages of the videos that were not chosen."""
    return [p for name, read in _READERS.items() for p in _split(name, read(folder))[1]]


def order(passages: list[Passage]) -> list[Passage]:
    """The same passages mixed by a hash of their names: the first n of them are a fair smaller library."""
    return sorted(passages, key=lambda p: _digest(p.id))


def _split(name: str, sentences: Iterator[tuple[str, str]]) -> tuple[list[Passage], list[Passage]]:
    videos: dict[str, list[str]] = {}
    for video, text in sentences:
        videos.setdefault(f"{name}:{video}", []).append(" ".join(text.split()))
    chosen: list[Passage] = []
    left: list[Passage] = []
    seen: set[str] = set()
    for video in sorted(videos, key=_digest):
        into = chosen if len(chosen) < QUOTAS[name] else left
        for number, text in enumerate(videos[video]):
            if len(text.split()) >= FEWEST_WORDS and text.casefold() not in seen:
                seen.add(text.casefold())
                into.append(Passage(f"{video}:{number}", video, text))
    return chosen, left


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=8).digest()


def _activitynet(folder: Path) -> Iterator[tuple[str, str]]:
    # {"v_bXdq2zI1Ms0": {"duration": 73.1, "timestamps": [[0, 10.23], ...], "sentences": ["A man is seen ...", ...]}}
    raw = json.loads((folder / "annotations/vslnet/activitynet/val_1.json").read_text(encoding="utf-8"))
    return ((video, s) for video, entry in raw.items() for s in entry["sentences"])


def _youcook2(folder: Path) -> Iterator[tuple[str, str]]:
    for part in ("train", "val"):
        file = folder / f"annotations/pdvc/data/yc2/captiondata/yc2_{part}.json"
        for video, entry in json.loads(file.read_text(encoding="utf-8")).items():
            yield from ((video, s) for s in entry["sentences"])


def _meld(folder: Path) -> Iterator[tuple[str, str]]:
    # Sr No.,Utterance,Speaker,Emotion,Sentiment,Dialogue_ID,Utterance_ID,Season,Episode,StartTime,EndTime
    with open(folder / "text_emotion/MELD/data/MELD/train_sent_emo.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield row["Dialogue_ID"], row["Utterance"].replace("\x92", "'")


def _qvhighlights(folder: Path) -> Iterator[tuple[str, str]]:
    for part in ("train", "val"):
        file = folder / f"annotations/qvhighlights/data/highlight_{part}_release.jsonl"
        for line in file.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            yield entry["vid"], entry["query"]


def _charades(folder: Path) -> Iterator[tuple[str, str]]:
    # AO8RW 0.0 6.9##a person is putting a book on a shelf.
    for line in (folder / "annotations/vslnet/charades/charades_sta_train.txt").read_text("utf-8").splitlines():
        head, _, text = line.partition("##")
        yield head.split()[0], text


_READERS: dict[str, Callable[[Path], Iterator[tuple[str, str]]]] = {
    "activitynet": _activitynet,
    "youcook2": _youcook2,
    "meld": _meld,
    "qvhighlights": _qvhighlights,
    "charades": _charades,
}


def content_words(text: str) -> frozenset[str]:
    """The stems of a text's words, stop words and single letters left out."""
    from cinescope.library.matching import STOP_WORDS
    from cinescope.library.normal import tokens
    from cinescope.library.stemming import stem

    forms = (t.form for t in tokens(text))
    return frozenset(stem(f) for f in forms if f not in STOP_WORDS and len(f) > 1)


def questions() -> dict[str, Any]:
    """`present`: query, target (a passage's id) and whether they share a content word; `absent`: queries."""
    raw: dict[str, Any] = json.loads((Path(__file__).parent / "absent_questions.json").read_text(encoding="utf-8"))
    return raw
