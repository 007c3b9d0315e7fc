"""What is there twice is told with the evidence, what is plain, silent or merely alike is not, and nothing changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cinescope
from cinescope.library import duplicates, same
from cinescope.library.duplicates import Duplicates, Group
from cinescope.library.store import Store
from cinescope.types import BadQueryError


@pytest.fixture(scope="module")
def found(films: Path) -> Duplicates:
    return cinescope.open(films / "lib").duplicates()


def named(films: Path, group: Group) -> list[str]:
    names = {v.id: v.name for v in cinescope.open(films / "lib").videos()}
    return [names[p.video_id] for p in group.places]


def test_copies_come_first_the_larger_one_before_the_smaller(films: Path, found: Duplicates) -> None:
    copies = found.groups[0]
    assert copies.kind == "copies"
    assert named(films, copies) == ["first.mp4", "copy.mp4"]
    assert copies.places[0].width == 192
    assert copies.places[0].bitrate > copies.places[1].bitrate > 0
    match = copies.pairs[0].match
    assert match.kinds == ("picture", "sound")
    assert match.offset == pytest.approx(0, abs=0.6)


def test_a_part_with_other_sound_is_told_with_its_place(films: Path, found: Duplicates) -> None:
    part = found.groups[1]
    assert part.kind == "part"
    assert sorted(named(films, part)) == ["part.mp4", "second.mp4"]
    spans = {name: p.span for name, p in zip(named(films, part), part.places, strict=True)}
    assert spans["second.mp4"].start == pytest.approx(4.0, abs=1.0)
    assert spans["part.mp4"].start == pytest.approx(0.0, abs=1.0)
    assert part.pairs[0].match.other_sound
    assert part.pairs[0].match.kinds == ("picture",)


def test_nothing_else_is_told(found: Duplicates) -> None:
    assert len(found.groups) == 2
    assert found.videos == 5
    assert found.not_looked_at == ()


def test_short_ones_are_left_out_on_the_users_word(films: Path) -> None:
    lib = cinescope.open(films / "lib")
    assert [g.kind for g in lib.duplicates(min_seconds=6.5).groups] == ["copies"]
    assert lib.duplicates(min_seconds=60).groups == ()
    for odd in (0, -1, float("nan"), float("inf")):
        with pytest.raises(BadQueryError):
            lib.duplicates(min_seconds=odd)


def test_only_among_some_videos(films: Path) -> None:
    lib = cinescope.open(films / "lib")
    assert lib.duplicates("first.mp4", "second.mp4").groups == ()
    assert len(lib.duplicates("first.mp4", "copy.mp4").groups) == 1


def test_nothing_is_written_or_deleted(films: Path) -> None:
    def state() -> dict[str, int]:
        return {str(f): f.stat().st_mtime_ns for f in sorted((films / "lib").rglob("*")) if f.is_file()}

    before = state()
    cinescope.open(films / "lib").duplicates()
    assert state() == before


def test_an_empty_library_has_no_duplicates(tmp_path: Path) -> None:
    store = Store.create(str(tmp_path / "lib"))
    assert duplicates.duplicates(store) == Duplicates((), 0)


def test_an_intro_that_comes_again_is_a_repeat_and_a_still_shot_is_none(tmp_path: Path) -> None:
    from tests.like_films import FPS, SIZE, picture

    from cinescope.media.encode import VideoWriter

    with VideoWriter(tmp_path / "show.mp4", SIZE, FPS) as out:
        for frame in range(30 * FPS):
            at = frame / FPS
            # Four seconds that come again after 16, and a still scene with a little noise in the second half.
            time = at if at < 16 else at - 16 if at < 20 else 20.5
            shown = picture(4, time).astype(np.int16)
            shown += np.random.default_rng(frame).integers(-2, 3, shown.shape, dtype=np.int16)
            out.picture(np.clip(shown, 0, 255).astype(np.uint8), at)
    lib = cinescope.open(tmp_path / "lib")
    lib.index(tmp_path / "show.mp4", only=["picture_print", "sound_print"])
    groups = lib.duplicates().groups
    assert [g.kind for g in groups] == ["repeat"]
    first, second = sorted(p.span.start for p in groups[0].places)
    assert first == pytest.approx(0.0, abs=0.8)
    assert second == pytest.approx(16.0, abs=0.8)
    assert groups[0].seconds == pytest.approx(4.0, abs=1.1)


def test_removing_a_video_takes_its_prints_along(films: Path, tmp_path: Path) -> None:
    import shutil

    from cinescope.library import prints

    shutil.copytree(films / "lib", tmp_path / "lib")
    lib = cinescope.open(tmp_path / "lib")
    gone = lib.video("copy.mp4").id
    assert gone in prints.read_pictures(lib.store).videos
    lib.remove("copy.mp4")
    for table in lib.store.tables():
        if table not in ("meta", "videos"):
            assert lib.store.count(table, f"video_id = '{gone}'") == 0, table
    assert gone not in prints.read_pictures(lib.store).videos
    assert gone not in prints.read_sounds(lib.store).videos
    assert [g.kind for g in lib.duplicates().groups] == ["part"]


def test_prints_that_a_killed_run_left_are_cleared(films: Path, tmp_path: Path) -> None:
    import shutil

    from cinescope.library import commit, schema

    shutil.copytree(films / "lib", tmp_path / "lib")
    store = Store.open(str(tmp_path / "lib"))
    rows = store.rows(schema.PRINTS)
    late = dict(rows[0]) | {"seq": 10_000}
    store.append(schema.PRINTS, [late, dict(rows[0]) | {"source": "picture_print@0:gone"}])
    commit.clear_leftovers(store)
    assert store.count(schema.PRINTS) == len(rows)


def test_a_match_says_how_it_was_changed() -> None:
    from cinescope.types import Span

    match = same.Match("v", Span(0, 4), Span(2, 6), 1.06, True, "here", 4.0, 0.0, other_sound=True)
    assert match.how() == "mirrored, cropped, 6% faster, with other sound"
    assert same.Match(
        "v", Span(0, 4), Span(2, 6), 0.95, cropped="there", sound_seconds=3.0, picture_seconds=1.0
    ).how() == ("with more around it, 5% slower")
    assert same.Match("v", Span(0, 4), Span(2, 6), sound_seconds=4.0).how() == "sound only"
