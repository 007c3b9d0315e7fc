"""The demo's films: what is shown, said and written when, and the files made of it. Knows nothing about libraries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np

from cinescope.api import demo_places as places
from cinescope.api.demo_scenes import HEIGHT, WIDTH, Scene, lay
from cinescope.api.demo_sounds import CHINESE, NARRATOR, RATE, SPEAKER, Sentence, Voice, mix, music, narrate

FPS = 24
_DISSOLVE = 0.8  # seconds
_FADE = 1.0  # seconds to black and back
_BEFORE, _AFTER = 0.7, 0.6  # seconds of a shot before and after what is said in it


@dataclass(frozen=True, slots=True)
class Shot:
    scene: Scene
    seconds: float  # at least; longer where more is said
    say: tuple[str, ...] = ()
    begins: str = "cut"  # or "dissolve", "fade"


@dataclass(frozen=True, slots=True)
class Film:
    name: str  # of the file, without its ending
    title: str
    recorded: date
    shots: tuple[Shot, ...]
    chords: tuple[tuple[int, ...], ...]  # semitones from A3; none: no music
    beat: float = 0.5  # seconds
    voice: Voice | None = None
    language: str = "en"
    subtitles: str = ""  # ending of the side file; "" where words are to be recognised


def films() -> list[Film]:
    """Made anew at each call: drawing what stands still takes a moment."""
    drive = Film(
        "drive-to-the-coast",
        "A Drive to the Coast",
        date(2024, 5, 18),
        (
            Shot(places.card("A Drive to the Coast", "Saturday in May", ((38, 78, 120), (220, 130, 90))), 3.5),
            Shot(
                places.drive("morning", ["COAST", "12 km"]),
                8,
                ("The red car leaves the city early in the morning.", "Behind the green hills the road is empty."),
            ),
            Shot(
                places.drive("evening", ["FERRY", "Harbour"]),
                8,
                ("In the evening it reaches the ferry.", "The last boat to the island leaves at nine."),
                "dissolve",
            ),
        ),
        ((0, 4, 7), (-3, 0, 4), (5, 9, 12), (7, 11, 14)),
        0.42,
        NARRATOR,
        subtitles="srt",
    )
    forecast = Film(
        "forecast",
        "Weather Forecast",
        date(2024, 10, 1),
        (
            Shot(
                places.weather_map("Tuesday", [(110, 210, "sun", "19°"), (250, 180, "cloud", "16°")]),
                7,
                ("Tuesday begins with sunshine in the north.", "Later, clouds arrive from the west."),
            ),
            Shot(
                places.weather_map(
                    "The night to Wednesday",
                    [(110, 210, "cloud", "11°"), (260, 190, "rain", "9°"), (480, 160, "rain", "8°")],
                    "STORM WARNING",
                    night=True,
                ),
                7,
                ("At night a storm reaches the coast.", "Please keep your boats in the harbour."),
            ),
        ),
        ((0, 3, 7), (-2, 2, 5)),
        0.6,
        NARRATOR,
        subtitles="vtt",
    )
    harbour = Film(
        "harbour-morning",
        "港口的早晨",
        date(2023, 8, 9),
        (
            Shot(places.harbour("Old Harbour"), 8, ("早上好，欢迎来到港口。", "渔船清晨出海。")),
            Shot(places.lighthouse(False, "Pier 7"), 6, ("灯塔就在海港的旁边。",), "dissolve"),
        ),
        ((0, 5, 7, 12), (2, 7, 9, 14), (-3, 2, 5, 9)),
        0.55,
        CHINESE,
        "zh",
        "zh.srt",
    )
    lighthouse = Film(
        "lighthouse",
        "The Lighthouse",
        date(2022, 11, 20),
        (
            Shot(places.card("The Lighthouse", "a film without words"), 3.5),
            Shot(places.lighthouse(False, "North Cape"), 6, begins="fade"),
            Shot(places.lighthouse(True, "Built in 1872"), 8, begins="dissolve"),
            Shot(places.card("The End", "nobody lives there now", ((16, 22, 48), (40, 52, 100))), 3.5, begins="fade"),
        ),
        ((-5, 0, 4, 7), (-7, -3, 2, 5), (-9, -5, 0, 3), (-2, 2, 5, 10)),
        0.5,
    )
    talk = Film(
        "tides-talk",
        "How the tides work",
        date(2024, 3, 4),
        (
            Shot(
                places.slide("Why the sea rises", ["The moon pulls", "The earth turns", "Twice a day"], "tide"),
                8,
                (
                    "The water of the ocean follows the moon.",
                    "Because the earth turns around once every day, the water rises two times.",
                ),
            ),
            Shot(
                places.slide("A day at the beach", ["High: noon", "Low: six o'clock", "Take care"], "curve", dark=True),
                8,
                (
                    "Children look for shells, and the fishing boats lie on the sand.",
                    "The current between the islands is strong and dangerous.",
                ),
            ),
        ),
        (),
        voice=SPEAKER,
    )
    return [drive, forecast, harbour, lighthouse, talk]


@dataclass(frozen=True, slots=True)
class Plan:
    """A film with its times worked out."""

    film: Film
    starts: tuple[float, ...]  # of the shots
    seconds: float
    sentences: tuple[Sentence, ...]
    speech: np.ndarray | None = field(compare=False)


def plan(film: Film) -> Plan:
    """Speak the sentences, and let each shot last as long as what is said in it."""
    starts, sentences = [], []
    pieces: list[tuple[float, np.ndarray]] = []
    at = 0.0
    for shot in film.shots:
        starts.append(at)
        end = at + shot.seconds
        if film.voice is not None and shot.say:
            spoken, sound = narrate(list(shot.say), film.voice)
            begin = at + _BEFORE
            sentences += [Sentence(s.text, begin + s.start, begin + s.end) for s in spoken]
            end = max(end, begin + spoken[-1].end + _AFTER)
            if sound is not None:
                pieces.append((begin, sound))
        at = round(end * FPS) / FPS
    speech = None
    if pieces:
        speech = np.zeros(round(at * RATE) + 1, np.float32)
        for begin, sound in pieces:
            first = round(begin * RATE)
            room = speech[first : first + len(sound)]
            room += sound[: len(room)]
    return Plan(film, tuple(starts), at, tuple(sentences), speech)


def pictures(planned: Plan) -> Iterator[np.ndarray]:
    """Every frame in order, FPS a second."""
    shots, starts = planned.film.shots, planned.starts
    ends = [*starts[1:], planned.seconds]
    for n in range(round(planned.seconds * FPS)):
        t = n / FPS
        i = max(k for k, s in enumerate(starts) if s <= t + 1e-9)
        picture = shots[i].scene(t - starts[i])
        since, left = t - starts[i], ends[i] - t
        if i and shots[i].begins == "dissolve" and since < _DISSOLVE:
            before = shots[i - 1].scene(t - starts[i - 1])
            lay(picture, before, 1 - (since + 1 / FPS) / (_DISSOLVE + 1 / FPS))
        if i and shots[i].begins == "fade" and since < _FADE / 2:
            picture = (picture * (since / (_FADE / 2))).astype(np.uint8)
        if i + 1 < len(shots) and shots[i + 1].begins == "fade" and left < _FADE / 2:
            picture = (picture * (left / (_FADE / 2))).astype(np.uint8)
        yield picture


def render(film: Film, folder: Path) -> Path:
    """Write the film, and its subtitles beside it where it has any; the film's file."""
    from cinescope.media.encode import VideoWriter
    from cinescope.types import Waveform

    planned = plan(film)
    out = folder / f"{film.name}.mp4"
    background = (
        music(planned.seconds, [list(c) for c in film.chords], film.beat, seed=len(film.name)) if film.chords else None
    )
    sound = mix(background, planned.speech, planned.seconds)
    if film.subtitles:
        _write_subtitles(folder / f"{film.name}.{film.subtitles}", planned.sentences)
    with VideoWriter(
        out,
        size=(WIDTH, HEIGHT),
        rate=FPS,
        sound=(RATE, 2),
        title=film.title,
        metadata={"creation_time": f"{film.recorded.isoformat()}T10:00:00Z"},
        language=film.language if planned.speech is not None else "",
    ) as writer:
        block = RATE // FPS
        for n, picture in enumerate(pictures(planned)):
            writer.picture(picture, n / FPS)
            writer.sound(Waveform(np.ascontiguousarray(sound[:, n * block : (n + 1) * block]), RATE, n / FPS))
    return out


def _write_subtitles(path: Path, sentences: Sequence[Sentence]) -> None:
    from cinescope.media.cues import write_cues
    from cinescope.types import Cue, Span

    cues = [Cue(Span(s.start, s.end), s.text) for s in sentences]
    path.write_text(write_cues(cues, "vtt" if path.suffix == ".vtt" else "srt"), encoding="utf-8")
