"""What indexing costs, and whether a large index answers at once.

    python -m benchmarks.index [--quick] [--only cost scale]

cost: every analyser over real film, against decoding alone. scale: a million segments, searched. `--quick` makes both
smaller.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time

from benchmarks.bars import Bars

PARTS = {"cost": "benchmarks.index_cost", "scale": "benchmarks.scale"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller")
    parser.add_argument("--only", nargs="+", choices=tuple(PARTS))
    arguments = parser.parse_args()
    bars = Bars()
    for name in arguments.only or PARTS:
        print(f"# {name}", flush=True)
        started = time.perf_counter()
        importlib.import_module(PARTS[name]).run(bars, arguments.quick)
        print(f"# {name} took {time.perf_counter() - started:.0f} s", flush=True)
    sys.exit(bars.finish())


if __name__ == "__main__":
    main()
