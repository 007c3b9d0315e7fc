"""Names to dotpaths, imported when asked for. Knows nothing of what it lists.

A folder's `CATALOGUE` is a plain dict; others add to it by the entry point `cinescope.<folder>`.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from cinescope.types.errors import BadQueryError, MissingPartError


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`Catalogue("fusion", "cinescope.fusions", {"concat": "cinescope.nn.fusion.concat:Concat"})`.

    A name may also be a dotpath, `my.module:MyFusion`: a stranger's part needs no entry point to be tried.
    """

    kind: str  # what one entry is, in the singular, for messages
    group: str  # the entry point by which others add to it
    entries: Mapping[str, str]

    def names(self) -> list[str]:
        return sorted(self.all())

    def all(self) -> dict[str, str]:
        return dict(self.entries) | {e.name: e.value for e in entry_points(group=self.group)}

    def load(self, name: str) -> Any:
        """The class or function behind a name. MissingPartError names the nearest one where there is none."""
        known = self.all()
        if name not in known and ":" not in name:
            near = get_close_matches(name, known, n=2)
            raise MissingPartError(
                f"there is no {self.kind} '{name}'",
                f"did you mean {' or '.join(near)}?" if near else f"the ones here are {', '.join(sorted(known))}",
            )
        module, _, attribute = known.get(name, name).partition(":")
        try:
            return getattr(import_module(module), attribute)
        except ModuleNotFoundError as error:
            if error.name is not None and (module == error.name or module.startswith(error.name + ".")):
                raise MissingPartError(f"the {self.kind} '{name}' is not there: no module '{module}'") from error
            raise MissingPartError(
                f"the {self.kind} '{name}' needs the package '{error.name}'", f"pip install {error.name}"
            ) from error
        except AttributeError as error:
            raise MissingPartError(f"'{module}' has no {self.kind} '{attribute}'") from error

    def create(self, name: str, /, *args: Any, **settings: Any) -> Any:
        """One of them, built. BadQueryError where it does not take these settings."""
        made = self.load(name)
        try:
            return made(*args, **settings)
        except TypeError:
            self.check(name, settings)
            raise

    def check(self, name: str, settings: Iterable[str]) -> None:
        """Without building it: MissingPartError where there is none, BadQueryError where it has no such setting."""
        known = _settings(self.load(name))
        unknown = [key for key in settings if known is not None and key not in known]
        if not unknown:
            return
        near = get_close_matches(unknown[0], known or (), n=1)
        raise BadQueryError(
            f"the {self.kind} '{name}' has no setting '{unknown[0]}'",
            f"did you mean '{near[0]}'?" if near else f"its settings are {', '.join(known or ())}",
        )


def _settings(made: Any) -> list[str] | None:
    """The arguments that something is built with; None where it takes any."""
    found = inspect.signature(made).parameters.values()
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in found):
        return None
    return [p.name for p in found]
