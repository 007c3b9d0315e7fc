"""Index: find the files, see what is to be done on each, run it, commit it. The one writer of machine rows.

Knows plans and commits; decoding and analysing are in `analysis.py`. Work is committed in stretches: first the rows,
then the ledger, so that whatever a kill leaves behind past the ledger's `next_seq` is known to be unfinished and is
deleted before the analysis goes on.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from cinescope.library import commit, notes, upkeep
from cinescope.library.analysis import Stretch
from cinescope.library.locations import find, printable, same_file
from cinescope.library.lock import writing
from cinescope.library.plan import Chosen, Plan, choose_analysers, plan_video
from cinescope.library.pool import run_all
from cinescope.library.progress import Cancel, IndexReport, Listener, Problem, Progress
from cinescope.library.register import Register
from cinescope.library.store import Store
from cinescope.types import BadQueryError, LibraryError


@dataclass(slots=True)
class _Tally:
    """What happened so far in a run."""

    progress: Listener
    indexed: list[str] = field(default_factory=list)
    unchanged: int = 0
    moved: int = 0
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    media_seconds: float = 0.0
    decoded_twice: float = 0.0
    segments: Counter[str] = field(default_factory=Counter)
    total_seconds: float = 0.0
    finished_seconds: float = 0.0  # of videos that are through
    running: dict[str, float] = field(default_factory=dict)  # video id -> seconds reached in this run

    def tell(self, step: Any, plan: Plan | None = None, seconds: float = 0.0, message: str = "") -> None:
        self.progress(
            Progress(
                step,
                printable(os.path.basename(plan.found.path)) if plan else "",
                plan.video.id if plan else "",
                seconds,
                plan.video.duration if plan else None,
                self.finished_seconds + sum(self.running.values()),
                self.total_seconds,
                message,
            )
        )

    def fail(self, path: str, what: str, plan: Plan | None = None) -> None:
        self.problems.append(Problem(printable(path), what))
        self.tell("failed", plan, message=what if plan else f"{printable(path)}: {what}")

    def report(self, cancelled: bool) -> IndexReport:
        return IndexReport(
            tuple(self.indexed),
            self.unchanged,
            self.moved,
            tuple(self.problems),
            tuple(self.warnings),
            self.media_seconds,
            self.decoded_twice,
            cancelled,
            dict(self.segments),
        )


def index(
    store: Store,
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    *,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    jobs: int = 1,
    settings: dict[str, dict[str, Any]] | None = None,
    progress: Listener | None = None,
    cancel: Cancel | None = None,
    wait: float = 0.0,
    among: Collection[str] | None = None,
) -> IndexReport:
    """Bring the library up to date with the files under `paths`.

    Only what changed is computed: the key is (content, analyser, version, settings). `only` and `skip` name
    analysers, `settings` are theirs. `jobs` videos are analysed at once, each in a process of its own when more than
    one; 0 takes half the processors. `wait` is how long to wait for another writer, in seconds. `among`: whole paths;
    of what lies under `paths` nothing else is looked at.

    Raises LibraryBusyError when another process writes, LibraryError when the library cannot be written, BadQueryError
    for an unknown analyser. A file that cannot be indexed is a Problem in the report; the others go on.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not given:
        raise BadQueryError("nothing to index was named", "give a folder or files")
    chosen = choose_analysers(only, skip, settings or {})
    cancel = Cancel() if cancel is None else cancel
    tally = _Tally(progress or (lambda _: None))
    for missing in chosen.missing:
        tally.warnings.append(missing)
    if jobs <= 0:
        jobs = max(1, (os.cpu_count() or 2) // 2)
    with writing(store, "index", wait):
        store.refresh()
        commit.clear_leftovers(store)
        notes.mirror_missing(store)
        plans = list(_plan_all(store, given, chosen, tally, cancel, among))
        tally.total_seconds = sum(p.remaining for p in plans)
        try:
            _work(store, plans, jobs, tally, cancel)
        except BaseException:
            # What is committed should be quick to search all the same, unless it is the disk that failed; either
            # way the error that is on its way is the one to tell.
            with contextlib.suppress(LibraryError):
                upkeep.tidy(store)
            raise
        tally.tell("tidy")
        upkeep.tidy(store)
    return tally.report(bool(cancel))


def _plan_all(
    store: Store, given: list[Any], chosen: Chosen, tally: _Tally, cancel: Cancel, among: Collection[str] | None
) -> Iterator[Plan]:
    register = Register(store)
    avoid = store.folder if store.is_local else None
    done: set[str] = set()
    for found in find(given, avoid):
        if cancel:
            break
        if among is not None and found.path not in among:
            continue
        if isinstance(found, Problem):
            tally.fail(found.path, found.what)
            continue
        tally.tell("scan", message=printable(found.path))
        entry = register.enter(found)
        if entry.problem:
            tally.fail(found.path, entry.problem)
            continue
        tally.moved += entry.moved
        for note in entry.warnings:
            tally.warnings.append(Problem(printable(found.path), note))
        if entry.video.id in done:
            continue
        done.add(entry.video.id)
        plan = plan_video(store, found, entry.video, chosen)
        if plan.assignment.jobs:
            yield plan
        else:
            tally.unchanged += 1
            tally.tell("skipped", plan)
    register.close()


def _work(store: Store, plans: list[Plan], jobs: int, tally: _Tally, cancel: Cancel) -> None:
    by_id = {p.video.id: p for p in plans}
    bad: set[str] = set()
    commits = 0
    for plan in plans:
        commit.prepare(store, plan)
    begun: set[str] = set()
    for video_id, event in run_all([p.assignment for p in plans], jobs, cancel):
        plan = by_id[video_id]
        if video_id not in begun:
            begun.add(video_id)
            tally.tell("start", plan, plan.begun)
        if video_id in bad:
            continue
        if isinstance(event, str):
            tally.fail(plan.found.path, event, plan)
            commit.set_problem(store, video_id, event)
            bad.add(video_id)
            continue
        tally.running[video_id] = max(0.0, event.seconds - plan.begun)
        tally.decoded_twice += event.decoded_twice
        for warning in event.warnings:
            tally.warnings.append(Problem(printable(plan.found.path), warning))
        if not event.parts and not event.failed:
            tally.tell("advance", plan, event.seconds)
            continue
        if not same_file(plan.found.path, plan.found):
            what = "it changed while it was being indexed; index it again when it is complete"
            tally.fail(plan.found.path, what, plan)
            commit.forget_unfinished(store, video_id, plan.found)
            bad.add(video_id)
            continue
        tally.segments.update(commit.stretch(store, plan, event))
        commits += 1
        if commits % upkeep.COMMITS_BETWEEN_TIDIES == 0:
            upkeep.tidy(store)
        if event.final:
            _close(store, plan, event, tally)
        else:
            tally.tell("advance", plan, event.seconds)


def _close(store: Store, plan: Plan, event: Stretch, tally: _Tally) -> None:
    for problem in event.failed.values():
        tally.fail(plan.found.path, problem, plan)
    if not event.failed:
        commit.set_problem(store, plan.video.id, "")
    seconds = tally.running.pop(plan.video.id, 0.0)
    tally.finished_seconds += seconds
    tally.media_seconds += seconds
    tally.indexed.append(plan.video.id)
    tally.tell("done", plan, event.seconds)
