"""Everything that the library and its search claim, one after the other.

    python -m benchmarks.search [--quick] [--only speech titles interrupt removal cold_start install]

speech: words that are recognised (word error with intervals). titles: on-screen text found again. interrupt: killed
runs end with the same rows. removal: no byte stays. cold_start: the command line starts quickly and without torch.
install: the default install is small and works (needs a package index; left out of --quick).
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time

from benchmarks.bars import Bars

PARTS = ("speech", "titles", "interrupt", "removal", "cold_start", "install")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller, and without the install")
    parser.add_argument("--only", nargs="+", choices=PARTS)
    arguments = parser.parse_args()
    bars = Bars()
    for name in arguments.only or (p for p in PARTS if not (arguments.quick and p == "install")):
        print(f"# {name}", flush=True)
        started = time.perf_counter()
        importlib.import_module(f"benchmarks.{name}").run(bars, arguments.quick)
        print(f"# {name} took {time.perf_counter() - started:.0f} s", flush=True)
    sys.exit(bars.finish())


if __name__ == "__main__":
    main()
