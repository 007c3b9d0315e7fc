"""Is a sound nearest to other sounds of the same voice and microphone? Recorded digits of six speakers.

The shared clips have only six stretches of sound whose like is known, too few to say much. Here each speaker's digits
are strung together, 40 s of some recordings and 40 s of others; each 4 s of the first must be nearer to some 4 s of the
second than to anything of the other speakers and of the shared clips. Nothing was set on these recordings.
"""

from __future__ import annotations

import tempfile
import wave
from pathlib import Path
from typing import Any

import numpy as np

SECONDS = 40.0
RATE = 8_000


def strung(files: list[Path], out: Path) -> None:
    """The recordings one after the other, for SECONDS, as one file."""
    parts, count = [], 0
    for file in files:
        with wave.open(str(file)) as opened:
            assert (opened.getframerate(), opened.getnchannels(), opened.getsampwidth()) == (RATE, 1, 2)
            parts.append(opened.readframes(opened.getnframes()))
        count += len(parts[-1]) // 2
        if count >= SECONDS * RATE:
            break
    assert count >= SECONDS * RATE, out
    with wave.open(str(out), "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(RATE)
        written.writeframes(b"".join(parts)[: round(SECONDS * RATE) * 2])


def voices(data: Path, strangers: np.ndarray) -> tuple[int, int]:
    """(stretches whose nearest is the same voice, all stretches); `strangers`: vectors of other recordings (N, D)."""
    import cinescope
    from cinescope.analysers import sound_print
    from cinescope.library import schema

    files = sorted((data / "spoken_digits").glob("*.wav"))
    speakers = sorted({file.stem.split("_")[1] for file in files})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for speaker in speakers:
            own = [f for f in files if f.stem.split("_")[1] == speaker]
            for half in (0, 1):
                # Every digit in both halves, by the parity of the recording's number.
                strung(
                    sorted((f for f in own if int(f.stem.split("_")[2]) % 2 == half), key=_shuffled),
                    folder / f"{speaker}-{half}.wav",
                )
        lib = cinescope.open(folder / "lib")
        report = lib.index(*(folder / f"{s}-{h}.wav" for s in speakers for h in (0, 1)), only=["sound_print"])
        assert not report.problems, report.problems
        names = {v.id: Path(v.path).stem for v in lib.videos()}
        rows: list[dict[str, Any]] = lib.store.rows(
            schema.vector_table(sound_print.SPACE), ["video_id", "start", "vector"]
        )
        of = [names[r["video_id"]] for r in rows]
        vectors = np.array([r["vector"] for r in rows], np.float32)
        right = asked = 0
        for i, name_ in enumerate(of):
            speaker, _, half_ = name_.partition("-")
            if half_ != "0":
                continue
            own_rows = [j for j, other in enumerate(of) if other == f"{speaker}-1"]
            other_rows = [j for j, other in enumerate(of) if other.partition("-")[0] != speaker]
            far = max(float((vectors[other_rows] @ vectors[i]).max()), float((strangers @ vectors[i]).max()))
            asked += 1
            right += float((vectors[own_rows] @ vectors[i]).max()) > far
    return right, asked


def _shuffled(file: Path) -> str:
    """An order in which digits mix: by the recording's number, then the digit."""
    digit, _, number = file.stem.split("_")
    return f"{int(number):03d}{digit}"
