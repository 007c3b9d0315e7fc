"""`import cinescope`: the library that people hold, and what it costs to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import cinescope
from cinescope.types import BadQueryError, LibraryError, Span


def test_importing_costs_nothing() -> None:
    code = (
        "import sys, cinescope\n"
        "assert cinescope.__version__\n"
        "print([m for m in ('numpy', 'lance', 'typer', 'cinescope.api') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done


def test_every_promised_name_is_there() -> None:
    from cinescope import api

    for name in api.EXPORTS:
        assert getattr(cinescope, name) is getattr(api, name)
    assert set(api.EXPORTS) <= set(dir(cinescope))
    with pytest.raises(AttributeError):
        cinescope.nothing_like_it  # noqa: B018


def test_three_lines_find_a_moment(clips: Path, tmp_path: Path) -> None:
    lib = cinescope.open(tmp_path / "lib")
    lib.index(clips, only=["transcript"])
    moment = lib.search("red car").moments[0]
    assert moment.evidence[0].text == "The red car is parked outside."
    assert moment.span.end == 5.5


def test_opening_writes_nothing(tmp_path: Path) -> None:
    lib = cinescope.open(tmp_path / "lib")
    assert not lib.exists
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(LibraryError, match="there is no library"):
        lib.search("x")


def test_the_place_comes_from_the_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr("sys.platform", "linux")
    assert cinescope.open().place == str(tmp_path / "data" / "cinescope" / "library")
    monkeypatch.setenv("CINESCOPE_LIBRARY", str(tmp_path / "mine"))
    assert cinescope.open().place == str(tmp_path / "mine")


def test_progress_and_cancel_are_arguments(clips: Path, tmp_path: Path) -> None:
    lib = cinescope.open(tmp_path / "lib")
    cancel = cinescope.Cancel()
    told: list[cinescope.Progress] = []

    def listen(message: cinescope.Progress) -> None:
        told.append(message)
        if message.step == "advance":
            cancel.set()

    report = lib.index(clips, only=["transcript"], progress=listen, cancel=cancel)
    assert report.cancelled
    assert not report.ok
    assert any(m.step == "scan" for m in told)
    again = lib.index(only=["transcript"])  # what is known: the folder that was given first
    assert again.ok
    assert len(lib.videos()) == 3


def test_videos_go_by_many_names(indexed: Path, clips: Path) -> None:
    lib = cinescope.open(indexed)
    whole = lib.video("garden.mp4")
    for name in (
        whole.id,
        whole.id[:6],
        str(clips / "garden.mp4"),
        "garden",
        "In the garden",
        "GARD",
        f"{whole.id[:8]}@3-4",
    ):
        assert lib.video(name).id == whole.id
    with pytest.raises(LibraryError, match="may mean 3 videos"):
        lib.video("mp4")
    with pytest.raises(LibraryError, match="no video here") as error:
        lib.video("gardem")
    assert "garden" in error.value.do


def test_summaries_say_what_is_known(indexed: Path) -> None:
    garden, _, silent = cinescope.open(indexed).videos()
    assert (garden.title, garden.recorded[:10], garden.state) == ("In the garden", "2024-05-18", "here")
    assert garden.duration == pytest.approx(6, abs=0.05)
    assert garden.analysed["transcript"] == "done"
    assert silent.name == "silent.mp4"


def test_moments_have_addresses(indexed: Path) -> None:
    lib = cinescope.open(indexed)
    video, span = lib.moment("garden@0:01")
    assert span.start == 1.0
    assert span.end == video.duration  # ten seconds from there, as far as the video goes
    found = lib.search("red car").moments[0]
    assert lib.moment(found)[1] == found.span
    assert lib.moment(found.address)[0].id == found.video_id
    for wrong in ("garden", "garden@", "@3", "garden@x", "garden@99"):
        with pytest.raises(BadQueryError):
            lib.moment(wrong)


def test_a_timeline_has_tracks_with_their_sources(indexed: Path) -> None:
    line = cinescope.open(indexed).timeline("garden")
    speech = line.track("speech")
    assert speech is not None
    assert [s.text for s in speech.segments] == ["Welcome to the garden.", "The red car is parked outside."]
    assert speech.source.analyser == "transcript"
    starts = [s.span.start for t in line.tracks for s in t.segments]
    assert all(s >= 0 for s in starts)
    shots = line.track("shot")
    assert shots is not None
    assert [s.span.start for s in shots.segments] == pytest.approx([0.0, 3.0])


def test_a_key_frame_is_of_the_shot_that_stands(indexed: Path) -> None:
    from cinescope.media import pictures

    lib = cinescope.open(indexed)
    green, red = (pictures.picture_from_bytes(lib.thumbnail("garden", t) or b"") for t in (2.9, 3.05))
    assert green[20, 20].argmax() == 1
    assert red[20, 20].argmax() == 0
    assert lib.thumbnail("garden", -5) is not None


def test_what_people_write_survives_indexing_anew(library: Path, clips: Path) -> None:
    lib = cinescope.open(library)
    lib.tag("garden", "summer", "summer")
    lib.note("garden@0:02-0:03", "look here", author="Ada")
    lib.correct("garden", "red car", "rosewood cart")
    lib.collect("home", "garden", "kitchen")
    lib.name("garden", "speaker-1", "Ada")
    lib.index(clips, only=["transcript"], settings={"transcript": {"recogniser": "none"}})
    video = lib.video("garden")
    assert (video.tags, video.collections) == (("summer",), ("home",))
    note = lib.notes("garden", "note")[0]
    assert (note.text, note.author, note.span) == ("look here", "Ada", Span(2.0, 3.0))
    assert lib.search("rosewood").moments
    assert not lib.search("red car").moments
    assert [v.name for v in lib.collections()["home"]] == ["garden.mp4", "kitchen.mp4"]


def test_two_hands_on_one_library_see_the_same(library: Path, clips: Path) -> None:
    one, other = cinescope.open(library), cinescope.open(library)
    assert not other.search("tag:fresh").moments
    one.tag("garden", "fresh")
    assert other.search("tag:fresh").moments
    one.remove("garden")
    assert [v.name for v in other.videos()] == ["kitchen.mp4", "silent.mp4"]


def test_a_file_that_is_gone_is_said_to_be(library: Path, clips: Path, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "in"
    shutil.copytree(clips, folder)
    lib = cinescope.open(tmp_path / "own")
    lib.index(folder, only=["transcript"])
    (folder / "garden.mp4").unlink()
    assert lib.video("garden").state == "gone"
    with pytest.raises(LibraryError, match="is gone"):
        lib.file(lib.video("garden"))
    shutil.copy(clips / "garden.mp4", folder / "moved.mp4")
    report = lib.index(folder, only=["transcript"])
    assert report.moved == 1
    assert lib.video("moved.mp4").state == "here"


def test_leftovers_of_a_killed_run_are_not_shown(library: Path) -> None:
    lib = cinescope.open(library)
    video = lib.video("garden").id
    before = lib.timeline("garden").track("speech")
    assert before is not None
    row = lib.store.rows("segments", filter=f"video_id = '{video}' AND kind = 'speech'")[0]
    lib.store.append("segments", [row | {"seq": 999, "text": "half a sentence"}])
    lib.store.append("segments", [row | {"source": "transcript@0:gone", "text": "an old version"}])
    assert lib.timeline("garden").track("speech") == before
