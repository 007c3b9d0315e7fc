"""Kill an index run at random points, let it go on, and compare with one that was never killed.

    python -m benchmarks.interrupt [--quick] [--kills 30] [--seed 0]

Half of the kills come at a random time, half at a random write of the store (before or after it: rows, ledger,
compaction, index build, clean-up). A run that outlives its kill is compared with the reference and begun anew, so that
every kill hits a run at work. SIGKILL, so nothing is tidied up. Every analyser that can run on this machine does
(MiniLM included where it was fetched), and all that they made is compared: segments, pictures, prints, vectors.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.bars import Bars
from benchmarks.everything import everything

QUERIES = ("country", "earth", "tears OR space", "what can you do", "bunny", "the")
CLIPS = (
    "torchcodec__nasa_13013.mp4",
    "moviepy__chaplin.mp4",
    "pyscenedetect__fades.mp4",
    "video-llama__birthday.mp4",
    "mmaction2__demo.mp4",
)
_NOT_MADE = ("meta", "videos", "locations", "notes", "ledger")  # not by analysers; the times of writing are in them
STRETCH = 6.0  # seconds, shorter than the 60 of the real thing, so that there are more commits to kill


def _child(place: str, folder: str, point: int) -> None:
    """One index run; with `point` >= 0 it kills itself at that write of the store."""
    from cinescope.library import analysis, ingest, upkeep
    from cinescope.library.store import Store

    analysis.STRETCH = STRETCH
    upkeep.COMMITS_BETWEEN_TIDIES = 3
    count = 0

    def die(at_least: int) -> None:
        nonlocal count
        count += 1
        if 0 <= at_least <= count:
            os.kill(os.getpid(), signal.SIGKILL)

    def deadly(function: Any) -> Any:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            die(point)
            result = function(*args, **kwargs)
            die(point)
            return result

        return wrapped

    for name in ("append", "upsert", "delete", "forget_versions"):
        setattr(Store, name, deadly(getattr(Store, name)))
    upkeep.build_indexes = deadly(upkeep.build_indexes)
    upkeep.tidy = deadly(upkeep.tidy)
    store = Store.open(place) if Store(place).schema_version() is not None else Store.create(place)
    report = ingest.index(store, folder, only=everything())
    print(f"twice {report.decoded_twice:.1f} media {report.media_seconds:.1f} problems {len(report.problems)}")


def _run(place: Path, folder: Path, point: int = -1, kill_after: float | None = None) -> tuple[bool, str]:
    """(whether it ended by itself, what it said)."""
    command = [sys.executable, "-m", "benchmarks.interrupt", "--child", str(place), str(folder), str(point)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            said, errors = process.communicate(timeout=kill_after)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return False, ""
    if process.returncode not in (0, -signal.SIGKILL):
        raise RuntimeError(f"the index run failed: {errors[-2000:]}")
    return process.returncode == 0, said


def _content(place: Path) -> tuple[list[Any], list[Any]]:
    """All rows with all their columns, and the hits of some queries."""
    from cinescope.library.search import search
    from cinescope.library.store import Store

    store = Store.open(str(place))
    made = [t for t in store.tables() if t not in _NOT_MADE]
    rows = sorted(f"{t} {sorted(r.items())!r}" for t in made for r in store.rows(t))
    hits = []
    for query in QUERIES:
        found = search(store, query, limit=50)
        hits.append(
            [(m.video_id, round(m.span.start, 3), round(m.span.end, 3), len(m.evidence)) for m in found.moments]
        )
    return rows, [sorted(h) for h in hits]


def run(bars: Bars, quick: bool = False, kills: int | None = None, seed: int = 0) -> None:
    kills = kills or (6 if quick else 30)
    chance = random.Random(seed)
    data = Path(os.environ.get("CINESCOPE_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "films"
        folder.mkdir()
        for name in CLIPS[: 3 if quick else None]:
            shutil.copy(data / "media" / name, folder / name)
        started = time.perf_counter()
        whole = Path(work) / "whole"
        _, said = _run(whole, folder)
        seconds = time.perf_counter() - started
        print(f"with {', '.join(everything())}")
        rows, hits = _content(whole)
        tables = Counter(line.split()[0] for line in rows)
        print(f"reference: {seconds:.1f} s, {said.strip()}; {dict(tables)}")
        done = again = rounds = different_rows = different_hits = 0
        twice = 0.0
        writes = 60
        place = Path(work) / "killed-0"
        while done < kills:
            if chance.random() < 0.5:
                ended, said = _run(place, folder, kill_after=chance.uniform(0.4, seconds))
            else:
                ended, said = _run(place, folder, point=chance.randrange(1, writes))
            if not ended:
                done += 1
                continue
            again += 1
            twice += float(said.split()[1])
            different_rows, different_hits = _differ(place, rows, hits, different_rows, different_hits)
            rounds += 1
            place = Path(work) / f"killed-{rounds}"
        if place.exists():
            _, said = _run(place, folder)
            twice += float(said.split()[1])
            different_rows, different_hits = _differ(place, rows, hits, different_rows, different_hits)
            rounds += 1
        started = time.perf_counter()
        _, said = _run(place if place.exists() else whole, folder)
        idle = time.perf_counter() - started
        print(
            f"{done} kills over {rounds} libraries of {len(rows)} rows; decoded twice in the last runs: {twice:.1f} s"
        )
        print(f"a run with nothing to do: {idle:.1f} s, {said.strip()}")
        bars.equal("interrupt_kills", done, kills)
        bars.equal("interrupt_libraries_with_other_rows", different_rows, 0)
        bars.equal("interrupt_libraries_with_other_hits", different_hits, 0)
        bars.equal("interrupt_idle_media_seconds", float(said.split()[3]), 0.0)
        bars.at_most("interrupt_idle_seconds", round(idle, 1), 10)


def _differ(place: Path, rows: list[Any], hits: list[Any], rows_bad: int, hits_bad: int) -> tuple[int, int]:
    got_rows, got_hits = _content(place)
    for line in sorted(set(got_rows) ^ set(rows))[:4]:
        print("  differs:", line[:300])
    return rows_bad + (got_rows != rows), hits_bad + (got_hits != hits)


def main() -> None:
    if "--child" in sys.argv:
        at = sys.argv.index("--child")
        _child(sys.argv[at + 1], sys.argv[at + 2], int(sys.argv[at + 3]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    bars = Bars()
    run(bars, arguments.quick, arguments.kills, arguments.seed)
    sys.exit(bars.finish())


if __name__ == "__main__":
    main()
