"""Every analyser that can run on this machine, those included that do not run by default."""

from __future__ import annotations


def everything() -> list[str]:
    from cinescope.analysers import analyser_class, catalogue

    return [name for name in catalogue() if not analyser_class(name).available()]
