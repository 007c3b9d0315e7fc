"""Search by what was seen and heard, over made-up rows as the analysers write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import shelf

from cinescope.library.search import search
from cinescope.library.store import Store
from cinescope.types import BadQueryError, SearchResult, Segment, Source, Span

SEA, HALL, PODCAST = ("a1" * 16, "b2" * 16, "c3" * 16)
CAMERA, QUALITY, SOUND = Source("camera", "1"), Source("quality", "2"), Source("sound_kinds", "1")
PICTURE, LOUDNESS, FACES = Source("picture_stats", "1"), Source("loudness", "1"), Source("faces", "1")


def sense(start: float, end: float, kind: str, source: Source, text: str = "", **data: Any) -> Segment:
    return Segment(Span(start, end), kind, source, text=text, data=data)


def picture(start: float, end: float, brightness: float, *colours: str, sharpness: float = 0.1) -> Segment:
    named = [{"name": name, "share": 0.3, "hex": "#000000"} for name in colours]
    return sense(
        start, end, "picture", PICTURE, brightness=brightness, contrast=0.2, sharpness=sharpness, colours=named
    )


def loudness(start: float, end: float, *momentary: float) -> Segment:
    return sense(start, end, "loudness", LOUDNESS, momentary=list(momentary), short_term=[-20.0], true_peak=-1.0)


def looked(store: Store, video: str, *analysers: str, until: float | None = None) -> None:
    rows = [
        {"video_id": video, "source": f"{name}@1", "analyser": name, "done_until": until or 600.0,
         "next_seq": 9_999, "complete": until is None}
        for name in analysers
    ]  # fmt: skip
    store.append("ledger", rows)


@pytest.fixture(scope="module", params=["indexed", "fresh"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Store:
    store = shelf.new(tmp_path_factory.mktemp("senses"))
    shelf.add_video(store, SEA, "/videos/sea.mp4", recorded="2024-05-10")
    shelf.add_video(store, HALL, "/videos/hall.mp4", recorded="2023-05-10")
    shelf.add_video(store, PODCAST, "/videos/podcast.mp3", recorded="2022-05-10")
    for video in (SEA, HALL):
        row = {**store.rows("videos", filter=f"id = '{video}'")[0], "probe": '{"streams": [{"kind": "video"}]}'}
        store.upsert("videos", ["id"], [row])
    store.upsert("videos", ["id"], [{**store.rows("videos", filter=f"id = '{PODCAST}'")[0], "duration": 90.0}])
    shelf.add(store, SEA, [(5, 8, "the waves come in"), (40, 44, "the waves go out"), (100, 104, "no more waves")])
    shelf.add(store, HALL, [(20, 24, "waves of applause")])
    shelf.add(store, PODCAST, [(3, 6, "waves in the ether")])
    shelf.add_segments(
        store,
        SEA,
        [
            sense(0, 10, "camera", CAMERA, "pan left", motion=0.2, speed=0.1),
            sense(10, 42, "camera", CAMERA, "still", motion=0.0),
            sense(42, 60, "camera", CAMERA, "zoom in", motion=0.2, speed=0.1, also=["pan right"]),
            sense(4, 30, "sound", SOUND, "noise"),
            sense(41, 70, "sound", SOUND, "speech", also=["music"]),
            picture(0, 30, 0.1, "dark blue", "black"),
            picture(30, 60, 0.7, "light blue", sharpness=0.01),
            loudness(0, 10, *[-40.0] * 5, *[-10.0] * 5),
            loudness(10, 13, -12.5, -30.0, -31.0),
            sense(2, 4, "quality", QUALITY, "black", fault=True),
            sense(300, 310, "quality", QUALITY, "still", fault=False),
            sense(0, 50, "face", FACES),
            sense(20, 45, "face", FACES),
        ],
    )
    shelf.add_segments(store, HALL, [sense(0, 60, "camera", CAMERA, "still", motion=0.0)])
    looked(store, SEA, "camera", "faces", "loudness", "sound_kinds", "picture_stats", "quality")
    looked(store, HALL, "camera", "faces")
    looked(store, HALL, "quality", until=100.0)
    looked(store, PODCAST, "faces", "quality")
    if request.param == "indexed":
        shelf.with_indexes(store)
    return store


def spans(result: SearchResult) -> list[tuple[str, float, float]]:
    names = {SEA: "sea", HALL: "hall", PODCAST: "podcast"}
    return [(names[m.video_id], m.span.start, m.span.end) for m in result.moments]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("camera:pan", [("sea", 0, 10), ("sea", 42, 60)]),
        ("camera:left", [("sea", 0, 10)]),
        ("camera:right", [("sea", 42, 60)]),
        ("camera:pan camera:still", [("sea", 0, 10), ("sea", 10, 42), ("sea", 42, 60), ("hall", 0, 60)]),
        ("camera:still sound:noise", [("sea", 10, 30)]),
        ("camera:still faces:0", [("hall", 0, 60)]),
        ("camera:still -sound:noise", [("hall", 0, 60)]),
        ("sound:music", [("sea", 41, 70)]),
        ("brightness:dark", [("sea", 0, 30)]),
        ("brightness:0.5..0.8", [("sea", 30, 60)]),
        ("colour:blue", [("sea", 0, 30), ("sea", 30, 60)]),
        ("colour:dark-blue", [("sea", 0, 30)]),
        ("quality:blur", [("sea", 30, 60)]),
        ("loudness:loud", [("sea", 5, 11)]),
        ("loudness:-31..-30", [("sea", 11, 13)]),
        ("faces:2", [("sea", 20, 45)]),
        ("faces:1", [("sea", 0, 20), ("sea", 45, 50)]),
        ("faces:1+", [("sea", 0, 50)]),
        ("faces:0", [("sea", 50, 600), ("hall", 0, 600)]),
        ("quality:black", [("sea", 2, 4)]),
        ("quality:good", [("sea", 0, 2), ("sea", 4, 600), ("hall", 0, 100), ("podcast", 0, 90)]),
        ("camera:still after:20 before:30", [("sea", 20, 30), ("hall", 20, 30)]),
        ("camera:still video:hall", [("hall", 0, 60)]),
        ("length:<5m quality:good", [("podcast", 0, 90)]),
        ("-length:<5m quality:good", [("sea", 0, 2), ("sea", 4, 600), ("hall", 0, 100)]),
    ],
)
def test_without_words_the_stretches_are_the_moments(
    store: Store, query: str, expected: list[tuple[str, float, float]]
) -> None:
    assert spans(search(store, query)) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("waves camera:pan", [("sea", 5), ("sea", 40)]),
        ("waves -camera:pan", [("sea", 100), ("hall", 20), ("podcast", 3)]),
        ("waves camera:still", [("sea", 40), ("hall", 20)]),
        ("waves camera:still sound:music", [("sea", 40)]),
        ("waves loudness:loud", [("sea", 5)]),
        ("waves faces:1+ brightness:bright", [("sea", 40)]),
        ("waves length:<2m", [("podcast", 3)]),
        ("waves quality:good -camera:still", [("sea", 5), ("sea", 100), ("podcast", 3)]),
    ],
)
def test_with_words_what_overlaps_counts(store: Store, query: str, expected: list[tuple[str, float]]) -> None:
    assert sorted((v, s) for v, s, _ in spans(search(store, query))) == sorted(expected)


def test_the_evidence_says_what_when(store: Store) -> None:
    result = search(store, "", camera="right", sound="music")
    assert [[(e.kind, e.text, e.source) for e in m.evidence] for m in result.moments] == [
        [
            ("camera", "camera pans right, 42.0-60.0 s", CAMERA.key),
            ("sound", "music under speech, 41.0-70.0 s", SOUND.key),
        ]
    ]
    assert result.looked_at == ("camera", "sound")
    words = search(store, "waves", camera="left").moments[0]
    assert [e.kind for e in words.evidence] == ["speech", "camera"]
    several = search(store, "quality:black loudness:quiet faces:any colour:blue").moments[0]
    assert [e.text for e in several.evidence] == [
        "2 faces, 0.0-50.0 s",
        "loudness -40 LUFS, 0.0-5.0 s",
        "blue, 30% of the picture, 0.0-30.0 s",
        "black, 2.0-4.0 s",
    ]


def test_what_was_not_looked_at_is_said(store: Store) -> None:
    result = search(store, "sound:music", videos=["hall"])
    assert result.note == "sound was not looked at in these videos: cinescope index --only sound_kinds"
    assert not result.moments
    part = search(store, "waves camera:still")
    assert part.moments
    assert part.not_looked_at[-1] == "camera: 1 of 3 videos have no such track (cinescope index --only camera)"
    assert search(store, "sound:applause").note == "nothing here fits sound:applause"
    assert search(store, "sound:applause").not_looked_at == (
        "sound: 2 of 3 videos have no such track (cinescope index --only sound_kinds)",
    )
    # What nobody looked at is not told to be without it, only that this is not known.
    without = search(store, "waves -sound:music", videos=["podcast"])
    assert spans(without) == [("podcast", 3, 6)]
    assert without.not_looked_at[-1].startswith("sound: 1 of 1 videos")
    blurred = search(store, "quality:blur", videos=["hall"])
    assert blurred.note == "quality was not looked at in these videos: cinescope index --only picture_stats"


def test_asked_for_words_of_the_stretches_these_are_listed(store: Store) -> None:
    assert spans(search(store, "camera:left in:speech")) == [("sea", 5, 8)]
    assert spans(search(store, "-camera:still in:speech", limit=2)) == [("sea", 5, 8), ("sea", 100, 104)]


def test_keywords_are_the_same_as_words_of_the_query(store: Store) -> None:
    assert search(store, "", faces=2, quality=["good", "black"]) == search(store, "faces:2 quality:good quality:black")
    assert search(store, "", length="<2m") == search(store, "length:<2m")
    with pytest.raises(BadQueryError, match="it takes pan, tilt"):
        search(store, "", camera="dolly")


def test_a_limit_and_what_is_left(store: Store) -> None:
    result = search(store, "quality:good", limit=2)
    assert spans(result) == [("sea", 0, 2), ("sea", 4, 600)]
    assert (result.total > 2, result.more) == (True, True)
    everything = search(store, "quality:good")
    assert (everything.total, everything.more) == (4, False)


def test_what_is_kept_is_that_of_the_newest_table(tmp_path: Path) -> None:
    store = shelf.new(tmp_path)
    shelf.add_video(store, SEA, "/videos/sea.mp4")
    assert "was not looked at" in search(store, "camera:pan").note
    looked(store, SEA, "camera")
    assert search(store, "camera:pan").note == "nothing here fits camera:pan"
    shelf.add_segments(store, SEA, [sense(0, 10, "camera", CAMERA, "pan left")])
    assert spans(search(store, "camera:pan")) == [("sea", 0, 10)]
    other = Store.open(store.place)
    shelf.add_segments(other, SEA, [sense(20, 30, "camera", CAMERA, "pan left")])
    assert spans(search(store, "camera:pan")) == [("sea", 0, 10), ("sea", 20, 30)]


def test_in_a_library_without_videos(tmp_path: Path) -> None:
    assert search(shelf.new(tmp_path), "camera:pan").note


def test_loudness_of_a_sound_that_begins_late(tmp_path: Path) -> None:
    """Its seconds are those of the clock: the first is cut, the last one ends with the sound."""
    store = shelf.new(tmp_path)
    shelf.add_video(store, SEA, "/videos/sea.mp4")
    looked(store, SEA, "loudness")
    shelf.add_segments(store, SEA, [loudness(1.25, 4.5, -120.0, -12.0, -40.0, -12.0, -12.0)])
    assert spans(search(store, "loudness:loud")) == [("sea", 1.25, 2), ("sea", 3, 4.5)]
