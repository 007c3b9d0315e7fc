"""FSDD: spoken digits, one a file. Here is a real one, `recordings/7_jackson_32.wav`:

    digit 7, speaker jackson, recording 32 -> key "7_jackson_32", target digit "7", group "jackson"

8 kHz, cut close to the word. Recordings 0 to 4 of each speaker and digit are the official test set; to hold out
whole speakers is the harder question, and `group` is there for it.
"""

from __future__ import annotations

import re
from pathlib import Path

from cinescope.datasets.example import Dataset, Example, Target
from cinescope.datasets.gathering import Gathering, walk
from cinescope.types import BadQueryError

VERIFIED = True
VERIFIED_ON = "all 3,000 recordings of six speakers"
CITE = "Jackson, Souza, Flaks, Pan, Nicolas, Thite: Free Spoken Digit Dataset, v1.0.8, 2018"
LICENCE = "CC BY-SA 4.0"
FILES = "recordings/{digit}_{speaker}_{index}.wav"
TARGETS = {"digit": "class, 0 to 9"}

TEST = range(5)  # the publisher's README: the first five recordings of each speaker and digit
_NAME = re.compile(r"(\d)_(.+)_(\d+)")


def read(folder: Path, *, media: Path | None = None, split: str | None = None) -> Dataset:
    """`folder` holds the recordings, at any depth; `media` may name another place of theirs."""
    place = media or folder
    if not place.is_dir():
        raise BadQueryError(f"there is no folder '{place}'", "give the folder of the recordings")
    found = [(match, path) for path in walk(place, (".wav",)) if (match := _NAME.fullmatch(path.stem))]
    if not found:
        raise BadQueryError(f"'{place}' holds no recordings: looked for 7_jackson_32.wav and the like")
    rows = Gathering("fsdd", split=split)
    for match, path in sorted(found, key=lambda f: (f[0][1], f[0][2], int(f[0][3]))):
        index = int(match[3])
        rows.add(
            Example(
                key=path.stem,
                split="test" if index in TEST else "train",
                media=path,
                targets={"digit": match[1]},
                group=match[2],
                about={"speaker": match[2], "index": index},
            )
        )
    labels = tuple(str(d) for d in range(10))
    note = "the official test set has the speakers of the training set; split by group for new speakers"
    return rows.dataset({"digit": Target("class", labels)}, [note])
