"""Packets to frames, over whatever damage lies between. Knows nothing of seeking, order or time lines.

FFmpeg's log stays silent (PyAV switches it off); what a person should know of damage is collected in `Damage`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import av
from av.stream import Discard

from cinescope.media.opening import reason

# Read errors in a row, without one packet between, after which the rest of a file is given up.
_MAX_READ_ERRORS = 32

# Damaged places closer than this, in seconds, are told as one.
_SAME_PLACE = 2.0
_MAX_TOLD = 20


class Damage:
    """What was met while reading: kinds of trouble, each with the times where it was met."""

    def __init__(self) -> None:
        self._times: dict[str, set[float]] = {}
        self._once: dict[str, None] = {}
        self._lock = threading.Lock()

    def at(self, time: float, what: str) -> None:
        """`what` completes "... at 3.20 s"; the same place and kind are kept once, however often they are read."""
        with self._lock:
            self._times.setdefault(what, set()).add(round(time, 3))

    def note(self, sentence: str) -> None:
        """Something that concerns the whole stream."""
        with self._lock:
            self._once[sentence] = None

    def sentences(self) -> list[str]:
        """One sentence a place, in order of time within a kind; the longest lists are cut and say so."""
        told = list(self._once)
        for what, times in self._times.items():
            stretches: list[list[float]] = []
            for time in sorted(times):
                if stretches and time - stretches[-1][1] <= _SAME_PLACE:
                    stretches[-1][1] = time
                    stretches[-1][2] += 1
                else:
                    stretches.append([time, time, 1])
            for first, last, count in stretches[:_MAX_TOLD]:
                place = f"at {first:.2f} s" if count == 1 else f"from {first:.2f} to {last:.2f} s ({count:.0f} times)"
                told.append(f"{what} {place}")
            if len(stretches) > _MAX_TOLD:
                told.append(f"{what} at {len(stretches) - _MAX_TOLD} more places, up to {stretches[-1][1]:.2f} s")
        return told


def only(container: Any, index: int) -> Any:
    """The stream of that index; the demuxer skips the others, in MP4 without reading their bytes."""
    for stream in container.streams:
        if stream.index != index:
            stream.discard = Discard.all
    return container.streams[index]


def packets_of(container: Any, stream: Any, damage: Damage) -> Iterator[Any]:
    """Packets of a stream (or several) from where the container stands, over read errors; at the end one None."""
    failures = 0
    last = 0.0
    while failures < _MAX_READ_ERRORS:
        try:
            for packet in container.demux(stream):
                if packet.size == 0 and packet.pts is None and packet.dts is None:
                    continue  # PyAV's own end mark; ours follows
                failures = 0
                if packet.pts is not None:
                    last = seconds(packet.pts, packet.time_base)
                yield packet
            break
        except (av.error.FFmpegError, OSError) as error:
            failures += 1
            damage.at(last, f"the file cannot be read on ({reason(error)})")
    yield None


def decode(context: Any, packet: Any) -> tuple[list[Any], str]:
    """The frames that came out and, where the decoder refused the packet, why. `packet` None drains the decoder."""
    try:
        return context.decode(packet), ""
    except av.error.EOFError:
        return [], ""  # drained before
    except (av.error.FFmpegError, OSError, ValueError) as error:
        return [], reason(error) or "refused"


def seconds(ticks: int, base: Any) -> float:
    """Rounded once: integers are multiplied exactly and divided correctly rounded."""
    return ticks * base.numerator / base.denominator
