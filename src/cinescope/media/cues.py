"""Subtitle texts and cues: SRT, WebVTT, ASS in, SRT, WebVTT out. Knows nothing about files, encodings or containers.

SRT and WebVTT are parsed here, by the WebVTT specification (W3C, sections 4.2 and 6.4) with SRT's habits on top:
pysubs2 1.8.1 reads both with one parser that loses a last line of digits ("1984"), adds WebVTT identifiers and notes
to the cue before, takes a line of inline timestamps for a heading, and drops voices. ASS and SSA go through pysubs2.
"""

from __future__ import annotations

import html
import itertools
import math
import re
import warnings as python_warnings
from collections.abc import Callable, Iterable
from typing import Literal

from cinescope.types import Cue, Span, format_time

Form = Literal["srt", "vtt", "ass", "ssa", "plain"]
Warn = Callable[[str], object]

# BBC Subtitle Guidelines, "Timing": 0.33 to 0.375 seconds a word. For cues whose end is missing or wrong.
SECONDS_PER_WORD = 0.375
SHORTEST_CUE = 1.0  # seconds, for the same cues

_TIME = r"(-?)\s*(?:([0-9]{1,6}):)?([0-9]{1,3}):([0-9]{1,2})(?:[.,:]([0-9]{1,9}))?"
_HEADING = re.compile(rf"^\s*{_TIME}\s*-{{1,3}}>\s*{_TIME}(?=\s|$)")
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{0,31});")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<[0-9:.]+>|</>")  # "I <3 you" and "a < b" are no tags
_RUBY = re.compile(r"<rt\b[^<>]*>.*?(?:</rt>|(?=</ruby>)|$)", re.DOTALL)
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?[ \t\n]+([^<>]*)>")
_OVERRIDE = re.compile(r"\{\\[^{}]*\}|\{[yYcCfFsSpP]:[^{}]*\}")  # ASS and MicroDVD codes that stray into SRT
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff]")
_ROLLING = re.compile(r"<[0-9:]+\.[0-9]{3}><c>")  # YouTube's recognised captions, word by word
_DIGITS = re.compile(r"^\s*[0-9]+\s*$")


def sniff(text: str, suffix: str = "") -> Form:
    """The form of a subtitle text: by what it holds, since suffixes lie; `suffix` (".srt") decides between equals."""
    start = text.lstrip("\ufeff \t\r\n")[:4096]
    if start.startswith("WEBVTT"):
        return "vtt"
    if re.search(r"^\[(Script Info|V4\+? Styles|Events)\]", start, re.IGNORECASE | re.MULTILINE):
        return "ssa" if "[V4 Styles]" in start else "ass"
    if suffix.lower() == ".vtt":
        return "vtt"
    if suffix.lower() in (".ass", ".ssa") and "Dialogue:" in text:
        return "ass" if suffix.lower() == ".ass" else "ssa"
    return "srt"


def parse_cues(text: str, form: Form, warn: Warn) -> list[Cue]:
    """The cues, by start; times as the text has them. Overlapping cues stay apart, cues without text are dropped.

    What is wrong is mended and said through `warn`, one sentence for each kind: a cue that does not end after it
    starts is shown as long as its words take to read (at most until the next), what lies before zero is cut off.
    Never raises for a text, however broken.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    raw = _parse_ass(text, form, warn) if form in ("ass", "ssa") else _parse_blocks(text, form)
    cues = mend(raw, warn)
    return _unrolled(cues) if form == "vtt" and _ROLLING.search(text) else cues


def mend(raw: Iterable[tuple[float, float | None, str, str]], warn: Warn) -> list[Cue]:
    """(start, end, text, speaker) with any times -> cues by start. An end of None is unknown, which is no fault."""
    found = sorted((r for r in raw if r[2] and math.isfinite(r[0])), key=lambda r: r[0])
    starts = sorted({start for start, *_ in found})
    following = dict(itertools.pairwise(starts))
    inverted: list[float] = []
    early: list[float] = []
    cues = []
    for start, end, text, speaker in found:
        if end is None or not math.isfinite(end) or end <= start:
            if end is not None:
                inverted.append(start)
            end = min(start + max(SHORTEST_CUE, SECONDS_PER_WORD * len(text.split())), following.get(start, math.inf))
        if start < 0:
            early.append(start)
            start = 0.0
        if end > start:
            cues.append(Cue(Span(start, end), text, speaker))
    if inverted:
        warn(f"{_count(inverted)} without an end after the start, kept for the time it takes to read")
    if early:
        warn(f"{_count(early)} before time zero, cut or left out")
    return sorted(cues, key=lambda cue: (cue.span.start, cue.span.end))


def _unrolled(cues: list[Cue]) -> list[Cue]:
    """Captions that roll up, where each cue shows the line before once more: every line once, when it is new."""
    made: list[Cue] = []
    before: list[str] = []
    for cue in cues:
        lines = cue.text.split("\n")
        shared = max((n for n in range(len(lines) + 1) if lines[:n] == before[len(before) - n :]), default=0)
        if lines[shared:]:
            made.append(Cue(cue.span, "\n".join(lines[shared:]), cue.speaker))
        before = lines
    return made


def _count(times: list[float]) -> str:
    return f"{len(times)} cue{'s' if len(times) > 1 else ''} (the first at {format_time(times[0], 3)})"


def plain_text(markup: str, form: Form = "srt") -> str:
    """Cue text as a person reads it: without styling, entities resolved, no empty lines, lines joined by newlines."""
    if form in ("ass", "ssa"):
        text = re.sub(r"\{[^{}]*\}", "", markup).replace(r"\h", " ").replace(r"\n", "\n").replace(r"\N", "\n")
        return _tidy(text)
    if form == "plain":
        return _tidy(markup)
    text = markup if form == "vtt" else _OVERRIDE.sub("", markup)
    return _tidy(_unescape(_TAG.sub("", _RUBY.sub("", text))))


def voices(markup: str) -> list[tuple[str, str]]:
    """WebVTT payload -> (speaker, text) for each voice in it; speaker "" before the first voice tag."""
    pieces = _VOICE.split(markup)  # text, name, text, name, text ...
    pairs = [("", pieces[0]), *zip(pieces[1::2], pieces[2::2], strict=True)]
    named = [(" ".join(_tidy(_unescape(name)).split()), plain_text(text, "vtt")) for name, text in pairs]
    return [(speaker, text) for speaker, text in named if text]


def write_cues(cues: Iterable[Cue], form: Literal["srt", "vtt"]) -> str:
    """A whole subtitle file. Times to the millisecond; SRT has no place for a speaker, WebVTT writes a voice tag."""
    parts = ["WEBVTT\n"] if form == "vtt" else []
    for number, cue in enumerate(cues, 1):
        body = _tidy(cue.text)
        if not body:
            continue
        if form == "vtt":
            body = html.escape(body, quote=False)
            if cue.speaker:
                body = f"<v {html.escape(' '.join(cue.speaker.split()), quote=False)}>{body}"
        else:
            body = _guard(body)
        start, end = _stamp(cue.span.start, form), _stamp(cue.span.end, form)
        parts.append(f"{number}\n{start} --> {end}\n{body}\n")
    return "\n".join(parts)


def _stamp(seconds: float, form: str) -> str:
    total = max(0, round(seconds * 1000))
    hours, rest = divmod(total, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}{'.' if form == 'vtt' else ','}{rest % 1000:03d}"


def _guard(text: str) -> str:
    """Escapes only what a reader of SRT would otherwise take for markup: most players show entities as they are."""
    text = re.sub(r"&(?=(?:#[0-9xX]|[A-Za-z])[A-Za-z0-9]*;)", "&amp;", text)
    text = re.sub(r"<(?=[/A-Za-z0-9])", "&lt;", text).replace("-->", "--&gt;")
    return text.replace("{\\", "&#123;\\") if _OVERRIDE.search(text) is None else re.sub(r"\{", "&#123;", text)


def _unescape(text: str) -> str:
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def _tidy(text: str) -> str:
    text = _CONTROL.sub("", text).replace("\r", "\n").replace("\u00a0", " ")
    lines = (line.strip() for line in re.split(r"[\n\u2028\u2029\x85]", text))
    return "\n".join(line for line in lines if line)


def _seconds(sign: str, hours: str | None, minutes: str, seconds: str, fraction: str | None) -> float:
    value = int(hours or 0) * 3600 + int(minutes) * 60 + float(f"{int(seconds)}.{fraction or 0}")
    return -value if sign else value


def _parse_blocks(text: str, form: Form) -> Iterable[tuple[float, float | None, str, str]]:
    """SRT and WebVTT: the lines between one heading and the next, less what belongs to the next."""
    lines = text.split("\n")
    headings = [(n, match) for n, line in enumerate(lines) if "-" in line and (match := _HEADING.match(line))]
    for place, (n, match) in enumerate(headings):
        last = headings[place + 1][0] if place + 1 < len(headings) else len(lines)
        body = lines[n + 1 : last]
        if form == "vtt":
            # A cue ends at the first empty line, and one of blanks is not empty; notes, styles and the next
            # identifier lie behind it.
            body = body[: next((k for k, line in enumerate(body) if not line), len(body))]
        elif place + 1 < len(headings) and body and _DIGITS.match(body[-1]):
            body = body[:-1]  # the number of the next cue; texts of SRT may themselves hold empty lines
        groups = match.groups()
        start, end = _seconds(*groups[:5]), _seconds(*groups[5:])
        markup = "\n".join(body)
        for speaker, words in voices(markup) if form == "vtt" else [("", plain_text(markup))]:
            yield start, end, words, speaker


def _parse_ass(text: str, form: Form, warn: Warn) -> Iterable[tuple[float, float | None, str, str]]:
    import pysubs2

    # Only the events: styles are not used, and one odd colour in them would cost the whole file.
    events = [line.strip() for line in text.split("\n") if line.lstrip().startswith("Dialogue:")]
    good, bad = [], 0
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")  # pysubs2 warns of margins and layers, which mean nothing here
        for line in events:
            try:
                good.extend(pysubs2.SSAFile.from_string(f"[Events]\n{line}\n", format_=form).events)
            except (ValueError, TypeError, IndexError, KeyError):
                bad += 1
    if bad:
        warn(f"{bad} of {len(events)} dialogue lines could not be read and were left out")
    for event in good:
        if event.is_text:
            speaker = " ".join(_tidy(event.name).split())
            yield event.start / 1000, event.end / 1000, plain_text(event.text, form), speaker
