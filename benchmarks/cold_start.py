"""What a person waits for: the first search and the help, each in a fresh process, against what Python itself costs.

    python -m benchmarks.cold_start [--quick]

`cinescope search` on a small library beside importing the store and the text encoder's runtime; `cinescope --help`
beside an empty Python. The commands take turns, and medians are compared, so that a busy machine slows both sides.
Where MiniLM is on the machine, the same library is also searched with every row embedded.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.bars import Bars

# What any search must load: the store, and what will embed the query's meaning.
NEEDED = "import lance, onnxruntime, tokenizers"
KITS = ("torch", "transformers")
ROWS = 2000
_WORDS = "red car sea mountain budget invoice station garden window river teacher music light bridge answer paper"


def library(folder: Path) -> str:
    """A library of one made-up video with indexed rows."""
    from cinescope.library import upkeep
    from cinescope.library.rows import segment_row
    from cinescope.library.store import Store
    from cinescope.types import Segment, Source, Span

    place = str(folder / "library")
    store = Store.create(place)
    source = Source("made-up", "1")
    rows, vocabulary = [], _WORDS.split()
    for i in range(ROWS):
        text = " ".join(vocabulary[(i * 7 + k * (i % 5 + 1)) % len(vocabulary)] for k in range(8))
        rows.append(segment_row("ab" * 16, i, Segment(Span(i * 3.0, i * 3.0 + 3), "speech", source, text=text)))
    store.append("segments", rows)
    video = {"id": "ab" * 16, "title": "Made up", "duration": ROWS * 3.0, "probe": "{}"}
    texts = dict.fromkeys(("recorded", "language", "added", "problem"), "")
    store.append("videos", [video | texts])
    upkeep.build_indexes(store)
    return place


def embedded(place: str) -> bool:
    """Embed every row; False where no text encoder is on this machine."""
    from cinescope.features.backbones.text_encoder import TextEncoder
    from cinescope.features.models import encoders
    from cinescope.library.schema import vector_table
    from cinescope.library.store import Store

    folder = encoders().get("minilm")
    if folder is None:
        return False
    encoder = TextEncoder(folder)
    store = Store.open(place)
    space = encoder.meta.space
    store.add_space(space, encoder.meta.dimension)
    rows = store.rows("segments", ["video_id", "source", "seq", "start", "end", "text", "language"])
    texts = list(dict.fromkeys(row["text"] for row in rows))
    vectors = dict(zip(texts, encoder.encode(texts), strict=True))
    store.append(
        vector_table(space), [{**row, "of": "speech", "vector": vectors[row["text"]].tolist()} for row in rows]
    )
    return True


def command(*words: str) -> list[str]:
    """The installed command, as a person starts it."""
    beside = Path(sys.executable).with_name("cinescope")
    program = str(beside) if beside.exists() else shutil.which("cinescope")
    if program is None:
        raise SystemExit("the command cinescope is not installed; run: pip install -e .")
    return [program, *words]


def seconds(words: list[str], environment: dict[str, str]) -> float:
    begin = time.perf_counter()
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - begin
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return taken


def loaded(words: list[str], environment: dict[str, str]) -> list[str]:
    """Which learning kits the command has imported when it is done."""
    code = (
        "import sys\nsys.argv = ['cinescope', *sys.argv[1:]]\nfrom cinescope.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('KITS', *[k for k in {KITS!r} if k in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *words], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.rpartition("KITS")[2].split()


def run(bars: Bars, quick: bool = False) -> None:
    from cinescope.features.models import models_folder

    rounds = 7 if quick else 21
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place = library(folder)
        models = str(models_folder())  # before HOME is another
        environment = {**os.environ, "CINESCOPE_MODELS": models, "HOME": name, "XDG_STATE_HOME": name, "COLUMNS": "100"}
        search = ["search", "red car", "--library", place]
        turns = {
            "needed": [sys.executable, "-c", NEEDED],
            "search": command(*search),
            "python": [sys.executable, "-c", "pass"],
            "help": command("--help"),
        }
        by_meaning = str(folder / "embedded")
        shutil.copytree(place, by_meaning)
        if embedded(by_meaning):
            turns["search with meaning"] = command("search", "red car", "--library", by_meaning)
        else:
            print("MiniLM is not on this machine (cinescope models get minilm): not measured with meaning")
        taken: dict[str, list[float]] = {what: [] for what in turns}
        for round_ in range(rounds + 1):
            for what, words in turns.items():
                value = seconds(words, environment)
                if round_:  # the first fills the disk cache
                    taken[what].append(value)
        median = {what: statistics.median(values) for what, values in taken.items()}
        for what, values in taken.items():
            print(f"{what}: median {median[what]:.3f} s of {rounds}, {min(values):.3f} to {max(values):.3f}")
        bars.at_most("cold_search_ratio", median["search"] / median["needed"], 2.0)
        if "search with meaning" in median:
            bars.at_most("cold_search_with_meaning_ratio", median["search with meaning"] / median["needed"], 2.0)
        bars.at_most("help_ratio", median["help"] / median["python"], 25.0)
        for words in (["--help"], ["list", "--library", place], search):
            kits = loaded(words, environment)
            bars.equal(f"no_torch.{words[0].lstrip('-')}", ",".join(kits) or "none", "none")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="7 rounds instead of 21")
    bars = Bars()
    run(bars, parser.parse_args().quick)
    return bars.finish()


if __name__ == "__main__":
    sys.exit(main())
