"""The command line: parse, call `cinescope.api`, print. One file per command, imported when it is used."""

from __future__ import annotations


def main() -> None:
    """What the installed command `cinescope` runs; exits with the command's status."""
    import sys

    from cinescope.cli.app import run

    sys.exit(run(sys.argv[1:]))
