"""`python -m cinescope` is the command `cinescope`."""

from cinescope.cli import main

main()
