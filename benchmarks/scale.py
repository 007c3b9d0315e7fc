"""Does a library of 1,000,000 segments answer at once?

    python -m benchmarks.scale [--quick] [--keep FOLDER] [--plot FILE] [--sizes 10000 100000 1000000]

Libraries of three sizes (scale_library.py says of what) are made in the temporary folder, which needs 6 GB, and asked
in processes of their own (scale_measure.py): warm, with words, by meaning and both; under filters that keep 0.1%, 1%
and 50%; cold, as `cinescope search` in a new process, with the library's files in the disk cache and without. `--quick`
leaves out the largest. `--keep` makes them there, leaves them, and takes those that are there already. `--plot` draws
the figures (needs matplotlib). Needs MiniLM and the shared data. In a small library 0.1% of the films is less than one:
then one film is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.bars import Bars
from benchmarks.cold_start import NEEDED, command

SIZES = (10_000, 100_000, 1_000_000)
QUESTION = "dog running on the beach"
COLD_ROUNDS = 3
_MB = 1 << 20


def made(place: Path, size: int) -> dict[str, Any]:
    """Seconds, megabytes on disk, and the memory of a process that makes a library."""
    notes = place.with_suffix(".json")
    if notes.is_file() and (place / "meta.lance").is_dir():
        kept: dict[str, Any] = json.loads(notes.read_text(encoding="utf-8"))
        return kept
    shutil.rmtree(place, ignore_errors=True)
    found = _in_process("make", str(place), str(size))
    found["disk_mb"] = sum(f.stat().st_size for f in place.rglob("*") if f.is_file()) / _MB
    notes.write_text(json.dumps(found), encoding="utf-8")
    return found


def _in_process(*words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale", "--part", *words], stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        raise SystemExit(f"{words[0]} ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def part(name: str, place: Path, size: int) -> dict[str, Any]:
    """What is done in a process of its own."""
    if name == "measure":
        from benchmarks.scale_measure import measure

        return measure(place)
    import resource

    from benchmarks.absent import embedded, encoder
    from benchmarks.absent_corpus import corpus, data_folder, order
    from benchmarks.scale_library import make

    passages = order(corpus(data_folder()))
    sentences = embedded(passages, "absent-corpus")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _, times = make(place, size, passages, sentences, encoder().meta.space)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return asdict(times) | {"total": times.total, "peak_mb": peak / 1024, "peak_before_mb": before / 1024}


def cold(place: Path) -> dict[str, float]:
    """Seconds of `cinescope search` in a new process, medians, and its largest memory in megabytes."""
    found: dict[str, list[float]] = {"needed": [], "cold": [], "cold_filtered": [], "no_cache": [], "peak_mb": []}
    narrowed = [*command("search", QUESTION, "tag:some5"), "--library", str(place)]
    plain = [*command("search", QUESTION), "--library", str(place)]
    for _ in range(COLD_ROUNDS):
        found["needed"].append(_seconds([sys.executable, "-c", NEEDED])[0])
        taken, peak = _seconds(plain)
        found["cold"].append(taken)
        found["peak_mb"].append(peak)
        found["cold_filtered"].append(_seconds(narrowed)[0])
        forget(place)
        found["no_cache"].append(_seconds(plain)[0])
    return {name: statistics.median(values) for name, values in found.items()}


def forget(place: Path) -> None:
    """Take the library's files out of the disk cache, as they are after a restart."""
    if not hasattr(os, "posix_fadvise"):
        return
    os.sync()
    for file in place.rglob("*"):
        if file.is_file():
            opened = os.open(file, os.O_RDONLY)
            os.posix_fadvise(opened, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(opened)


def _seconds(words: list[str]) -> tuple[float, float]:
    """Seconds and megabytes of a command."""
    begun = time.perf_counter()
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):  # 1: no hits
        raise SystemExit(f"{' '.join(words)} ended with {child.returncode}")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024


def name_of(size: int) -> str:
    return f"{size // 1_000_000}m" if size >= 1_000_000 else f"{size // 1_000}k"


def report(size: int, figures: dict[str, Any]) -> None:
    built, warm, start = figures["built"], figures["warm"], figures["cold"]
    lines = [
        f"{size:,} segments: built in {built['total']:.0f} s (rows {built['rows']:.0f}, vectors "
        f"{built['vectors']:.0f}, indexes {built['indexes']:.0f}); {built['disk_mb']:.0f} MB, peak memory "
        f"{built['peak_mb']:.0f} MB",
        f"  warm, medians: words {warm['words']:.0f} ms, meaning {warm['vectors']:.0f} ms, both {warm['hybrid']:.0f} "
        f"ms (95%: {warm['hybrid_p95']:.0f}; processor {warm['hybrid_cpu']:.0f} ms)",
        f"  Lance alone: words {warm['bare_words']:.0f} ms, vectors {warm['bare_vectors']:.0f} ms",
        f"  recall@10 {warm['recall']['all']:.4f}; peak memory {warm['peak_mb']:.0f} MB; load {warm['load']:.1f}",
    ]
    for share, value in warm["filtered"].items():
        slow, recall = warm["filtered_p95"][share], warm["recall"][share]
        lines.append(
            f"  keeping {share}: {value:.0f} ms (95%: {slow:.0f}; processor {warm['filtered_cpu'][share]:.0f} ms), "
            f"recall@10 {recall:.4f}"
        )
    lines.append(
        f"  cold: {start['cold']:.2f} s, filtered {start['cold_filtered']:.2f} s, without the disk cache "
        f"{start['no_cache']:.2f} s, peak {start['peak_mb']:.0f} MB (importing what is needed: {start['needed']:.2f} s)"
    )
    print("\n".join(lines), flush=True)


def bars_of(bars: Bars, size: int, warm: dict[str, Any]) -> None:
    name = f"scale.{name_of(size)}"
    bars.at_most(f"{name}.hybrid_ms", warm["hybrid"], 50.0)
    for share, value in warm["filtered"].items():
        bars.at_most(f"{name}.keeping_{share}_ms", value, 100.0)
    for what, value in warm["recall"].items():
        bars.at_least(f"{name}.recall10_{what}", value, 0.95)


def run(
    bars: Bars, quick: bool = False, keep: Path | None = None, plot: Path | None = None, sizes: Any = SIZES
) -> None:
    with tempfile.TemporaryDirectory(prefix="cinescope-scale-") as temporary:
        folder = keep if keep is not None else Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        figures: dict[int, dict[str, Any]] = {}
        for size in sizes[:-1] if quick and len(sizes) > 1 else sizes:
            place = folder / name_of(size)
            built = made(place, size)
            figures[size] = {"built": built, "warm": _in_process("measure", str(place), str(size)), "cold": cold(place)}
            report(size, figures[size])
            bars_of(bars, size, figures[size]["warm"])
            if keep is None:
                shutil.rmtree(place)
        if plot is not None:
            from benchmarks.scale_plot import draw

            draw(figures, plot)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="without the largest library")
    parser.add_argument("--keep", type=Path, help="make the libraries in this folder and leave them there")
    parser.add_argument("--plot", type=Path, help="draw the figures into this SVG")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--part", nargs=3, metavar=("NAME", "PLACE", "SIZE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part:
        name, place, size = arguments.part
        print(json.dumps(part(name, Path(place), int(size))))
        return 0
    bars = Bars()
    run(bars, arguments.quick, arguments.keep, arguments.plot, arguments.sizes)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
