"""The tables of a library and their version. Knows columns; knows nothing about files, locks or queries.

Machine rows (`segments`, `thumbs`, vectors, `ledger`) and what people write (`notes`) are apart. A machine row is named
by (video_id, source, seq): `source` is the analyser's key (name, version, settings), `seq` counts what it made of one
video, whichever table it lies in.
The ledger row of (video_id, source) says how far its analysis is committed; rows at or past its `next_seq` are
leftovers of a killed run and are deleted before the analysis goes on.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

VERSION = 1

# column -> options of the Lance inverted index. Two word indexes, because a fuzzy match on stemmed terms loses typing
# errors; ICU cuts words in every script; Chinese, Japanese and Korean are also indexed as overlapping pairs of
# characters, which need no dictionary.
WORD_INDEXES: dict[str, dict[str, Any]] = {
    "plain": {"base_tokenizer": "icu", "stem": False, "remove_stop_words": False, "with_position": True},
    "stems": {"base_tokenizer": "icu", "stem": True, "remove_stop_words": False, "with_position": True},
    "pairs": {
        "base_tokenizer": "whitespace",
        "stem": False,
        "remove_stop_words": False,
        "ascii_folding": False,
        "with_position": True,
    },
}
SCALAR_INDEXES: dict[str, str] = {"video_id": "BTREE", "kind": "BITMAP"}


@cache
def tables() -> dict[str, Any]:
    """Table name -> pyarrow schema. A function, so that importing this module does not import pyarrow."""
    import pyarrow as pa

    string, f64, i64, flag = pa.string(), pa.float64(), pa.int64(), pa.bool_()
    word = pa.struct([("text", string), ("start", f64), ("end", f64), ("score", pa.float32())])
    columns: dict[str, list[tuple[str, Any]]] = {
        "meta": [("key", string), ("value", string)],
        "videos": [
            ("id", string),
            ("title", string),
            ("duration", f64),
            ("recorded", string),
            ("language", string),
            ("added", string),  # ISO 8601, UTC
            ("probe", string),  # the whole Video as JSON
            ("problem", string),  # why it could not be read, "" when it could
        ],
        "locations": [
            ("video_id", string),
            ("path", pa.binary()),  # os.fsencode: a name need not be UTF-8
            ("name", string),  # for people
            ("root", pa.binary()),  # the folder or file that was given to index
            ("size", i64),
            ("modified_ns", i64),
            ("inode", i64),
            ("state", string),  # here, offline, gone
            ("seen", string),
        ],
        "segments": [
            ("video_id", string),
            ("source", string),
            ("seq", i64),
            ("kind", string),
            ("start", f64),
            ("end", f64),
            ("text", string),  # verbatim: as people corrected it, else as the machine had it
            ("plain", string),  # the text normalised: indexed as words
            ("stems", string),  # the same text where it is (or may be) English, "" elsewhere: indexed stemmed
            ("pairs", string),  # pairs of CJK characters, "" where there are none
            ("machine_text", string),  # the machine's words where a person corrected them, else ""
            ("words", pa.list_(word)),
            ("language", string),
            ("who", string),
            ("score", pa.float32()),
            ("box", pa.list_(pa.float32())),
            ("data", string),  # JSON
        ],
        "thumbs": [
            ("video_id", string),
            ("source", string),
            ("seq", i64),
            ("time", f64),
            ("jpeg", pa.binary()),
        ],
        "notes": [
            ("id", string),
            ("video_id", string),
            ("kind", string),
            ("text", string),
            ("start", f64),  # null: the whole video
            ("end", f64),
            ("author", string),
            ("created", string),
            ("about", string),
        ],
        "ledger": [
            ("video_id", string),
            ("source", string),
            ("analyser", string),
            ("version", string),
            ("settings", string),  # JSON
            ("inputs", string),  # hash of side files that it read, "" for none
            ("done_until", f64),  # seconds of media committed
            ("next_seq", i64),
            ("complete", flag),
            ("state", pa.binary()),  # of the analyser, when not complete
            ("problem", string),
            ("updated", string),
        ],
    }
    return {name: pa.schema(fields) for name, fields in columns.items()}


# By what pictures and sounds are known again. A library has this table once it was indexed with prints.
PRINTS = "prints"


def prints_schema() -> Any:
    """Rows of prints: a stretch of at most 20 s each (`analysers/picture_print.py`, `analysers/sound_print.py`)."""
    import pyarrow as pa

    string, f64, raw = pa.string(), pa.float64(), pa.binary()
    return pa.schema(
        [
            ("video_id", string),
            ("source", string),
            ("seq", pa.int64()),
            ("of", string),  # picture or sound
            ("start", f64),
            ("end", f64),
            ("aspect", f64),  # width / height, 0 for sound
            ("print", raw),  # every print of the stretch: read whole to find candidates
            ("points", raw),  # recognisable points of its pictures: read of candidates only
        ]
    )


def vector_table(space: str) -> str:
    """The table of one embedding space (model and version). Spaces lie side by side and are never compared."""
    return "vectors_" + re.sub(r"[^A-Za-z0-9]+", "-", space)


def vector_schema(dimension: int) -> Any:
    """Rows of one embedding space: what the vector stands for, and the vector, of length 1."""
    import pyarrow as pa

    string, f64 = pa.string(), pa.float64()
    return pa.schema(
        [
            ("video_id", string),
            ("source", string),
            ("seq", pa.int64()),
            ("of", string),  # what was embedded: speech, screen, picture ...
            ("start", f64),
            ("end", f64),
            ("text", string),  # the passage, "" for a picture
            ("language", string),
            ("vector", pa.list_(pa.float32(), dimension)),
        ]
    )
