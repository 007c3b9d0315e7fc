"""`search`, `open`, `clip`: from words to the second, and what is said on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

Cli = Callable[..., tuple[int, str, str]]


def test_a_hit_shows_rank_place_words_and_address(cinescope_cli: Cli, indexed: Path) -> None:
    status, out, err = cinescope_cli("search", "red", "car", "--library", indexed)
    assert status == 0
    first = out.splitlines()
    assert first[0].split()[:4] == ["1", "In", "the", "garden"]
    assert "0:03-0:05" in first[0]
    assert re.search(r" [0-9a-f]{8}@3\.\d+-5\.5$", first[0])
    assert "speech" in first[1]
    assert "The *red* *car* is parked outside." in first[1]
    assert err == ""


def test_json_has_all_of_it(cinescope_cli: Cli, indexed: Path, tmp_path: Path) -> None:
    status, out, _ = cinescope_cli(
        "search", '"red car"', "--json", "--library", indexed, "--thumbs", tmp_path / "pictures"
    )
    result = json.loads(out)
    assert status == 0
    moment = result["moments"][0]
    assert (moment["rank"], moment["end"]) == (1, 5.5)
    assert 3.2 <= moment["start"] < 3.8  # where the words are in their sentence
    assert moment["title"] == "In the garden"
    assert Path(moment["path"]).is_file()
    evidence = moment["evidence"][0]
    assert evidence["kind"] == "speech"
    marked = [evidence["text"][a:b] for a, b in evidence["matched"]]
    assert " ".join(marked) == "red car"
    picture = Path(moment["thumbnail"]).read_bytes()
    assert picture[:2] == b"\xff\xd8"  # JPEG


def test_screen_and_speech_are_told_apart(cinescope_cli: Cli, indexed: Path) -> None:
    assert cinescope_cli("search", "soup", "--screen", "--library", indexed)[0] == 0
    assert cinescope_cli("search", "soup", "--speech", "--library", indexed)[0] == 1
    assert cinescope_cli("search", "salt", "--speech", "--library", indexed)[0] == 0


def test_minus_words_need_no_quotes(cinescope_cli: Cli, indexed: Path) -> None:
    assert cinescope_cli("search", "garden", "-welcome", "-nothing", "-house", "--speech", "--library", indexed)[0] == 1
    assert cinescope_cli("search", "garden", "-helicopter", "--library", indexed)[0] == 0


def test_nothing_found_says_so_and_what_is_near(cinescope_cli: Cli, indexed: Path) -> None:
    status, out, err = cinescope_cli("search", "gardn", "--library", indexed)
    assert status == 1
    assert out == ""
    assert "garden" in err.lower()


@pytest.mark.parametrize("query", ["", "   ", "?!", '""'])
def test_a_query_without_words_is_a_usage_error(query: str, cinescope_cli: Cli, indexed: Path) -> None:
    status, _, err = cinescope_cli("search", query, "--library", indexed)
    assert status == 2
    assert len(err.strip().splitlines()) <= 2


def test_a_very_long_query_is_answered(cinescope_cli: Cli, indexed: Path) -> None:
    status, _, err = cinescope_cli("search", "word " * 2000, "--library", indexed)
    assert status in (1, 2)
    assert "Traceback" not in err


def test_an_unknown_option_is_not_taken_for_a_word(cinescope_cli: Cli, indexed: Path) -> None:
    status, _, err = cinescope_cli("search", "red", "--lmit", "3", "--library", indexed)
    assert status == 2
    assert "--lmit" in err


def test_filters_by_folder_tag_and_date(cinescope_cli: Cli, library: Path, clips: Path) -> None:
    assert cinescope_cli("search", "garden", "--date", "2024-05", "--library", library)[0] == 0
    assert cinescope_cli("search", "garden", "--date", "2023", "--library", library)[0] == 1
    assert cinescope_cli("search", "garden", "--folder", clips / "old", "--library", library)[0] == 1
    assert cinescope_cli("search", "garden", "--tag", "summer", "--library", library)[0] == 1
    cinescope_cli("tag", "garden.mp4", "summer", "--library", library)
    assert cinescope_cli("search", "garden", "--tag", "summer", "--library", library)[0] == 0
    assert cinescope_cli("search", "--tag", "summer", "--library", library)[0] == 0


def test_open_and_clip_take_the_number_of_a_hit(cinescope_cli: Cli, indexed: Path, tmp_path: Path) -> None:
    from cinescope import media

    cinescope_cli("search", "red car", "--library", indexed)
    status, out, _ = cinescope_cli("open", "1", "--page", "--json", "--library", indexed)
    assert status == 0
    opened = json.loads(out)
    assert 3.2 <= opened["start"] < 3.8
    page = Path(opened["page"]).read_text(encoding="utf-8")
    assert f"garden.mp4#t={opened['start']:.2f}" in page
    assert "The red car is parked outside." in page
    assert "data:image/jpeg;base64," in page
    status, out, _ = cinescope_cli("clip", "1", "-o", tmp_path / "car.mp4", "--library", indexed)
    assert status == 0
    assert media.probe(tmp_path / "car.mp4").duration == pytest.approx(5.5 - opened["start"], abs=0.15)
    status, _, err = cinescope_cli("clip", "1", "-o", tmp_path / "car.mp4", "--library", indexed)
    assert status == 2
    assert "--force" in err
    status, _, err = cinescope_cli("open", "9", "--library", indexed)
    assert status == 2
    assert "the last search had 1 hit" in err


def test_a_number_without_a_search_is_explained(cinescope_cli: Cli, indexed: Path) -> None:
    status, _, err = cinescope_cli("open", "1", "--library", indexed)
    assert status == 2
    assert "VIDEO@TIME" in err


@pytest.mark.parametrize(
    ("hit", "status", "words"),
    [
        ("garden@1:00", 2, "lies behind the end"),
        ("garden@5-2", 2, "ends before it starts"),
        ("garden", 2, "is not a moment"),
        ("nothing@1", 1, "no video here is called 'nothing'"),
        ("e@1", 1, "no video here"),
    ],
)
def test_a_wrong_address_is_explained(hit: str, status: int, words: str, cinescope_cli: Cli, indexed: Path) -> None:
    got, _, err = cinescope_cli("open", hit, "--library", indexed)
    assert got == status
    assert words in err


def test_players_are_told_where_to_begin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from cinescope.cli.open_hit import player_command
    from cinescope.types import MissingPartError, Span

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}" if name in ("vlc", "ffplay") else None)
    file = tmp_path / "-a.mp4"
    assert player_command(file, Span(62.5, 70)) == ["/usr/bin/vlc", "--start-time=62.500", str(file)]
    assert player_command(file, Span(62.5, 70), "ffplay") == ["/usr/bin/ffplay", "-ss", "62.500", str(file)]
    with pytest.raises(MissingPartError):
        player_command(file, Span(0, 1), "mpv")
    with pytest.raises(MissingPartError):
        player_command(file, Span(0, 1), "wordpad")
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert player_command(file, Span(0, 1)) is None


def test_a_video_that_is_away_is_still_found_but_not_played(cinescope_cli: Cli, clips: Path, tmp_path: Path) -> None:
    import shutil

    drive, lib = tmp_path / "drive", tmp_path / "lib"
    drive.mkdir()
    shutil.copy(clips / "garden.mp4", drive)
    shutil.copy(clips / "garden.en.srt", drive)
    cinescope_cli("index", drive, "--only", "transcript", "--library", lib)
    shutil.rmtree(drive)
    status, out, _ = cinescope_cli("search", "red car", "--library", lib)
    assert status == 0
    assert "(offline)" in out
    status, _, err = cinescope_cli("open", "1", "--library", lib)
    assert status == 1
    assert "offline" in err
    status, out, _ = cinescope_cli("list", "--problems", "--library", lib)
    assert status == 0
    assert "offline" in out


def test_what_was_seen_and_heard_is_a_filter_and_a_question(cinescope_cli: Cli, indexed: Path) -> None:
    status, out, _ = cinescope_cli("search", "--sound", "music", "--length", "3s..5s", "--library", indexed)
    assert status == 0
    first = out.splitlines()
    assert "kitchen" in first[0]
    assert re.fullmatch(r" +sound +0:00 music, 0\.0-4\.\d s", first[1])
    words = cinescope_cli("search", "salt", "sound:music", "-quality:frozen", "--library", indexed)[1]
    assert "Add *salt* to the boiling water." in words
    assert "music, 0.0-4.0 s" in words
    assert cinescope_cli("search", "salt", "-sound:music", "--library", indexed)[0] == 1


def test_a_filter_with_an_unknown_value_says_which_there_are(cinescope_cli: Cli, indexed: Path) -> None:
    status, out, err = cinescope_cli("search", "camera:dolly", "--library", indexed)
    assert (status, out) == (2, "")
    assert "it takes pan, tilt, zoom" in err


def test_a_sense_that_was_not_indexed_is_no_absence(cinescope_cli: Cli, clips: Path, tmp_path: Path) -> None:
    place = tmp_path / "lib"
    assert cinescope_cli("index", clips, "--only", "transcript", "--library", place, "--quiet")[0] == 0
    status, out, err = cinescope_cli("search", "--camera", "pan", "--library", place)
    assert (status, out) == (1, "")
    assert "camera was not looked at in these videos: cinescope index --only camera" in err
