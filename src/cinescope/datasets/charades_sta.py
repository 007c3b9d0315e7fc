"""Charades-STA: when in a video is it that ... Here is a real line of charades_sta_test.txt:

    3MSZA 24.3 30.4##person turn a light on.

Video, start and end in seconds, `##`, the sentence.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from cinescope.datasets.example import Dataset, Example, Target
from cinescope.datasets.gathering import Gathering
from cinescope.datasets.published import need, read_text, stretch
from cinescope.types import BadQueryError

VERIFIED = True
VERIFIED_ON = "train (12,408 sentences) and test (3,720)"
CITE = "Gao, Sun, Yang, Nevatia: TALL, ICCV 2017, arXiv 1705.02101"
LICENCE = "for research (Charades: AI2's licence, non-commercial)"
FILES = "charades_sta_train.txt, charades_sta_test.txt"
TARGETS = {"moment": "spans, one"}


def read(folder: Path, *, media: Path | None = None, split: str | None = None) -> Dataset:
    """An example a sentence (`texts["query"]`), its video as group. Media are `{id}.mp4`."""
    rows = Gathering("charades_sta", media, split)
    found = need(folder, "Charades-STA", "charades_sta_train.txt", "charades_sta_test.txt")
    for path in sorted(found, key=lambda p: "train" not in p.name):
        part = path.stem.rsplit("_", 1)[1]
        times: Counter[str] = Counter()
        for line, text in enumerate(read_text(path).split("\n"), 1):
            if not text.strip():
                continue
            where = f"'{path.name}', line {line}"
            head, mark, sentence = text.strip().partition("##")
            words = head.split()
            if not mark or len(words) != 3:
                raise BadQueryError(f"{where}: not as 'video start end##sentence'", "correct this line")
            video, start, end = words
            example = Example(
                key=f"{part}/{video}/{times[video]}",
                split=part,
                texts={"query": sentence.strip()},
                targets={"moment": (stretch(start, end, where),)},
                group=video,
                order=times[video],
            )
            times[video] += 1
            rows.add(example, [video])
    return rows.dataset({"moment": Target("spans")})
