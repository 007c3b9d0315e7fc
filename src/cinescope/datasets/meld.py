"""MELD: utterances of the series Friends with the emotion of each. Here is a real row of train_sent_emo.csv:

    1,also I was the point person on my company’s transition from the KL-5 to GR-6 system.,Chandler,neutral,neutral,
    0,0,8,21,"00:16:16,059","00:16:21,731"

Columns: Sr No., Utterance, Speaker, Emotion, Sentiment, Dialogue_ID, Utterance_ID, Season, Episode, StartTime, EndTime.
Clips are `dia0_utt0.mp4`; each part counts its dialogues from 0 on, so clips of different parts share names.
"""

from __future__ import annotations

import re
from pathlib import Path

from cinescope.datasets.example import Dataset, Example, Target
from cinescope.datasets.gathering import Gathering
from cinescope.datasets.published import csv_rows, need, number
from cinescope.types import BadQueryError

VERIFIED = True
VERIFIED_ON = "the text of train (9,989 utterances) and dev (1,109); not the clips, not the test part"
CITE = "Poria et al.: MELD, ACL 2019, arXiv 1810.02508"
LICENCE = "GPL-3.0 (annotations)"
FILES = "train_sent_emo.csv, dev_sent_emo.csv, test_sent_emo.csv"
TARGETS = {"emotion": "class, 7", "sentiment": "class, 3"}

EMOTIONS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
SENTIMENTS = ("negative", "neutral", "positive")
# The folders of the publisher's archives.
_FOLDERS = {
    "train": ("train_splits", "train"),
    "dev": ("dev_splits_complete", "dev", "val"),
    "test": ("output_repeated_splits_test", "test"),
}
_COLUMNS = ("Utterance", "Speaker", "Emotion", "Sentiment", "Dialogue_ID", "Utterance_ID")
_TIME = re.compile(r"(\d+):(\d\d):(\d\d)[,.](\d+)")


def read(folder: Path, *, media: Path | None = None, split: str | None = None) -> Dataset:
    """An example an utterance: its words as `texts["speech"]`, its dialogue as group, its number as order.

    `media` holds the clips, which are cut already: `about` tells the times in the episode.
    """
    rows = Gathering("meld", media, split)
    paths = {path.name.split("_", 1)[0]: path for path in need(folder, "MELD", "*_sent_emo.csv")}
    for part in sorted(paths, key=lambda p: (list(_FOLDERS).index(p) if p in _FOLDERS else 9, p)):
        path = paths[part]
        text, mended = _text(path)
        if mended and rows.wants(part):
            rows.notes.append(f"'{path.name}' is not all UTF-8: quotes and dashes of Windows-1252 were mended")
        for line, row in csv_rows(path, _COLUMNS, text=text):
            rows.add(*_example(part, row, f"'{path.name}', line {line}"), _FOLDERS.get(part, (part,)))
    return rows.dataset({"emotion": Target("class", EMOTIONS), "sentiment": Target("class", SENTIMENTS)})


def _example(part: str, row: dict[str, str], where: str) -> tuple[Example, list[str]]:
    emotion, sentiment = row["Emotion"].strip().lower(), row["Sentiment"].strip().lower()
    for label, known in ((emotion, EMOTIONS), (sentiment, SENTIMENTS)):
        if label not in known:
            raise BadQueryError(f"{where}: '{label}' is not one of {', '.join(known)}", "correct this line")
    dialogue, utterance = (int(number(row[c], where)) for c in ("Dialogue_ID", "Utterance_ID"))
    name = f"dia{dialogue}_utt{utterance}"
    about: dict[str, object] = {"speaker": row["Speaker"].strip()}
    about |= {c.lower(): int(row[c]) for c in ("Season", "Episode") if row.get(c, "").strip().isdigit()}
    about |= {c: t for c in ("StartTime", "EndTime") if (t := _seconds(row.get(c, ""))) is not None}
    return (
        Example(
            key=f"{part}/{name}",
            split=part,
            texts={"speech": row["Utterance"].strip()},
            targets={"emotion": emotion, "sentiment": sentiment},
            group=f"{part}/dia{dialogue}",
            order=utterance,
            about=about,
        ),
        [name],
    )


def _seconds(text: str) -> float | None:
    match = _TIME.fullmatch(text.strip())
    if not match:
        return None
    hours, minutes, seconds, fraction = match.groups()
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction}")


def _text(path: Path) -> tuple[str, bool]:
    """Some copies of the files have the quotes of Windows-1252: as bytes, or as the control characters U+0080 on."""
    data = path.read_bytes()
    mended = False
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text, mended = data.decode("cp1252", errors="replace"), True
    if re.search("[\x80-\x9f]", text):
        text = re.sub("[\x80-\x9f]", lambda m: m[0].encode("latin-1").decode("cp1252", errors="replace"), text)
        mended = True
    return text, mended
