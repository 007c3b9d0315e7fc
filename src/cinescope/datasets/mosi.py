"""CMU-MOSI: opinions on films, an utterance at a time. Here is a real row of mosi_transcripts_train.csv:

    1DmNV9C1hbY_10,KIDS ARE GONNA LOVE THE FILM,34,1

That is video and number of the utterance, its words, how many utterances the video has, 1 for positive and 0 for
negative. Beside it lie text_train0.csv (100 features), audio_train0.csv (73) and video_train0.csv (100), a row for
each of the transcripts' rows and the label as the last column.
"""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np

from cinescope.datasets.example import Dataset, Example, Target
from cinescope.datasets.gathering import Gathering
from cinescope.datasets.published import find, need, number, read_text
from cinescope.types import BadQueryError

VERIFIED = True
VERIFIED_ON = "the 1,447 training utterances: transcripts and the three files of features"
CITE = "Zadeh et al.: MOSI, 2016, arXiv 1606.06259; features: Poria et al., ACL 2017 (bc-LSTM)"
LICENCE = "MIT (features), CMU-MOSI for research use"
FILES = "mosi_transcripts_{train,test}.csv with {text,audio,video}_{train,test}0.csv beside it"
TARGETS = {"sentiment": "class, negative or positive"}

WIDTHS = {"text": 100, "audio": 73, "video": 100}  # without the label
_LABELS = {"0": "negative", "1": "positive"}
LEAK = (
    "the published text and video features were made by networks trained on the labels of the training part: inside "
    "that part they read the label (98% and 92% by logistic regression in folds by video), so fit on all of it and "
    "measure on the test part alone"
)


def read(
    folder: Path,
    *,
    media: Path | None = None,
    split: str | None = None,
    lower: bool = False,
    features: tuple[str, ...] | None = None,
) -> Dataset:
    """An example an utterance; group is its video, order its number in it (the file has `_10` before `_2`).

    `given` has a row (1, D) for each modality whose file is there; `features` names those to read (() for none).
    `lower`: the words in lower case, for encoders that take capitals for names. `media` holds clips by their ids.
    """
    rows = Gathering("mosi", media, split)
    unknown = set(features or ()) - set(WIDTHS)
    if unknown:
        raise BadQueryError(f"CMU-MOSI has no features '{min(unknown)}'", f"it has {', '.join(WIDTHS)}")
    for path in need(folder, "transcripts of CMU-MOSI", "mosi_transcripts_*.csv", "transcripts_*.csv"):
        part = path.stem.rsplit("_", 1)[1]
        if not rows.wants(part):
            continue
        table = _table(path)
        given = {}
        for name, width in WIDTHS.items():
            if features is not None and name not in features:
                continue
            beside = find(path.parent, f"{name}_{part}0.csv", f"{name}_{part}.csv")
            if beside:
                given[name] = _features(beside[0], width, [row[3] if len(row) > 3 else "" for row in table], path)
            elif features is not None:
                need(path.parent, f"{name} features of the part '{part}'", f"{name}_{part}0.csv")
            else:
                rows.notes.append(f"the part '{part}' has no {name} features ('{name}_{part}0.csv' is not there)")
        for i, row in enumerate(table):
            example = _example(part, row, f"'{path.name}', line {i + 1}", lower)
            example = replace(example, given={name: values[i : i + 1] for name, values in given.items()})
            rows.add(example, [example.key])
    notes = [LEAK] if features is None or set(features) & {"text", "video"} else []
    return rows.dataset({"sentiment": Target("class", tuple(_LABELS.values()))}, notes)


def _table(path: Path) -> list[list[str]]:
    table = [row for row in csv.reader(io.StringIO(read_text(path), newline="")) if row]
    for line, row in enumerate(table, 1):
        if len(row) not in (3, 4):
            raise BadQueryError(
                f"'{path.name}', line {line}: {len(row)} values", "a row is id, words, number of utterances, label"
            )
    return table


def _example(part: str, row: list[str], where: str, lower: bool) -> Example:
    video, _, order = row[0].rpartition("_")
    if not video or not order.isdigit():
        raise BadQueryError(f"{where}: '{row[0]}' is not an id", "an id is a video and a number, 1DmNV9C1hbY_10")
    label = row[3].strip() if len(row) == 4 else ""
    if label and label not in _LABELS:
        raise BadQueryError(f"{where}: '{label}' is not a label", "0 is negative, 1 is positive")
    return Example(
        key=row[0],
        split=part,
        texts={"speech": row[1].lower() if lower else row[1]},
        targets={"sentiment": _LABELS[label]} if label else {},
        group=video,
        order=int(order),
        about={"utterances_of_video": int(number(row[2], where))},
    )


def _features(path: Path, width: int, labels: list[str], transcripts: Path) -> np.ndarray:
    """(N, width) float32, after checking that the rows are those of the transcripts by the label that each ends with.

    A file without that last column is taken as it stands.
    """
    table = [row for row in csv.reader(io.StringIO(read_text(path), newline="")) if row]
    if len(table) != len(labels):
        raise BadQueryError(
            f"'{path.name}' has {len(table)} rows and '{transcripts.name}' {len(labels)}", "they must be of one part"
        )
    values = np.zeros((len(table), width), np.float32)
    for i, row in enumerate(table):
        where = f"'{path.name}', line {i + 1}"
        if len(row) not in (width, width + 1):
            raise BadQueryError(f"{where}: {len(row)} values", f"it should be {width} features and the label")
        try:
            values[i] = row[:width]
        except ValueError as error:
            raise BadQueryError(f"{where}: not all values are numbers ({error})", "correct this line") from error
        if len(row) > width and labels[i] and number(row[width], where) != float(labels[i]):
            raise BadQueryError(
                f"{where}: the label is {row[width]}, and {labels[i]} in the transcripts",
                "the rows of both files must be in one order",
            )
    return values
