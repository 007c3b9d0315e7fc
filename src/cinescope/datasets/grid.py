"""GRID: faces that speak sentences of six words. The file name is the sentence; here is a real one, `bbaf2n.mpg`:

    b b a f 2 n -> bin blue at f two now

Targets are the six words; group is the speaker, where the clips lie in a folder of his or hers (s1 to s34).
"""

from __future__ import annotations

import re
from pathlib import Path

from cinescope.datasets.example import Dataset, Example, Target
from cinescope.datasets.gathering import SOUND, VIDEO, Gathering, walk
from cinescope.datasets.published import shown
from cinescope.types import BadQueryError

VERIFIED = True
VERIFIED_ON = "six clips of unnamed speakers"
CITE = "Cooke, Barker, Cunningham, Shao: An audio-visual corpus for speech perception, JASA 120(5), 2006"
LICENCE = "for research"
FILES = "s1/bbaf2n.mpg"
TARGETS = {"command, colour, preposition, letter, digit, adverb": "class", "sentence": "text"}

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# The paper, table I.
WORDS: dict[str, dict[str, str]] = {
    "command": {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    "colour": {"b": "blue", "g": "green", "r": "red", "w": "white"},
    "preposition": {"a": "at", "b": "by", "i": "in", "w": "with"},
    "letter": {letter: letter for letter in "abcdefghijklmnopqrstuvxyz"},  # no w: it has three syllables
    "digit": dict(zip("z123456789", _DIGITS, strict=True)),
    "adverb": {"a": "again", "n": "now", "p": "please", "s": "soon"},
}
_SPEAKER = re.compile(r"s\d{1,2}")


def read(folder: Path, *, media: Path | None = None, split: str | None = None) -> Dataset:
    """The clips below `folder` (or `media`); the publisher does not split."""
    place = media or folder
    if not place.is_dir():
        raise BadQueryError(f"there is no folder '{place}'", "give the folder of the clips")
    rows = Gathering("grid", split=split)
    for path in walk(place, VIDEO + SOUND):
        words = spoken(path.stem)
        if words is None:
            continue
        folders = path.relative_to(place).parts[:-1]
        speaker = next((f for f in reversed((place.name, *folders)) if _SPEAKER.fullmatch(f)), "")
        rows.add(
            Example(
                key=shown(path, place),
                media=path,
                targets={**words, "sentence": (" ".join(words.values()),)},
                group=speaker,
                about={"speaker": speaker} if speaker else {},
            )
        )
    if not rows and split is None:
        raise BadQueryError(f"'{place}' holds no clips of GRID: looked for bbaf2n.mpg and the like")
    targets = {part: Target("class", tuple(words.values())) for part, words in WORDS.items()}
    return rows.dataset({**targets, "sentence": Target("text")})


def spoken(name: str) -> dict[str, str] | None:
    """The six words of a file's name; None where it is no name of this corpus."""
    if len(name) != len(WORDS) or any(c not in words for c, words in zip(name, WORDS.values(), strict=True)):
        return None
    return {part: words[c] for c, (part, words) in zip(name, WORDS.items(), strict=True)}
